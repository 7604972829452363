"""Counting a day: what became of its events per app and table, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg2 import sql

from stats_assets.events import counts_sql
from stats_assets.events.catalog import SCHEMA
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row


@dataclass(frozen=True)
class RawDay:
    """The raw events of a day, in numbers."""

    events: int
    apps: int
    payload_bytes: int
    oldest_at: datetime | None
    newest_at: datetime | None
    identified: int
    versions: int

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {
            "dagster/partition_row_count": self.events,
            "apps": self.apps,
            "payload_bytes": self.payload_bytes,
            "with_event_id": self.identified,
            "schema_versions": self.versions,
            "oldest": self.oldest_at.isoformat() if self.oldest_at else "none",
            "newest": self.newest_at.isoformat() if self.newest_at else "none",
        }


@dataclass(frozen=True)
class CountedDay:
    """A counted day, in numbers."""

    rows: int
    received: int
    stored: int
    repeats: int
    quarantined: int
    refused: int
    with_unknown_columns: int
    seconds: float = 0.0

    @property
    def metadata(self) -> Mapping[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "rows"}
        return {"dagster/partition_row_count": self.rows} | told | {"seconds": round(self.seconds, 3)}


def count_raw_day(database: StatsDatabase, day: date) -> RawDay:
    """What is in raw_events of the day; reads only."""
    with database.transaction() as cursor:
        cursor.execute(counts_sql.RAW_DAY, _window(day))
        return RawDay(*one_row(cursor))


def replace_counts(database: StatsDatabase, day: date, tables: Collection[str]) -> CountedDay | None:
    """Counts the day anew, of the typed tables given. None, and nothing is changed, when its raw events are retired."""
    began = time.monotonic()
    with database.transaction() as cursor:
        lock_slice(cursor, "events.daily_event_counts", f"{day}")
        cursor.execute(counts_sql.SUMS, {"day": day})
        received_before = one_row(cursor)[1]
        cursor.execute(counts_sql.RAW_DAY, _window(day))
        if received_before and not RawDay(*one_row(cursor)).events:
            return None
        made = _made(cursor, day) & set(tables)
        _count(cursor, day, sorted(made))
        cursor.execute(counts_sql.SUMS, {"day": day})
        return CountedDay(*one_row(cursor), seconds=time.monotonic() - began)


def _made(cursor: Cursor, day: date) -> set[str]:
    cursor.execute(counts_sql.MADE_TABLES, {"day": day})
    return {name for (name,) in cursor.fetchall()}


def _count(cursor: Cursor, day: date, tables: Collection[str]) -> None:
    window = _window(day)
    cursor.execute(counts_sql.DELETE_COUNTS, window)
    cursor.execute(counts_sql.DELETE_UNKNOWN, window)
    cursor.execute(counts_sql.MAKE_STORED)
    for name in tables:
        for statement in (counts_sql.ADD_STORED, counts_sql.ADD_UNKNOWN):
            on_table = sql.SQL(statement).format(table=sql.Identifier(SCHEMA, name))
            cursor.execute(on_table, window | {"table_name": name})
    cursor.execute(counts_sql.ADD_COUNTS, window | {"made": list(tables)})


def _window(day: date) -> dict[str, Any]:
    return {"day": day, "start": midnight(day), "end": midnight(day + timedelta(days=1))}
