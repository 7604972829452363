"""Connections, transactions and advisory locks on the data database. Tables and their SQL belong to the rooms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line

SESSION_OPTIONS = "-c timezone=UTC -c client_encoding=UTF8 -c lock_timeout=600s"


@dataclass(frozen=True)
class StatsDatabase:
    """The PostgreSQL database that holds every room's tables.

    `dsn` is a libpq connection string or URL; sessions speak UTC and UTF-8 whatever the server's defaults.
    """

    dsn: str = field(repr=False)  # may hold a password

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor in one transaction of its own: committed when the block ends, rolled back when it raises."""
        connection = self._connect()
        try:
            with _told_when_not_migrated(), connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that stays open for many small transactions: each statement is one of its own (autocommit)."""
        connection = self._connect()
        try:
            connection.autocommit = True
            with _told_when_not_migrated():
                yield connection
        finally:
            connection.close()

    @contextmanager
    def session(self) -> Iterator[Cursor]:
        """A cursor whose statements each commit on their own, for what no transaction may hold, such as
        DETACH CONCURRENTLY, and for locks of the session."""
        with self.connection() as connection, connection.cursor() as cursor:
            yield cursor
            # A server under load notices only later that a session has ended; one that is gone holds none.
            with suppress(psycopg2.Error):
                cursor.execute("SELECT pg_advisory_unlock_all()")

    def _connect(self) -> Connection:
        try:
            return psycopg2.connect(self.dsn, application_name="stats_assets", options=SESSION_OPTIONS)
        except psycopg2.OperationalError as error:
            raise SourceAway(
                f"PostgreSQL does not answer: {first_line(error)}; check STATS_DSN with ./stats doctor"
            ) from error


@contextmanager
def _told_when_not_migrated() -> Iterator[None]:
    try:
        yield
    except psycopg2.errors.UndefinedTable as error:
        raise ConfigurationMistake(
            f"{first_line(error)}; the database has not been migrated: run ./stats migrate"
        ) from error


def plan_for_bulk(cursor: Cursor) -> None:
    """Lets this transaction's statements over freshly loaded rows be planned as what they are: large.

    The planner knows nothing yet of rows that were just loaded, expects a handful, and joins them row by row
    (seen: 1.3 s for 4,000 rows instead of 0.01). Hashing is right for every join of a bulk statement.
    """
    cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'")


def one_row(cursor: Cursor) -> tuple[Any, ...]:
    """The row of a statement that always gives one: a count, a RETURNING."""
    row = cursor.fetchone()
    assert row is not None, "the statement gave no row"
    return row


def try_lock(cursor: Cursor, name: str) -> bool:
    """Whether this session now holds the lock of that name, which it then does until it ends; never waits."""
    cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,))
    return bool(one_row(cursor)[0])


def lock_slice(cursor: Cursor, table: str, slice_name: str) -> None:
    """Waits until no other transaction works on this slice of this table; released with the transaction.

    Two runs (a backfill and a schedule) may replace the same day at once: the second waits for the first.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{table}:{slice_name}",))
