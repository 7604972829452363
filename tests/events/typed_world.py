"""A database with raw events as the collector leaves them, and its typed tables. Days are of 2026-11."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg2 import sql

from stats_assets.events.catalog_store import keep_version
from stats_assets.events.config import EventsConfig
from stats_assets.events.day_report import DayReport
from stats_assets.events.evolve import Evolution, evolve
from stats_assets.events.schema_file import EventSchema, parse_schema
from stats_assets.events.typed import TypedTable
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import ensure_leaf, leaf_of_days

FRIDAY = date(2026, 11, 20)
LEVELS = """
  - {name: time, type: timestamp}
  - {name: level, type: i32, required: true}
  - {name: hero}
  - {name: agent, header: User-Agent}
"""


def schema_of(columns: str, more: str = "") -> EventSchema:
    """A schema file with the one table `levels`."""
    lines = columns.strip("\n").replace("\n", "\n    ")
    text = (
        f"tables:\n  levels:\n    columns:\n    {lines}\n{more}\napps:\n  game: {{secret_key: s, tables: [levels]}}\n"
    )
    return parse_schema(text, {}, "events.yaml")


def at(day: date, hours: float = 12) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


@dataclass
class World:
    """`receive` stands in for the collector: it stores what that would have accepted, one request a call."""

    database: StatsDatabase
    schema: EventSchema = field(default_factory=lambda: schema_of(LEVELS))
    config: EventsConfig = field(default_factory=EventsConfig)
    requests: int = 0
    _versions: set[str] = field(default_factory=set)

    def receive(
        self,
        received_at: datetime,
        *events: Mapping[str, Any] | bytes,
        table: str = "levels",
        app: str = "game",
        headers: Mapping[str, str] | None = None,
    ) -> UUID:
        self.requests += 1
        request_id = UUID(int=self.requests)
        ensure_leaf(self.database, leaf_of_days("events", "raw_events", "received_at", received_at.date(), 1))
        with self.database.transaction() as cursor:
            if self.schema.version not in self._versions:
                keep_version(cursor, self.schema, [], False)
            for place, event in enumerate(events):
                sent = event if isinstance(event, bytes) else json.dumps({"_t": table, **event}).encode()
                event_id = event.get("event_id") if isinstance(event, Mapping) else None
                row = (received_at, request_id, place, app, table, event_id, self.schema.version)
                told = None if headers is None else json.dumps(headers).encode()
                cursor.execute(
                    "INSERT INTO events.raw_events VALUES (%s, %s::uuid, %s, %s, %s, %s, %s, %s, %s)",
                    (*row[:1], str(request_id), *row[2:], told, sent),
                )
        self._versions.add(self.schema.version)
        return request_id

    def replayed(self, day: date) -> None:
        """Tells of a spool that was brought in, as the collector does with the rows of it."""
        self.requests += 1
        with self.database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO events.spool_replays (segment, day, events, added) VALUES (%s::uuid, %s, 1, 1)",
                (str(UUID(int=self.requests)), day),
            )

    def evolve(self) -> Evolution:
        return evolve(self.database, self.schema, budget_seconds=5)

    def table(self, name: str = "levels") -> TypedTable:
        return TypedTable(self.database, self.config, name, self.schema.tables[name], self.schema.version)

    def replace(self, *days: date, table: str = "levels", only_new: bool = False) -> list[DayReport]:
        return [self.table(table).replace_day(day, only_new) for day in days]

    def rows(self, columns: str, table: str = "levels") -> list[tuple]:
        statement = sql.SQL("SELECT {} FROM {} ORDER BY received_at, request_id, request_position").format(
            sql.SQL(columns), sql.Identifier("events", table)
        )
        return self.query(statement)

    def quarantined(self) -> list[tuple]:
        return self.query(
            "SELECT reason, column_name, detail, convert_from(payload, 'UTF8') FROM events.quarantine"
            " ORDER BY received_at, request_id, request_position"
        )

    def query(self, statement: str | sql.Composable) -> list[tuple]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
