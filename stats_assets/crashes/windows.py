"""A day as the parameters of statements."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TypedDict

from stats_assets.shared.days import midnight


class DayWindow(TypedDict):
    """The UTC day, half-open: from `start` to before `end`."""

    day: date
    start: datetime
    end: datetime


def day_window(day: date) -> DayWindow:
    return {"day": day, "start": midnight(day), "end": midnight(day) + timedelta(days=1)}


def monday_of(day: date) -> date:
    """The week's first day: table partitions begin with it."""
    return day - timedelta(days=day.weekday())
