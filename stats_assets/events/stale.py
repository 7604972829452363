"""Which days of the typed tables are to be made again: missing, not complete, of other columns, or added to since.

Decided from what a day was made from, not from events of Dagster: after any outage it is what is really out of date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stats_assets.shared.days import midnight


@dataclass(frozen=True)
class MadeDay:
    """A day of a typed table as it was made last. `has_all_replays`: no spool has added to it since."""

    definition: str
    complete_until: datetime
    replaced_at: datetime
    has_all_replays: bool


Made = Mapping[tuple[str, date], MadeDay]


def stale_days(
    definitions: Mapping[str, str], raw_days: Collection[date], made: Made, now: datetime, settle: timedelta
) -> list[date]:
    """Days that are over and have a table to be made; a day is over `settle` after its midnight.

    `definitions` by table. A day of other columns is told while its raw events are within `raw_days`.
    """
    over = {day for day in raw_days if midnight(day + timedelta(days=1)) + settle <= now}
    return sorted(
        day for day in over if any(_is_stale(day, made.get((table, day)), d) for table, d in definitions.items())
    )


def _is_stale(day: date, made: MadeDay | None, definition: str) -> bool:
    if made is None or made.definition != definition or not made.has_all_replays:
        return True
    return made.complete_until < midnight(day + timedelta(days=1))


def is_today_due(definitions: Mapping[str, str], made: Made, now: datetime, refresh: timedelta) -> bool:
    """Whether the typed rows of today may be made again: some are missing, `refresh` old, or of the last hour."""
    return any(_is_due(made.get((table, now.date())), d, now, refresh) for table, d in definitions.items())


def _is_due(made: MadeDay | None, definition: str, now: datetime, refresh: timedelta) -> bool:
    if made is None or made.definition != definition or not made.has_all_replays:
        return True
    hour = now.replace(minute=0, second=0, microsecond=0)
    return now - made.replaced_at >= refresh or made.replaced_at < hour


def oldest_complete(definitions: Mapping[str, str], made: Made, today: date) -> datetime:
    """Since when something may have come that one of the tables lacks today."""
    return min(_complete(definitions, made, today), default=midnight(today))


def _complete(definitions: Mapping[str, str], made: Made, today: date) -> Iterator[datetime]:
    for table in definitions:
        day = made.get((table, today))
        yield midnight(today) if day is None else day.complete_until
