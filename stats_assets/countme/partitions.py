"""The room's Dagster partitions: days (the date in the log file's name) and weeks (their Monday), both UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from stats_assets.countme.weeks import monday_of_day


def daily(first_day: date) -> dg.DailyPartitionsDefinition:
    return dg.DailyPartitionsDefinition(start_date=f"{first_day}", timezone="UTC")


def weekly(first_day: date) -> dg.WeeklyPartitionsDefinition:
    """Weeks from the one that holds the first day, though it may be cut: a cut week is told, not hidden."""
    return dg.WeeklyPartitionsDefinition(start_date=f"{monday_of_day(first_day)}", day_offset=1, timezone="UTC")


def contiguous(keys: Iterable[date], step_days: int) -> list[tuple[date, date]]:
    """Dates as ranges (first, last) without a hole, for runs over a range of Dagster partitions."""
    ranges: list[tuple[date, date]] = []
    for key in sorted(keys):
        if ranges and (key - ranges[-1][1]).days == step_days:
            ranges[-1] = (ranges[-1][0], key)
        else:
            ranges.append((key, key))
    return ranges
