"""Connections to Dagster's own database. What is done there is in `pruning` and `sizes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg2
from dagster_postgres.run_storage import PostgresRunStorage

from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line
from stats_assets.shared.postgres import Cursor


@contextmanager
def transaction(instance: dg.DagsterInstance) -> Iterator[Cursor]:
    """A cursor in a transaction of its own, in UTC; options of the connection string, as a search path, hold.

    Raises ConfigurationMistake for an instance that is not on PostgreSQL, SourceAway when it does not answer.
    """
    storage = instance.run_storage
    if not isinstance(storage, PostgresRunStorage):
        raise ConfigurationMistake("upkeep: Dagster's storage is not PostgreSQL; see `storage` in dagster.yaml")
    try:
        connection = psycopg2.connect(
            re.sub(r"^postgresql\+\w+://", "postgresql://", storage.postgres_url), application_name="stats_assets"
        )
    except psycopg2.OperationalError as error:
        raise SourceAway(f"upkeep: Dagster's database does not answer: {first_line(error)}") from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL timezone = 'UTC'; SET LOCAL lock_timeout = '60s'")
            yield cursor
    finally:
        connection.close()
