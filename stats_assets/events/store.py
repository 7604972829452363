"""Batches into PostgreSQL: by COPY as they come, and from the spool afterwards. Blocks; `batches` gives it a thread."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import psycopg2
from psycopg2 import extensions

from stats_assets.events import sql
from stats_assets.events.copy_rows import HEADER, TRAILER, Rows
from stats_assets.events.partition_policies import RECEIVED_TABLES
from stats_assets.events.schema_file import EventSchema
from stats_assets.events.segments import Kind, Record
from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.partition_policy import split_name
from stats_assets.shared.postgres import Connection, Cursor, StatsDatabase, one_row
from stats_assets.shared.table_partitions import ensure_leaves, leaf_of_days

_CONNECT_SECONDS = 5


class StoreAway(Exception):
    """The batch was not stored, or nobody knows. The message says why."""


@dataclass(frozen=True)
class Replayed:
    """Events of a segment, and how many of them were not there yet."""

    events: int
    added: int


def collector_database(dsn: str) -> StatsDatabase:
    """The database with a patience for connecting that a waiting client can bear."""
    return StatsDatabase(dsn=extensions.make_dsn(dsn, connect_timeout=_CONNECT_SECONDS))


class Store:
    """One connection for the batches. Any trouble ends it; the next one is another Store."""

    def __init__(self, database: StatsDatabase, timeout_seconds: float) -> None:
        """Raises StoreAway."""
        self._database = database
        self._stack = ExitStack()
        try:
            self._connection = self._stack.enter_context(database.connection())
            with self._connection.cursor() as cursor:
                # Acknowledged means on disk, whatever the server's default is.
                cursor.execute("SET synchronous_commit = on")
                cursor.execute("SET statement_timeout = %(ms)s", {"ms": int(timeout_seconds * 1000)})
        except (psycopg2.Error, SourceAway) as error:
            self._stack.close()
            raise StoreAway(first_line(error)) from error

    def copy(self, rows: Rows) -> None:
        """Commits the rows, all or none. Raises StoreAway; then the outcome may be unknown."""
        try:
            try:
                _copy_all(self._connection, rows)
            except psycopg2.errors.CheckViolation:
                # "no partition of relation found for row": nobody made the day ahead.
                ensure_days(self._database, rows.days)
                _copy_all(self._connection, rows)
        except (psycopg2.Error, SourceAway, OurMistake) as error:
            raise StoreAway(first_line(error)) from error

    def abandon(self) -> None:
        """From another thread: ends whatever the connection is waiting for, as a server that does not answer would not.

        What libpq waits for is its socket, and nothing but the end of that wakes it up.
        """
        with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(self._connection.fileno())) as channel:
            channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(psycopg2.Error):
            self._stack.close()


def _copy_all(connection: Connection, rows: Rows) -> None:
    with closing(connection.cursor()) as cursor:
        if not rows.quarantined_count:
            _copy(cursor, sql.COPY_RAW, rows.raw)  # autocommit: a transaction of its own, in one round trip
            return
        cursor.execute("BEGIN")
        try:
            _copy(cursor, sql.COPY_RAW, rows.raw)
            _copy(cursor, sql.COPY_QUARANTINE, rows.quarantined)
            cursor.execute("COMMIT")
        except psycopg2.Error:
            with suppress(psycopg2.Error):
                cursor.execute("ROLLBACK")
            raise


def _copy(cursor: Cursor, statement: str, parts: Sequence[bytes]) -> None:
    if parts:
        cursor.copy_expert(statement, io.BytesIO(b"".join((HEADER, *parts, TRAILER))), size=1 << 20)


def ensure_days(database: StatsDatabase, days: Collection[date]) -> None:
    """Makes the table partitions of these days. Raises SourceAway, OurMistake, psycopg2.Error."""
    names = [split_name(table) for table in RECEIVED_TABLES]
    ensure_leaves(
        database,
        [leaf_of_days(schema, table, "received_at", day, 1) for schema, table in names for day in sorted(days)],
    )


def see_schema(database: StatsDatabase, schema: EventSchema) -> None:
    """Remembers that this schema is in use. Raises SourceAway, OurMistake, psycopg2.Error."""
    with database.transaction() as cursor:
        cursor.execute(sql.SEE_SCHEMA, {"version": schema.version, "document": schema.document})


def replay(database: StatsDatabase, segment: UUID, records: Iterable[Record]) -> Replayed:
    """Brings a segment of the spool in, in one transaction; a second time it adds nothing.

    Raises SourceAway, OurMistake, psycopg2.Error.
    """
    statements: dict[Kind, str] = {"raw": sql.COPY_REPLAYED_RAW, "quarantine": sql.COPY_REPLAYED_QUARANTINE}
    with database.transaction() as cursor:
        cursor.execute(sql.MAKE_REPLAY_TABLES)
        for record in records:
            _copy(cursor, statements[record.kind], [record.rows])
        cursor.execute(sql.REPLAYED_DAYS)
        ensure_days(database, {day for (day,) in cursor.fetchall()})
        cursor.execute(sql.REPLAY_QUARANTINE)
        cursor.execute(sql.REPLAY_RAW, {"segment": str(segment)})
        return Replayed(*one_row(cursor))
