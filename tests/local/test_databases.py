"""Which databases are used, and what stops a migration, on a real server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from alembic.script import ScriptDirectory
from dagster_postgres.run_storage import run_storage
from dagster_postgres.utils import pg_alembic_config
from psycopg2.extensions import make_dsn, parse_dsn

from stats_assets import migrations
from stats_assets.local.databases import open_databases
from stats_assets.local.doctor import disk_space, examine
from stats_assets.local.migrating import migrate_dagster
from stats_assets.local.surroundings import environ_for, for_sqlalchemy
from stats_assets.local.tools import libpq_variables
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

GB = 1 << 30


def environment(home: Path, dsn: str | None, dagster_dsn: str | None = None) -> Environment:
    return Environment(home, home / "stats.yaml", 3000, dsn, dagster_dsn, None)


def execute(dsn: str, statement: str) -> list[tuple]:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def poor_role(empty_database_dsn: str):
    """A role that may create schemas in its database but no databases; its connection string."""
    name = f"poor_{uuid4().hex[:8]}"
    database = parse_dsn(empty_database_dsn)["dbname"]
    execute(empty_database_dsn, f'CREATE ROLE {name} LOGIN; GRANT CREATE ON DATABASE "{database}" TO {name}')
    yield make_dsn(empty_database_dsn, user=name)
    execute(empty_database_dsn, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def test_dagster_gets_a_database_of_its_own_beside_the_data(tmp_path, empty_database_dsn):
    databases = open_databases(environment(tmp_path, empty_database_dsn))
    name = parse_dsn(empty_database_dsn)["dbname"]
    try:
        assert execute(databases.dagster_dsn, "SELECT current_database()") == [(f"{name}_dagster",)]
        assert open_databases(environment(tmp_path, empty_database_dsn)) == databases
    finally:
        execute(empty_database_dsn, f'DROP DATABASE "{name}_dagster"')


def test_dagster_gets_a_schema_where_the_role_may_not_create_databases(tmp_path, poor_role):
    databases = open_databases(environment(tmp_path, poor_role))
    execute(databases.dagster_dsn, "CREATE TABLE runs ()")
    assert execute(poor_role, "SELECT to_regclass('dagster.runs') IS NOT NULL") == [(True,)]
    assert open_databases(environment(tmp_path, poor_role)) == databases


def test_a_dagster_dsn_that_is_given_is_taken_as_it_is(tmp_path, empty_database_dsn):
    databases = open_databases(environment(tmp_path, empty_database_dsn, "postgresql://elsewhere/dagster"))
    assert databases.dagster_dsn == "postgresql://elsewhere/dagster"


def test_with_a_dsn_nothing_private_is_started(tmp_path, empty_database_dsn):
    assert open_databases(environment(tmp_path, empty_database_dsn, "postgresql://x/y")).private is None
    assert not (tmp_path / "pg").exists()


def test_a_server_that_does_not_answer_is_one_line_that_names_the_variable(tmp_path):
    with pytest.raises(SourceAway, match=r"STATS_DSN: PostgreSQL does not answer: .*refused") as caught:
        open_databases(environment(tmp_path, "postgresql://x@127.0.0.1:1/stats"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgresql://a@/b?host=/c", "postgresql+psycopg2://a@/b?host=/c"),
        ("postgres://a:p@h/b", "postgresql+psycopg2://a:p@h/b"),
        ("postgresql+psycopg2://a@/b", "postgresql+psycopg2://a@/b"),
    ],
)
def test_dagster_is_told_the_driver(given, wanted):
    assert for_sqlalchemy(given) == wanted


def test_a_password_reaches_psql_by_variables_only():
    assert libpq_variables("postgresql://u:secret@db.example/stats?sslmode=require") == {
        "PGUSER": "u",
        "PGPASSWORD": "secret",
        "PGHOST": "db.example",
        "PGDATABASE": "stats",
        "PGSSLMODE": "require",
    }


def test_processes_of_the_stack_find_absolute_paths_and_both_databases(tmp_path, empty_database_dsn):
    here = environment(tmp_path, empty_database_dsn, "postgresql://x/y")
    environ = environ_for(here, open_databases(here), {"PATH": "/bin"})
    assert environ["STATS_DSN"] == empty_database_dsn
    assert environ["STATS_DAGSTER_DSN"] == "postgresql+psycopg2://x/y"
    assert environ["STATS_SANDBOX_URL"] == "http://127.0.0.1:3001"
    assert Path(environ["DAGSTER_HOME"]).is_absolute()
    assert environ["PATH"] == "/bin"


def test_a_database_newer_than_the_code_is_refused_and_left_as_it_is(database_dsn):
    execute(database_dsn, "UPDATE stats_migration SET version_num = '9999'")
    with pytest.raises(ConfigurationMistake, match=r"revision 9999, .* migrated by a newer version; update the code"):
        migrations.migrate(database_dsn)
    assert execute(database_dsn, "SELECT version_num FROM stats_migration") == [("9999",)]


def test_a_migration_that_breaks_half_way_leaves_nothing(empty_database_dsn):
    # The last table of the first revision is already there, so that its script fails near its end.
    execute(empty_database_dsn, "CREATE SCHEMA countme")
    with pytest.raises(Exception, match='schema "countme" already exists'):
        migrations.migrate(empty_database_dsn)
    assert execute(
        empty_database_dsn, "SELECT to_regnamespace('log_sync')::text, to_regclass('stats_migration')::text"
    ) == [(None, None)]


def test_migrating_twice_changes_nothing(empty_database_dsn):
    newest = migrations.newest_revision()
    assert migrations.migrate(empty_database_dsn) == (None, newest)
    assert migrations.migrate(empty_database_dsn) == (newest, newest)


def lines_of(tmp_path: Path, dsn: str) -> list[str]:
    (tmp_path / "stats.yaml").write_text("{}\n")
    here = environment(tmp_path, dsn, "postgresql://x/y")
    return [finding.line() for finding in examine(here, {})]


def test_the_doctor_finds_a_migrated_database_in_order(tmp_path, database_dsn):
    assert f"ok    tables are at revision {migrations.newest_revision()}" in lines_of(tmp_path, database_dsn)


def test_the_doctor_says_how_to_migrate(tmp_path, empty_database_dsn):
    assert any("./stats migrate makes them" in line for line in lines_of(tmp_path, empty_database_dsn))


def test_the_doctor_says_which_right_is_missing(tmp_path, empty_database_dsn, poor_role):
    role, database = parse_dsn(poor_role)["user"], parse_dsn(poor_role)["dbname"]
    execute(empty_database_dsn, f'REVOKE CREATE ON DATABASE "{database}" FROM {role}')
    assert any(f'GRANT CREATE ON DATABASE "{database}" TO "{role}"' in line for line in lines_of(tmp_path, poor_role))


def test_the_doctor_says_that_the_role_may_not_use_the_public_schema(tmp_path, poor_role):
    assert any("GRANT CREATE ON SCHEMA public TO" in line for line in lines_of(tmp_path, poor_role))


def test_the_doctor_tells_a_newer_database(tmp_path, database_dsn):
    execute(database_dsn, "UPDATE stats_migration SET version_num = '9999'")
    assert any(line.startswith("wrong") and "9999" in line for line in lines_of(tmp_path, database_dsn))


def test_the_doctor_names_file_and_line_of_a_wrong_setting(tmp_path, database_dsn):
    here = environment(tmp_path, database_dsn, "postgresql://x/y")
    (tmp_path / "stats.yaml").write_text("countme:\n  first_day: soon\n")
    found = [finding.line() for finding in examine(here, {}) if finding.state == "wrong"]
    assert any(f"{tmp_path}/stats.yaml:2: countme.first_day" in line for line in found)


def test_a_disk_that_is_nearly_full_is_wrong_and_a_small_one_worth_a_note():
    place = Path("/srv")
    assert [disk_space(place, free).state for free in (GB // 2, 3 * GB, 50 * GB)] == ["wrong", "note", "ok"]


def test_dagster_s_own_tables_are_brought_to_the_installed_version(tmp_path, empty_database_dsn, monkeypatch):
    (tmp_path / "dagster.yaml").write_text("storage: {postgres: {postgres_url: {env: OLD_INSTANCE_DSN}}}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("OLD_INSTANCE_DSN", for_sqlalchemy(empty_database_dsn))
    migrate_dagster()
    scripts = ScriptDirectory.from_config(pg_alembic_config(run_storage.__file__))
    newest = scripts.get_current_head()
    assert newest is not None
    before = scripts.get_revision(newest).down_revision
    with psycopg2.connect(empty_database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = %s", (before,))
    migrate_dagster()
    with psycopg2.connect(empty_database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM alembic_version")
        assert cursor.fetchall() == [(newest,)]
