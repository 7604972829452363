"""Days as dates, and when they begin. What a day or a week means for counts belongs to the rooms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta


def midnight(day: date) -> datetime:
    """The day's first instant, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days_between(first: date, last: date) -> list[date]:
    """From the first to the last, both included; none when the last is before the first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def contiguous(keys: Iterable[date], step_days: int) -> list[tuple[date, date]]:
    """Dates as ranges (first, last) without a hole, for runs over a range of Dagster partitions."""
    ranges: list[tuple[date, date]] = []
    for key in sorted(keys):
        if ranges and (key - ranges[-1][1]).days == step_days:
            ranges[-1] = (ranges[-1][0], key)
        else:
            ranges.append((key, key))
    return ranges
