"""`./stats doctor`: looks at everything that has to be right, changes nothing, says what to do.

What a room's sources need is asked in `room_checks`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor

from stats_assets.configuration import StatsConfig
from stats_assets.local.databases import Databases, using_databases
from stats_assets.local.findings import Finding, note, ok, wrong
from stats_assets.local.migrating import check_configuration
from stats_assets.local.postgres_binaries import OLDEST_MAJOR
from stats_assets.local.room_checks import ROOM_CHECKS
from stats_assets.local.run_record import read_record
from stats_assets.local.services import SANDBOX
from stats_assets.local.stack import is_free
from stats_assets.local.surroundings import config_variables, uses_sandbox
from stats_assets.migrations import VERSION_TABLE, newest_revision
from stats_assets.shared.config import parse_config
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import OurMistake, SourceAway

_GB = 1 << 30
_LEAST_FREE_BYTES, _LITTLE_FREE_BYTES = 1 * _GB, 5 * _GB


def examine(environment: Environment, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    yield from _folders(environment)
    yield from _ports(environment)
    yield from _databases(environment)
    try:
        text = check_configuration(environment, config_variables(environment))
    except OurMistake as error:
        for line in str(error).splitlines():
            yield wrong(line)
        return
    yield ok(f"{environment.config_file} is right")
    variables = {**config_variables(environment), **environ}
    config = parse_config(text, StatsConfig, variables, str(environment.config_file))
    yield from _sources(environment, config, needs_sandbox=uses_sandbox(text))


def _folders(environment: Environment) -> Iterator[Finding]:
    place = next(path for path in (environment.home, *environment.home.parents) if path.exists())
    if not os.access(place, os.W_OK):
        yield wrong(f"{place} cannot be written to", "set STATS_HOME to a folder of yours")
    yield disk_space(place, shutil.disk_usage(place).free)


def disk_space(place: Path, free_bytes: int) -> Finding:
    """Less than 1 GB does not take a year of logs and their tables; under 5 GB is worth knowing."""
    told = f"{place}: {free_bytes / _GB:.1f} GB free"
    if free_bytes < _LEAST_FREE_BYTES:
        return wrong(told, "make room, or set STATS_HOME to another disk")
    return note(told, "little for years of logs") if free_bytes < _LITTLE_FREE_BYTES else ok(told)


def _ports(environment: Environment) -> Iterator[Finding]:
    record = read_record(environment.home)
    if record is not None and record.living():
        yield ok(f"the stack is running, its UI at {record.url}")
        return
    for port in (environment.port, environment.sandbox_port, environment.collector_port):
        if is_free(port):
            yield ok(f"port {port} is free")
        else:
            yield wrong(f"port {port} is taken by another program", f"choose another: STATS_PORT={port + 10}")


def _databases(environment: Environment) -> Iterator[Finding]:
    try:
        with using_databases(environment) as databases:
            server = databases.private
            if server is not None:
                yield ok(f"private PostgreSQL {server.binaries.version}: {server.binaries.folder} on {server.data}")
            yield from _data_database(databases)
    except (OurMistake, SourceAway) as error:
        yield wrong(str(error))


def _data_database(databases: Databases) -> Iterator[Finding]:
    connection = psycopg2.connect(databases.dsn, connect_timeout=10)
    try:
        with connection, connection.cursor() as cursor:
            yield from _server(cursor)
            yield _migrations(cursor)
    finally:
        connection.close()


def _server(cursor: Cursor) -> Iterator[Finding]:
    cursor.execute(
        "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version'),"
        " getdatabaseencoding(), current_setting('timezone'), current_user, current_database(),"
        " has_database_privilege(current_database(), 'CREATE'),"
        # The table of migrations is in public, where only the database's owner may create since PostgreSQL 15.
        " has_schema_privilege('public', 'CREATE')"
    )
    row = cursor.fetchone()
    assert row is not None, "a SELECT without FROM gives one row"
    major, version, encoding, zone, user, database, may_create, may_use_public = row
    if major < OLDEST_MAJOR:
        yield wrong(f"PostgreSQL {version}", f"{OLDEST_MAJOR} or newer is needed")
    else:
        yield ok(f"PostgreSQL {version}, database {database}")
    if encoding != "UTF8":
        yield wrong(f"database {database} has encoding {encoding}", "make one with ENCODING 'UTF8' TEMPLATE template0")
    if not may_create:
        advice = f'GRANT CREATE ON DATABASE "{database}" TO "{user}"'
        yield wrong(f"the role {user} may not create schemas in {database}", advice)
    if not may_use_public:
        yield wrong(
            f"the role {user} may not create tables in schema public", f'GRANT CREATE ON SCHEMA public TO "{user}"'
        )
    if zone not in ("UTC", "Etc/UTC"):
        yield note(f"the server's time zone is {zone}", "harmless: our sessions set UTC; your own psql may show others")


def _migrations(cursor: Cursor) -> Finding:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.{VERSION_TABLE}",))
    if cursor.fetchone() == (False,):
        return note("the database has no tables of ours yet", "./stats up or ./stats migrate makes them")
    cursor.execute("SELECT version_num FROM public.stats_migration")
    found = [revision for (revision,) in cursor.fetchall()]
    newest = newest_revision()
    if found == [newest]:
        return ok(f"tables are at revision {newest}")
    if found and found[0] > newest:
        return wrong(f"tables are at revision {found[0]}, newer than this code ({newest})", "update the code")
    return note(f"tables are at revision {', '.join(found) or 'none'}, this code has {newest}", "run ./stats migrate")


def _sources(environment: Environment, config: StatsConfig, needs_sandbox: bool) -> Iterator[Finding]:
    record = read_record(environment.home)
    if needs_sandbox and (record is None or SANDBOX not in record.living()):
        yield note("stats.yaml names sandbox sources, which are not running", "./stats up starts them")
        return
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for check in ROOM_CHECKS:
        yield from check(config, yesterday)
