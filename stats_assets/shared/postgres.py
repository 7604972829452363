"""Connections, transactions and advisory locks on the data database. Tables and their SQL belong to the rooms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import URL, make_url

from stats_assets.shared.failures import ConfigurationMistake, SourceAway

SESSION_OPTIONS = "-c timezone=UTC -c client_encoding=UTF8 -c lock_timeout=600s"


class StatsDatabase(dg.ConfigurableResource):
    """The PostgreSQL database that holds every room's tables.

    `dsn` is a libpq connection string or URL; sessions speak UTC and UTF-8 whatever the server's defaults.
    """

    dsn: str

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor in one transaction of its own: committed when the block ends, rolled back when it raises."""
        connection = self._connect()
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg2.errors.UndefinedTable as error:
            raise ConfigurationMistake(
                f"{_first_line(error)}; the database has not been migrated: run ./stats migrate"
            ) from error
        finally:
            connection.close()

    def _connect(self) -> Connection:
        try:
            return psycopg2.connect(self.dsn, application_name="stats_assets", options=SESSION_OPTIONS)
        except psycopg2.OperationalError as error:
            raise SourceAway(
                f"PostgreSQL does not answer: {_first_line(error)}; check STATS_DSN with ./stats doctor"
            ) from error


def sqlalchemy_url(dsn: str) -> URL:
    """A libpq URL for SQLAlchemy: SQLAlchemy 2.1 takes a bare postgresql:// to mean psycopg 3, we mean psycopg2."""
    if "://" not in dsn:
        return URL.create("postgresql+psycopg2", query=parse_dsn(dsn))
    return make_url(dsn).set(drivername="postgresql+psycopg2")


def lock_slice(cursor: Cursor, table: str, slice_name: str) -> None:
    """Waits until no other transaction works on this slice of this table; released with the transaction.

    Two runs (a backfill and a schedule) may replace the same day at once: the second waits for the first.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{table}:{slice_name}",))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
