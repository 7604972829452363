"""The roles beside the owner, tried out on a real server: what each may, and what it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from stats_assets.local.roles import DAGSTER, LOADER, READER, Found, data_statements, give_roles

REFUSED = psycopg2.errors.InsufficientPrivilege


def run(dsn: str, statement: str, role: str | None = None) -> list[tuple]:
    """As the owner who becomes `role`: rights are those of the role."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        if role is not None:
            cursor.execute(f"SET ROLE {role}")
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def dsn(database_dsn: str, empty_database_dsn: str) -> Iterator[str]:
    run(empty_database_dsn, "CREATE TABLE runs (id serial, body text); CREATE TABLE other (n int)")
    give_roles(database_dsn, empty_database_dsn, dry_run=False)
    yield database_dsn
    for where in (database_dsn, empty_database_dsn):  # roles are the server's, and other tests are to find none
        for role in (LOADER, READER, DAGSTER):
            run(where, f"DROP OWNED BY {role}")
    for role in (LOADER, READER, DAGSTER):
        run(database_dsn, f"DROP ROLE IF EXISTS {role}")


def test_each_role_may_what_it_is_for_and_is_refused_the_rest(dsn: str, empty_database_dsn: str):
    day = "INSERT INTO backups.restore_drill (week, backup_name, began_at, ended_at, is_good) VALUES"
    run(dsn, f"{day} ('2026-01-05', 'b', now(), now(), true)", LOADER)
    assert run(dsn, "SELECT backup_name FROM backups.restore_drill", READER) == [("b",)]
    # Table partitions made later: the loader fills them, the reader reads them through their table.
    leaf = "countme.raw_hits_20260105 PARTITION OF countme.raw_hits FOR VALUES FROM ('2026-01-05') TO ('2026-01-12')"
    run(dsn, f"CREATE TABLE {leaf}")
    run(dsn, "DELETE FROM countme.raw_hits_20260105", LOADER)
    assert run(dsn, "SELECT count(*) FROM countme.raw_hits", READER) == [(0,)]
    run(dsn, "CREATE TABLE backups.later (n int)")
    assert run(dsn, "SELECT count(*) FROM backups.later", READER) == [(0,)]

    private = "crashes.reports_private_1 PARTITION OF crashes.reports_private"
    run(dsn, f"CREATE TABLE {private} FOR VALUES FROM ('2026-01-05') TO ('2026-01-12')")
    run(dsn, "CREATE TABLE attic.detached (n int)")
    assert run(dsn, "SELECT count(*) FROM notifications.incidents", READER) == [(0,)]
    refusals = {
        READER: [
            "DELETE FROM backups.restore_drill",
            f"{day} ('2026-01-05', 'b', now(), now(), true)",
            "SELECT * FROM countme.week_keys",
            "SELECT * FROM countme.addresses",
            "SELECT * FROM crashes.reports_private",
            "SELECT * FROM crashes.reports_private_1",
            "SELECT * FROM events.raw_events",
            "SELECT * FROM events.quarantine",
            "SELECT * FROM notifications.messages",
            "SELECT * FROM attic.detached",
            "CREATE TABLE backups.mine (n int)",
            "CREATE TEMPORARY TABLE mine (n int)",
        ],
        LOADER: [
            "DROP TABLE backups.restore_drill",
            "TRUNCATE backups.restore_drill",
            "ALTER TABLE backups.restore_drill ADD COLUMN mine int",
            "CREATE TABLE backups.mine (n int)",
            "CREATE SCHEMA mine",
            "DROP SCHEMA backups",
            "SELECT * FROM attic.detached",
        ],
        DAGSTER: ["SELECT * FROM backups.restore_drill", "SELECT * FROM countme.raw_hits"],
    }
    for role, statements in refusals.items():
        for statement in statements:
            with pytest.raises(REFUSED):
                run(dsn, statement, role)
    run(empty_database_dsn, "INSERT INTO runs (body) VALUES ('x'); UPDATE runs SET body = 'y'", DAGSTER)
    with pytest.raises(REFUSED):
        run(empty_database_dsn, "DROP TABLE runs", DAGSTER)
    with pytest.raises(REFUSED):
        run(empty_database_dsn, "SELECT * FROM runs", READER)


def test_hits_tell_the_reader_keys_where_the_owner_sees_addresses(dsn: str):
    run(
        dsn,
        """
        CREATE TABLE countme.raw_hits_1 PARTITION OF countme.raw_hits FOR VALUES FROM ('2026-01-05') TO ('2026-01-12');
        INSERT INTO countme.sources (source_id, site, day, host, sha256, policy, lines, hits)
            OVERRIDING SYSTEM VALUE VALUES (1, 'site', '2026-01-06', 'web1', '', 'strict', 1, 1);
        INSERT INTO countme.clients
            OVERRIDING SYSTEM VALUE VALUES (1, '', '', '', '', '', '', '\\x00');
        INSERT INTO countme.raw_hits VALUES ('2026-01-06', 255, 0, 1, 1, 1);
        INSERT INTO countme.addresses VALUES (1, 255, '192.0.2.1')""",
    )
    assert run(dsn, "SELECT host FROM countme.hits") == [("192.0.2.1",)]
    assert run(dsn, "SELECT host FROM countme.hits", READER) == [("ff",)]


def test_rights_that_were_given_before_something_became_private_are_taken_back(dsn: str, empty_database_dsn: str):
    future = f"ALTER DEFAULT PRIVILEGES IN SCHEMA events GRANT SELECT ON TABLES TO {READER}"
    run(dsn, f"GRANT USAGE ON SCHEMA attic TO {READER}; GRANT SELECT ON events.raw_events TO {READER}; {future}")
    give_roles(dsn, empty_database_dsn, dry_run=False)
    day = "events.raw_events_1 PARTITION OF events.raw_events FOR VALUES FROM ('2026-01-05') TO ('2026-01-06')"
    run(dsn, f"CREATE TABLE {day}; CREATE TABLE attic.detached (n int)")
    for table in ("events.raw_events", "events.raw_events_1", "attic.detached"):
        with pytest.raises(REFUSED):
            run(dsn, f"SELECT * FROM {table}", READER)


def test_a_second_time_changes_nothing_and_a_dry_run_shows_what_it_would_do(dsn: str, empty_database_dsn: str):
    rights = "SELECT relname, relacl::text FROM pg_class WHERE relacl IS NOT NULL ORDER BY 1, 2"
    before = run(dsn, rights)
    shown = give_roles(dsn, empty_database_dsn, dry_run=True)
    assert not any("CREATE ROLE" in statement for statement in shown)  # they are there
    assert give_roles(dsn, empty_database_dsn, dry_run=False) == shown
    assert run(dsn, rights) == before
    name = make_url(dsn).database
    assert f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC' in shown


def test_names_are_quoted_whatever_they_are():
    found = Found('st"ats', "own er", frozenset({LOADER}), ("a.b",))
    statements = list(data_statements(found))
    assert statements[0] == 'CREATE ROLE "stats_reader" LOGIN'
    assert 'GRANT CONNECT ON DATABASE "st""ats" TO "stats_reader"' in statements
    assert any('FOR ROLE "own er" IN SCHEMA "a.b"' in statement for statement in statements)
