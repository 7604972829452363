"""What every test may ask for: a migrated database of its own, the reference data, programs to test with.

The process that controls the tests starts one throw-away PostgreSQL for all its workers (or takes the
server of STATS_TEST_DSN, whose role needs CREATEDB) and migrates a template once; each test clones it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock
from uuid import uuid4

import dagster as dg
import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from psycopg2 import sql
from sqlalchemy.engine import make_url

from stats_assets.local.needed_programs import (
    CADDY,
    CHROMIUM,
    NGINX,
    RABBITMQ,
    REDIS,
    RESTIC,
    RSYNC,
    SSHD,
    SYSTEMD_ANALYZE,
    NeededProgram,
)
from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.environment import PROJECT_FOLDER, read_environment
from stats_assets.shared.postgres import StatsDatabase

_ADMIN_DSN = "STATS_TEST_DSN"  # the workers of xdist inherit it
_TEMPLATE = "STATS_TEST_TEMPLATE"
# All other STATS_* variables are a developer's or an operator's own: no test may touch what they name.
_FOR_TESTS = {_ADMIN_DSN, _TEMPLATE, "STATS_PG_BIN", "STATS_REFERENCE_DATA", "STATS_CHROMIUM"}
_MISSING = "missing piece: "
# Handed out first, in this order: a file goes to one worker as a whole, and a long one that came last would be waited
# for by all others.
_LONGEST = (
    *("test_sandbox.py", "test_chaos.py", "test_celery.py", "test_up.py", "test_secrets.py", "test_restores.py"),
    *("test_crashes.py", "test_killing.py", "test_fuzz.py"),
)

# How long an example takes to be made says more about the machine than about us.
settings.register_profile("house", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_cluster = pytest.StashKey[PrivatePostgres]()


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith(("STATS_", "DAGSTER_")) and name not in _FOR_TESTS]:
        del os.environ[name]
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.option.collectonly or config.option.help or config.option.version:
        return
    if _ADMIN_DSN not in os.environ:
        config.stash[_cluster] = cluster = _throw_away_cluster()
        os.environ[_ADMIN_DSN] = cluster.dsn("postgres")
    template = os.environ[_TEMPLATE] = f"stats_template_{os.getpid()}"
    _statement("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", template)
    migrate(_dsn_of(template))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or _TEMPLATE not in os.environ:
        return
    template = os.environ.pop(_TEMPLATE)
    if cluster := config.stash.get(_cluster, None):
        cluster.discard()
        del os.environ[_ADMIN_DSN]
    else:
        _statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", template)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A test that did not run because something is not installed must not pass for one that did."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ").removeprefix(_MISSING)
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and _MISSING in report.longrepr[2]
    ]
    for reason in sorted(set(reasons)):
        terminalreporter.write_line(f"NOT TESTED ({reasons.count(reason)} tests): {reason}", red=True, bold=True)


@pytest.fixture
def database_dsn() -> Iterator[str]:
    """A database with the newest schema and no rows, dropped after the test."""
    with _migrated_database() as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database_dsn() -> Iterator[str]:
    """The same for all tests of a module."""
    with _migrated_database() as dsn:
        yield dsn


@pytest.fixture
def empty_database_dsn() -> Iterator[str]:
    """A database without any schema of ours, dropped after the test."""
    name = f"stats_test_{uuid4().hex[:12]}"
    _statement("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' STRATEGY FILE_COPY", name)
    yield _dsn_of(name)
    _statement("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def database(database_dsn: str) -> StatsDatabase:
    return StatsDatabase(dsn=database_dsn)


@pytest.fixture(scope="session")
def repository() -> dg.RepositoryDefinition:
    environ = {
        "STATS_DSN": "postgresql://nobody@/none",
        "STATS_CONFIG": str(PROJECT_FOLDER / "stats.yaml"),
        "STATS_SANDBOX_DIR": "/srv/sandbox",
        "STATS_SANDBOX_URL": "http://127.0.0.1:3001",
    }
    with mock.patch.dict(os.environ, environ):
        from stats_assets.definitions import stats_assets as build

        return build().get_repository_def()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of reference inputs with their true outputs, one subfolder per room. Not part of the repository."""
    given = os.environ.get("STATS_REFERENCE_DATA")
    if not given:
        pytest.skip(f"{_MISSING}set STATS_REFERENCE_DATA to the folder of reference inputs")
    folder = Path(given)
    if not folder.is_dir():
        pytest.fail(f"STATS_REFERENCE_DATA={given} is not a folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    return _program(CHROMIUM)


@pytest.fixture(scope="session")
def rsync() -> Path:
    return _program(RSYNC)


@pytest.fixture(scope="session")
def sshd() -> Path:
    return _program(SSHD)


@pytest.fixture(scope="session")
def rabbitmq() -> Path:
    return _program(RABBITMQ)


@pytest.fixture(scope="session")
def nginx() -> Path:
    return _program(NGINX)


@pytest.fixture(scope="session")
def caddy() -> Path:
    return _program(CADDY)


@pytest.fixture(scope="session")
def redis_server() -> Path:
    return _program(REDIS)


@pytest.fixture(scope="session")
def restic() -> Path:
    return _program(RESTIC)


@pytest.fixture(scope="session")
def systemd_analyze() -> Path:
    return _program(SYSTEMD_ANALYZE)


def _program(program: NeededProgram) -> Path:
    """Where it is. Where CI=true its absence is a failure, elsewhere a skip that is told at the end."""
    if found := program.find(os.environ):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(program.advice)
    pytest.skip(f"{_MISSING}{program.advice}")


@contextmanager
def _migrated_database() -> Iterator[str]:
    name = f"stats_test_{uuid4().hex[:12]}"
    # Files as they are: writing a copy to the WAL, as is usual, takes five times as long.
    _statement("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, os.environ[_TEMPLATE])
    yield _dsn_of(name)
    _statement("DROP DATABASE {} WITH (FORCE)", name)


def _throw_away_cluster() -> PrivatePostgres:
    # Not tmp_path: pytest's folders are closed to the user that runs the server when we are root.
    folder = Path(tempfile.mkdtemp(prefix="stats-test-"))
    binaries = find_binaries(read_environment(os.environ).pg_bin)
    cluster = placed(PrivatePostgres(folder, binaries, way_to_run(), durable=False))
    cluster.start()
    return cluster


def _dsn_of(database: str) -> str:
    """The DSN of another database on the test server."""
    return make_url(os.environ[_ADMIN_DSN]).set(database=database).render_as_string(hide_password=False)


def _statement(template: str, *identifiers: str) -> None:
    with closing(psycopg2.connect(os.environ[_ADMIN_DSN])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(template).format(*map(sql.Identifier, identifiers)))
