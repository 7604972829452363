"""The two databases: `stats` with the rooms' tables and Dagster's own. Which servers, made ready, migrated.

Tables and their history belong to `migrations`, Dagster's to Dagster.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.run_record import read_record
from stats_assets.local.unprivileged import way_to_run
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line

_DAGSTER = "dagster"


@dataclass(frozen=True)
class Databases:
    """Connection strings of the data and of Dagster's storage; `private` is the server behind them when it is ours."""

    dsn: str
    dagster_dsn: str
    private: PrivatePostgres | None


def private_server(environment: Environment) -> PrivatePostgres | None:
    """Our own server, not started; None when both databases are on the user's. Raises ConfigurationMistake."""
    if environment.dsn is not None:
        return None
    binaries = find_binaries(environment.pg_bin)
    return placed(PrivatePostgres(environment.home / "pg", binaries, way_to_run()))


def open_databases(environment: Environment) -> Databases:
    """Both databases ready to connect to; starts the private server when there is no STATS_DSN.

    Raises ConfigurationMistake or SourceAway, one line.
    """
    server = private_server(environment)
    if server is not None:
        server.start()
        return Databases(server.dsn("stats"), environment.dagster_dsn or server.dsn(_DAGSTER), server)
    assert environment.dsn is not None
    dagster_dsn = environment.dagster_dsn or _dagster_beside(environment.dsn)
    return Databases(environment.dsn, dagster_dsn, None)


def running_databases(environment: Environment) -> Databases:
    """As `open_databases`, but a private server that is stopped stays so: SourceAway."""
    server = private_server(environment)
    if server is None:
        return open_databases(environment)
    if not server.is_running():
        raise SourceAway(f"the private PostgreSQL in {server.data} is stopped; ./stats up starts it")
    return Databases(server.dsn("stats"), environment.dagster_dsn or server.dsn(_DAGSTER), server)


@contextmanager
def using_databases(environment: Environment) -> Iterator[Databases]:
    """As `open_databases`; at the end the private server is stopped, unless a stack or another command needs it."""
    environment.home.mkdir(parents=True, exist_ok=True)
    with (environment.home / "pg.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        databases = open_databases(environment)
        try:
            yield databases
        finally:
            if databases.private is not None and _are_last(users) and not _serves_a_stack(environment):
                databases.private.stop()


def _are_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _serves_a_stack(environment: Environment) -> bool:
    record = read_record(environment.home)
    return record is not None and bool(record.living())


def _dagster_beside(dsn: str) -> str:
    """A database NAME_dagster on the same server, or a schema `dagster` where we may not create databases."""
    connection = _connect(dsn)
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), to_regnamespace(%s) IS NOT NULL", (_DAGSTER,))
        name, has_schema = cursor.fetchone()  # type: ignore[misc]  # a SELECT without FROM gives one row
        beside = f"{name}_dagster"
        if has_schema:
            return _in_schema(dsn)
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (beside,))
        if cursor.fetchone() is None:
            try:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(beside))
                )
            except psycopg2.errors.InsufficientPrivilege:
                return _with_schema_made(cursor, dsn)
        return make_dsn(dsn, dbname=beside)


def _with_schema_made(cursor: psycopg2.extensions.cursor, dsn: str) -> str:
    try:
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(_DAGSTER)))
    except psycopg2.errors.InsufficientPrivilege as error:
        raise ConfigurationMistake(
            "STATS_DSN: the role may create neither a database nor a schema for Dagster's own tables;"
            " grant CREATE on the database, or set STATS_DAGSTER_DSN"
        ) from error
    return _in_schema(dsn)


def _in_schema(dsn: str) -> str:
    options = parse_dsn(dsn).get("options", "")
    return make_dsn(dsn, options=f"{options} -csearch_path={_DAGSTER}".strip())


def _connect(dsn: str) -> psycopg2.extensions.connection:
    try:
        return psycopg2.connect(dsn, connect_timeout=10)
    except psycopg2.ProgrammingError as error:
        raise ConfigurationMistake(f"STATS_DSN is not a connection string: {first_line(error)}") from error
    except psycopg2.OperationalError as error:
        raise SourceAway(f"STATS_DSN: PostgreSQL does not answer: {first_line(error)}; see ./stats doctor") from error
