"""kill -9 of the worker and of PostgreSQL at every point of the whole upkeep; no row is lost, the next run goes on."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from tests.killable import ended, started
from tests.table_partitions import crashing
from tests.table_partitions.made_up import at, policy

# Two dozen crashes and recoveries; a busy machine needs minutes for them.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOW = at("2026-05-20 12:00")
KEEP = {"retention": "14 days", "ahead": 1, "confirm": True}
POLICIES = [
    policy(table="s.archived", action="archive", **KEEP),
    policy(table="s.beside", action="detach", **KEEP),
]
MAKE = """
DROP SCHEMA IF EXISTS s, attic CASCADE; CREATE SCHEMA s; CREATE SCHEMA attic;
TRUNCATE table_partitions.events, table_partitions.attic, table_partitions.archives;
CREATE TABLE s.archived (id int, ts timestamptz NOT NULL, note text) PARTITION BY RANGE (ts);
CREATE TABLE s.beside (LIKE s.archived) PARTITION BY RANGE (ts);
CREATE TABLE s.archived_old PARTITION OF s.archived FOR VALUES FROM ('2026-04-27') TO ('2026-05-04');
CREATE TABLE s.beside_old PARTITION OF s.beside FOR VALUES FROM ('2026-04-27') TO ('2026-05-04');
CREATE TABLE s.archived_now PARTITION OF s.archived FOR VALUES FROM ('2026-05-18') TO ('2026-05-25');
CREATE TABLE s.beside_default PARTITION OF s.beside DEFAULT;
INSERT INTO s.archived SELECT n, '2026-04-28'::timestamptz + n * interval '1 s', 'n' || n
    FROM generate_series(1, 500) n;
INSERT INTO s.beside SELECT * FROM s.archived UNION ALL SELECT n, '2026-05-19', 'd' FROM generate_series(1, 90) n;
INSERT INTO s.archived SELECT n, '2026-05-19', 'd' FROM generate_series(501, 590) n;
"""
TABLES_AT_THE_END = ["archived_20260525", "archived_now", "beside_20260518", "beside_20260525", "beside_default"]

Rows = list[tuple[Any, ...]]


@dataclass
class Place:
    """A server of this file's own, which may be killed, and a folder for archives."""

    cluster: PrivatePostgres
    folder: Path

    @property
    def dsn(self) -> str:
        return self.cluster.dsn("stats")

    def begin(self) -> Path:
        """The tables as they are before anything is done; gives a new archive."""
        self.query(MAKE)
        return Path(tempfile.mkdtemp(dir=self.folder))

    def started(self, archive: Path, victim: str) -> BaseProcess:
        arguments = (self.dsn, str(archive), NOW, victim, POLICIES, archive / "points")
        return started(crashing.main, *arguments)

    def query(self, statement: str) -> Rows:
        with closing(psycopg2.connect(self.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return self.query("SELECT 1") == [(1,)]
        except psycopg2.Error:
            return False

    def everywhere(self, archive: Path) -> dict[str, Rows]:
        """Every row of each table, wherever it is now: attached, half or wholly detached, in the attic, in a file."""
        tables = self.query(
            """SELECT c.oid::regclass::text, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('s', 'attic') AND c.relkind = 'r'"""
        )
        found = {}
        for parent in ("archived", "beside"):
            places = [place for place, name in tables if name.startswith(parent)]
            found[parent] = self.query(" UNION ALL ".join(f"SELECT id, note FROM {place}" for place in places))
        found["archived"] += self.archived(archive)
        return {parent: sorted(rows) for parent, rows in found.items()}

    def archived(self, archive: Path) -> Rows:
        """The rows of the files that the archive's books know."""
        files = self.query("SELECT file_name FROM table_partitions.archives")
        tables = [pq.read_table(archive / name, columns=["id", "note"]) for (name,) in files]
        return [(row["id"], row["note"]) for table in tables for row in table.to_pylist()]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="stats-crash-"))
    cluster = placed(PrivatePostgres(folder / "pg", find_binaries(None), way_to_run(), durable=False))
    cluster.start()
    migrate(cluster.dsn("stats"))
    yield Place(cluster, folder)
    cluster.discard()
    shutil.rmtree(folder)


def assert_complete(place: Place, archive: Path, expected: dict[str, Rows]) -> None:
    """As if nothing had happened: every row is somewhere, and once; every table where it belongs."""
    assert place.everywhere(archive) == expected
    assert len(place.archived(archive)) == 500
    assert place.query("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(0,)]
    tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind = 'r' ORDER BY 1"
    assert [name for (name,) in place.query(tables)] == TABLES_AT_THE_END
    assert place.query("SELECT state FROM table_partitions.attic ORDER BY 1") == [("dropped",), ("kept",)]


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_killed_at_every_point_in_turn_each_run_goes_on_where_the_last_was_killed(place: Place, victim: str):
    archive = place.begin()
    expected = place.everywhere(archive)
    exit_code = None
    while exit_code != 0:
        exit_code = ended(place.started(archive, victim))
        place.wait_until(place.answers)
        last = (archive / "points").read_text().splitlines()[-1]
        assert exit_code in (0, -signal.SIGKILL if victim == "worker" else 1), last
        # A row may be in its table and in a file by now. It must not be nowhere.
        assert {t: sorted(set(rows)) for t, rows in place.everywhere(archive).items()} == expected, last
    assert_complete(place, archive, expected)
    points = [point.rsplit(" ", 1)[0] for point in (archive / "points").read_text().splitlines()]
    for kind in ("create", "drain", "detach", "shelve", "drop"):
        assert {f"inside {kind}", f"after {kind}"} <= set(points)
    assert {"intended detach", "file", "manifest"} < set(points)


def test_a_kill_while_a_detach_waits_for_a_reader_loses_no_row(place: Place):
    archive = place.begin()
    expected = place.everywhere(archive)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY' AND wait_event_type = 'Lock'"
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'stats_assets partitions%'"
    with closing(psycopg2.connect(place.dsn)) as reader:
        reader.cursor().execute("SELECT count(*) FROM s.archived")
        process = place.started(archive, "nobody")
        place.wait_until(lambda: place.query(waiting) == [(1,)])
        process.kill()
        process.join()
        place.wait_until(lambda: place.query(ours) == [(0,)])  # the server has noticed that nobody waits any more
        assert place.query("SELECT inhdetachpending FROM pg_inherits WHERE inhdetachpending") == [(True,)]
    crashing.maintain(place.dsn, str(archive), NOW, POLICIES)
    assert_complete(place, archive, expected)
