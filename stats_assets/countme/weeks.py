"""The calendar of the counts: weeks that begin on Monday 00:00 UTC. What makes a week complete is not told here.

A week is named by its Monday, a day by its date, an instant by Unix seconds; all in UTC.

Which files a week needs. A log is rotated some minutes after midnight, so a file begins and ends that much late: the
first minutes of a day stand in the file of the day before. What the date in a file's name means is the site's choice:

    covers        the file of date D holds                     a week needs the files of
    same_day      D, but for its first minutes, and those      Sunday before it, for Monday's first minutes,
                  of D + 1                                     to its own Sunday: eight files
    previous_day  D - 1, likewise, and the first minutes       its own Monday, for Monday's first minutes (the rest
                  of D: dated by its rotation                  is Sunday's), to the Monday after it: eight files

Requests are dated when they begin and written when they end, some minutes later at most, so a line never stands in
an earlier file than its time says. Clocks that are far off are not waited for.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

Covers = Literal["same_day", "previous_day"]

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


# The first and the last file a week needs, in days from its Monday.
FILE_OFFSETS: dict[Covers, tuple[int, int]] = {"same_day": (-1, 6), "previous_day": (0, 7)}


def files_needed(week: date, covers: Covers) -> list[date]:
    """The dates of the files that hold a week's hits, oldest first."""
    first, last = FILE_OFFSETS[covers]
    return [week + timedelta(days=number) for number in range(first, last + 1)]


def settled_after(week: date, covers: Covers) -> date:
    """The day at whose beginning the last file of a week may be there; the jitter still has to pass."""
    return files_needed(week, covers)[-1] + timedelta(days=1)
