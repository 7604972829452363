"""The time of a log line, the text between its brackets, as Unix seconds.

strict knows exactly `dd/Mon/yyyy:hh:mm:ss +hhmm`; compat takes whatever the established tool takes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from stats_assets.countme.config import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_STRICT = re.compile(
    rf"(\d\d)/({'|'.join(_MONTHS)})/(\d{{4}}):([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60) ([+-])([01]\d|2[0-3])([0-5]\d)",
    re.ASCII,
)
_MINUTES_PER_DAY = 1440


def read_time(text: str, policy: Policy) -> int | None:
    """The instant as Unix seconds; None when the text is not a time.

    In both policies the clock only adds to the day: `read_time` of 00:00:00 and the clock's seconds make the
    whole, which the fast path relies on.
    """
    return _read_strict(text) if policy == "strict" else _read_compat(text)


def _read_strict(text: str) -> int | None:
    match = _STRICT.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, offset_hours, offset_minutes = match.groups()
    offset = 60 * int(offset_hours) + int(offset_minutes)
    try:
        # A leap second is counted with the second before it: Unix time has no place for it.
        clock = (int(hour), int(minute), min(int(second), 59))
        return _unix_seconds(int(year), _MONTHS[month], int(day), *clock, -offset if sign == "-" else offset)
    except ValueError:
        return None


def _read_compat(text: str) -> int | None:
    """Numbers are what Python's int() takes: `1_0`, blanks around, other scripts' digits, days of one digit."""
    try:
        stamp, offset_text = text.split(" ", 1)
        date_text, hour, minute, second = stamp.split(":", 3)
        day, month, year = date_text.split("/", 2)
        offset = 60 * int(offset_text[1:3]) + int(offset_text[3:5])
        if abs(offset) >= _MINUTES_PER_DAY:
            return None
        clock = (int(hour), int(minute), int(second))
        offset = -offset if offset_text.startswith("-") else offset
        return _unix_seconds(int(year), _MONTHS[month], int(day), *clock, offset)
    except (ValueError, OverflowError, KeyError):
        return None


def _unix_seconds(year: int, month: int, day: int, hour: int, minute: int, second: int, offset_minutes: int) -> int:
    """Raises ValueError or OverflowError for what the calendar or the clock does not have."""
    local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return (local - _EPOCH) // _SECOND - 60 * offset_minutes
