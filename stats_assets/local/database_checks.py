"""What `doctor` asks of the data database: version, rights, clock, tables, the watcher's account, backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg2
from psycopg2.extensions import cursor as Cursor

from stats_assets.configuration import StatsConfig
from stats_assets.local import running_checks
from stats_assets.local.findings import Finding, note, ok, wrong
from stats_assets.local.postgres_binaries import OLDEST_MAJOR
from stats_assets.migrations import VERSION_TABLE, newest_revision
from stats_assets.room_policies import room_policies
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import effective
from stats_assets.table_partitions.maintenance import Maintenance

# Schedules, day boundaries and the order of what is written rest on machines that agree; a query takes some of it.
_WORTH_KNOWING_SECONDS, _WRONG_SECONDS = 2.0, 30.0
_BACKUP_AGE = timedelta(days=3)


def questions(dsn: str, config: StatsConfig | None) -> Iterator[Finding]:
    """Every finding; without a configuration only those that need none."""
    connection = psycopg2.connect(dsn, connect_timeout=10)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield from _server(cursor)
            yield _clock(cursor)
            migrations = _migrations(cursor)
            yield migrations
            if config is not None and migrations.state == "ok":
                yield from _rights(cursor)
                yield from running_checks.watcher(cursor, config.notifications, datetime.now(UTC))
                yield from _ahead(dsn, config)
                yield from _backups(cursor)
    finally:
        connection.close()


def _clock(cursor: Cursor) -> Finding:
    before = datetime.now(UTC)
    cursor.execute("SELECT clock_timestamp()")
    (theirs,) = cursor.fetchone() or (before,)
    return clock_skew((theirs - (before + (datetime.now(UTC) - before) / 2)).total_seconds())


def clock_skew(seconds: float) -> Finding:
    """The database's clock less ours."""
    if abs(seconds) < _WORTH_KNOWING_SECONDS:
        return ok("this machine's clock and the database's agree")
    told = f"the database's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    advice = "let both follow a time server (chrony, systemd-timesyncd)"
    return wrong(told, advice) if abs(seconds) >= _WRONG_SECONDS else note(told, advice)


def _rights(cursor: Cursor) -> Iterator[Finding]:
    """Tables of ours we may not write."""
    cursor.execute(
        "SELECT coalesce(string_agg(n.nspname || '.' || c.relname, ', ' ORDER BY n.nspname, c.relname), ''), count(*)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%(schemas)s)"
        " AND NOT has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')",
        {"schemas": list(StatsConfig.model_fields)},
    )
    named, count = cursor.fetchone() or ("", 0)
    if count:
        advice = "give the tables to the role that runs the pipelines, or grant it all on them"
        yield wrong(f"{count} tables may not be written: {named:.200}", advice)


def _ahead(dsn: str, config: StatsConfig) -> Iterator[Finding]:
    policies = effective(room_policies(config), config.table_partitions)
    keeping = Maintenance(StatsDatabase(dsn), Archive(config.archive), policies, config.table_partitions)
    plan = keeping.planned().plan
    missing = [step for step in plan.steps if step.kind == "create"]
    refused = [refusal for refusal in plan.refusals if refusal.is_wrong]
    for refusal in refused:
        yield wrong(f"partitioned tables: {refusal}", "./stats partitions plan tells more")
    if missing:
        first = f"{missing[0].table} from {missing[0].lower}"
        advice = "the schedule table_partitions_hourly makes them; now: ./stats partitions apply"
        yield note(f"{len(missing)} table partitions are missing ahead, the first of {first}", advice)
    elif not refused:
        yield ok(f"{len(policies)} partitioned tables have their table partitions ahead")


def _backups(cursor: Cursor) -> Iterator[Finding]:
    """Nothing where no backups are made by us: the table is the room's."""
    cursor.execute("SELECT to_regclass('backups.base_backup') IS NOT NULL")
    if cursor.fetchone() != (True,):
        return
    cursor.execute("SELECT max(began_at) FROM backups.base_backup WHERE removed_at IS NULL")
    (newest,) = cursor.fetchone() or (None,)
    yield backup_age(newest, datetime.now(UTC))


def backup_age(newest: datetime | None, now: datetime) -> Finding:
    """How the newest verified backup stands."""
    if newest is None:
        return note("there is no backup", "materialize backups/base_backup, and turn its schedule on")
    told = f"the newest backup is of {newest.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if now - newest > _BACKUP_AGE:
        return wrong(told, "materialize backups/base_backup; is its schedule on?")
    return ok(told)


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
