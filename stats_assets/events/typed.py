"""Replaces a day of a typed table, made from raw events, in one transaction: rows, quarantine and state together.

What a day holds depends on raw events and the schema file alone, not on what was made before or in which order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow as pa
from psycopg2 import sql

from stats_assets.events import tables_sql
from stats_assets.events.catalog import SCHEMA
from stats_assets.events.catalog_store import read_catalog, read_versions
from stats_assets.events.config import EventsConfig
from stats_assets.events.day_report import DayReport
from stats_assets.events.decoding import Decoder
from stats_assets.events.evolution import plan_table
from stats_assets.events.raw_blocks import Window, raw_blocks
from stats_assets.events.schema_file import Table
from stats_assets.shared.bulk_load import arrow_blocks, copy_stream, copy_text
from stats_assets.shared.days import midnight
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.garbage_collection import without_garbage_collection
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row
from stats_assets.shared.table_partitions import Leaf, ensure_leaves, leaf_of_days

# Beyond commit_timeout_seconds: clocks of collector and database may differ, and a commit takes its time.
SETTLING_SECONDS = 60
_REFUSAL_COLUMNS = ("received_at", "request_id", "request_position", "reason", "column_name", "detail")
_KEY_COLUMNS = _REFUSAL_COLUMNS[:3]


class Retired(OurMistake):
    """Raw events the day is made from are there no more; what was made of them stays."""


def definition_of(table: Table) -> str:
    """A digest of the table's columns: equal as long as rows come out the same."""
    return sha256(table.model_dump_json().encode()).hexdigest()[:12]


@dataclass(frozen=True)
class TypedTable:
    """One typed table of the schema file, and the database it is in."""

    database: StatsDatabase
    config: EventsConfig
    name: str
    declared: Table
    version: str  # of the schema file

    def replace_day(self, day: date, only_new: bool = False) -> DayReport:
        """Makes the day anew from its raw events; with `only_new` what has come since, where that gives the same rows.

        Raises OurMistake while the table has not followed the schema file, and Retired.
        """
        began = time.monotonic()
        leaf = leaf_of_days(SCHEMA, self.name, "received_at", day, 1)
        report = DayReport(self.name, day)
        self._require_table()
        ensure_leaves(self.database, [leaf_of_days(SCHEMA, "quarantine", "received_at", day, 1), leaf])
        with self.database.transaction() as writer:
            lock_slice(writer, f"{SCHEMA}.{self.name}", f"{day}")
            with self.database.transaction() as reader:
                reader.execute(tables_sql.SNAPSHOT)
                reader.execute(tables_sql.READING)
                with without_garbage_collection():
                    _Replacement(self, leaf, report, writer, reader).run(only_new)
        report.seconds = time.monotonic() - began
        return report

    def _require_table(self) -> None:
        with self.database.transaction() as cursor:
            self.checked(cursor)

    def checked(self, cursor: Cursor) -> frozenset[str]:
        """The columns that take no NULL. Raises OurMistake unless the table has every column of the schema file."""
        catalog = read_catalog(cursor, {self.name: self.declared})
        plan = plan_table(self.name, self.declared, catalog)
        missing = [str(step) for step in plan.steps if step.kind in ("create_table", "add_column")]
        if missing or plan.refusals:
            told = "; ".join([*missing, *map(str, plan.refusals)])
            raise OurMistake(
                f"events.{self.name} is not as the schema file says: {told}; materialize events/schema, then this again"
            )
        return catalog.tables[self.name].not_null


@dataclass
class _Replacement:
    """One transaction that replaces a day, or the end of one."""

    table: TypedTable
    leaf: Leaf
    report: DayReport
    writer: Cursor
    reader: Cursor

    def run(self, only_new: bool) -> None:
        start, end = midnight(self.report.day), midnight(self.report.day + timedelta(days=1))
        self.writer.execute(self._on_table(tables_sql.HOLD_TABLE))
        not_null = self.table.checked(self.writer)
        state = self._state()
        self._refuse_retired()
        since = start
        if only_new and state.before is not None and state.before[:2] == (state.definition, state.replays):
            since = max(start, min(state.before[2], end))
        self._delete(since, end)
        decoder = Decoder(self.table.name, self.table.declared, not_null, self._versions())
        refusals = self._copy(decoder, Window(self.table.name, since, end), are_few=since > start)
        repeats = self._repeats(since, end) if self.report.identified else []
        self._settle(refusals, repeats, since, end)
        self._keep(state, start, since, end)

    def _on_table(self, statement: str) -> sql.Composed:
        return sql.SQL(statement).format(table=sql.Identifier(SCHEMA, self.table.name))

    def _state(self) -> _State:
        """Asked in the reader's snapshot before anything is read: what comes later is not in what we make."""
        day = self.report.day
        values = {"table_name": self.table.name, "day": day, "first_day": day - self._lateness}
        self.reader.execute(tables_sql.NOW)
        (now,) = one_row(self.reader)
        self.reader.execute(tables_sql.COUNT_REPLAYS, values)
        (replays,) = one_row(self.reader)
        self.reader.execute(tables_sql.TABLE_DAY, values)
        settled = now - timedelta(seconds=self.table.config.commit_timeout_seconds + SETTLING_SECONDS)
        return _State(definition_of(self.table.declared), replays, settled, self.reader.fetchone())

    @property
    def _lateness(self) -> timedelta:
        return timedelta(days=self.table.config.lateness_days)

    def _refuse_retired(self) -> None:
        day = self.report.day
        values = {"table_name": self.table.name, "day": day, "first_day": day - self._lateness}
        self.reader.execute(tables_sql.DAYS_WITH_EVENTS, values)
        for (needed,) in self.reader.fetchall():
            window = {"start": midnight(needed), "end": midnight(needed + timedelta(days=1))}
            self.reader.execute(tables_sql.RAW_IS_THERE, window)
            if one_row(self.reader) != (True,):
                what = "raw events" if needed == day else f"raw events of {needed}, which repeats are looked for in,"
                raise Retired(
                    f"events.{self.table.name} {day}: its {what} have been retired; the rows stay as they are."
                    " To make them anew bring the raw events back (./stats partitions restore)"
                )

    def _versions(self) -> Mapping[str, Mapping[str, bool]]:
        return {version: tables.get(self.table.name, {}) for version, tables in read_versions(self.reader).items()}

    def _delete(self, since: datetime, end: datetime) -> None:
        window = {"table_name": self.table.name, "start": since, "end": end}
        self.writer.execute(self._on_table(tables_sql.DELETE_ROWS), window)
        self.writer.execute(tables_sql.DELETE_QUARANTINE, window)

    def _copy(self, decoder: Decoder, window: Window, are_few: bool) -> list[Sequence[object]]:
        """Rows into the table partition; gives what was refused, by its key."""
        refusals: list[Sequence[object]] = []
        batches = self._decoded(decoder, window, are_few, refusals)
        blocks = arrow_blocks(decoder.schema, batches, jsonb=("extra",))
        copy_stream(self.writer, self.leaf.qualified, decoder.schema.names, blocks)
        return refusals

    def _decoded(
        self, decoder: Decoder, window: Window, are_few: bool, refusals: list[Sequence[object]]
    ) -> Iterator[pa.RecordBatch]:
        """Adds to `refusals` what has no row."""
        report = self.report
        with_headers = bool(self.table.declared.header_keys)
        for block, version_of in raw_blocks(self.reader, window, with_headers, are_few):
            decoded = decoder.decode(block, version_of)
            report.read += block.count
            report.payload_bytes += len(block.payloads)
            report.saw(block.key(int(block.received_at.argmin()))[0], block.key(int(block.received_at.argmax()))[0])
            report.identified += decoded.identified
            report.with_unknown_columns += decoded.with_extra
            for place, refusal in decoded.refusals.items():
                report.reasons[refusal.reason] = report.reasons.get(refusal.reason, 0) + 1
                refusals.append((*block.key(place), refusal.reason, refusal.column, refusal.detail))
            yield decoded.rows

    def _repeats(self, since: datetime, end: datetime) -> list[tuple]:
        values = {"table_name": self.table.name, "lateness": self._lateness, "start": since, "end": end}
        self.reader.execute(tables_sql.REPEATS, values)
        return self.reader.fetchall()

    def _settle(self, refusals: Sequence, repeats: Sequence, since: datetime, end: datetime) -> None:
        """Takes repeats away, and what was refused into quarantine."""
        self.report.stored = self.report.read - len(refusals)
        if not refusals and not repeats:
            return
        self.writer.execute(tables_sql.MAKE_KEYS)
        copy_text(self.writer, ("pg_temp", "repeats"), _KEY_COLUMNS, repeats)
        copy_text(self.writer, ("pg_temp", "refusals"), _REFUSAL_COLUMNS, refusals)
        self.writer.execute(tables_sql.ANALYZE_KEYS)
        window = {"start": since, "end": end}
        if repeats:
            self.writer.execute(self._on_table(tables_sql.DELETE_REPEATS), window)
            self.report.stored -= self.writer.rowcount
        if refusals:
            self.writer.execute(tables_sql.ADD_QUARANTINE, window | {"version": self.table.version})
            self.report.quarantined = self.writer.rowcount

    def _count_before(self, values: Mapping[str, Any]) -> None:
        """Of the part of the day that stays as it was."""
        report = self.report
        self.writer.execute(self._on_table(tables_sql.COUNT_TYPED_BEFORE), values)
        stored, quarantined = one_row(self.writer)
        self.reader.execute(tables_sql.COUNT_RAW_BEFORE, values)
        received, identified, oldest_at, newest_at = one_row(self.reader)
        report.stored, report.quarantined = report.stored + stored, report.quarantined + quarantined
        report.received, report.identified = report.read + received, report.identified + identified
        report.saw(*(at for at in (oldest_at, newest_at) if at))

    def _keep(self, state: _State, start: datetime, since: datetime, end: datetime) -> None:
        report = self.report
        values = {"table_name": self.table.name, "day": report.day, "day_start": start, "start": since, "end": end}
        report.received = report.read
        if since > start:
            self._count_before(values)
        report.repeats = report.received - report.stored - report.quarantined
        report.complete_until = max(start, min(state.settled, end))
        told = {name: getattr(report, name) for name in ("received", "stored", "quarantined", "repeats", "identified")}
        told |= {"definition": state.definition, "replays": state.replays, "complete_until": report.complete_until}
        self.writer.execute(tables_sql.KEEP_TABLE_DAY, values | told)


@dataclass(frozen=True)
class _State:
    """From what the day is made now; `before`: definition, replays, complete_until, received of last time."""

    definition: str
    replays: int
    settled: datetime
    before: tuple[str, int, datetime, int] | None
