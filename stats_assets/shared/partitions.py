"""The Dagster partitions that rooms have in common: equal definitions, or their days would not meet in the lineage."""

from __future__ import annotations

from datetime import date

import dagster as dg


def daily(first_day: date) -> dg.DailyPartitionsDefinition:
    """A Dagster partition per UTC day."""
    return dg.DailyPartitionsDefinition(start_date=f"{first_day}", timezone="UTC")
