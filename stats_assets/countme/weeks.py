"""The calendar of the counts: weeks that begin on Monday 00:00 UTC. What makes a week complete is not told here.

A week is named by its Monday, a day by its date, an instant by Unix seconds; all in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

SECONDS_PER_DAY = 86_400
SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY

# Clients began to send countme in this week; nothing before it is counted.
FIRST_COUNTME_WEEK = date(2020, 2, 10)

# Time stamps in the logs step back by up to 241 s, so a week is over only this long after its end.
JITTER_SECONDS = 600

# 1970-01-01 was a Thursday: the first Monday is four days in.
FIRST_MONDAY_SECONDS = 4 * SECONDS_PER_DAY
_FIRST_MONDAY = date(1970, 1, 5)


def monday_of(seconds: int) -> date:
    """The week an instant (Unix seconds) lies in."""
    return week_of_number((seconds - FIRST_MONDAY_SECONDS) // SECONDS_PER_WEEK)


def monday_of_day(day: date) -> date:
    """The week a day lies in."""
    return day - timedelta(days=day.weekday())


def week_of_number(number: int) -> date:
    """The week with this number, counted from the first Monday of 1970."""
    return _FIRST_MONDAY + timedelta(weeks=number)


def number_of_week(week: date) -> int:
    """The other way round."""
    return (week - _FIRST_MONDAY).days // 7


def week_window(week: date) -> tuple[int, int]:
    """First second of the week, and first second after it, as Unix seconds."""
    start = FIRST_MONDAY_SECONDS + (week - _FIRST_MONDAY).days * SECONDS_PER_DAY
    return start, start + SECONDS_PER_WEEK


def days_of(week: date) -> list[date]:
    """The seven days of a week, Monday first."""
    return [week + timedelta(days=number) for number in range(7)]


def weeks_touched(days: Iterable[date]) -> list[date]:
    """The weeks these days lie in, each once, oldest first."""
    return sorted({monday_of_day(day) for day in days})
