"""The Dagster partitions that rooms have in common: equal definitions, or their days would not meet in the lineage."""

from __future__ import annotations

from datetime import date

import dagster as dg


def daily(first_day: date) -> dg.DailyPartitionsDefinition:
    """A Dagster partition per UTC day that is over."""
    return dg.DailyPartitionsDefinition(start_date=f"{first_day}", timezone="UTC")


def daily_with_today(first_day: date) -> dg.DailyPartitionsDefinition:
    """A Dagster partition per UTC day, the one under way included: for what is to be seen the hour it happens."""
    return dg.DailyPartitionsDefinition(start_date=f"{first_day}", timezone="UTC", end_offset=1)
