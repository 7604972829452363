"""kill -9 of the worker and of PostgreSQL at every point of a whole plan; the next run completes it, no row is lost."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pyarrow.parquet as pq
import pytest

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance
from stats_assets.table_partitions.steps import CREATING, RETIRING
from tests.table_partitions import crashing
from tests.table_partitions.made_up import at, policy

# Two dozen crashes, recoveries and further runs each; a busy machine needs minutes for them.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Ready with everything imported: a process starts in milliseconds, and none inherits our connections.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.table_partitions.crashing", "pyarrow.csv", "pyarrow.parquet"])

NOW = at("2026-05-20 12:00")
KEEP = {"retention": "14 days", "ahead": 1, "confirm": True}
POLICIES = [
    policy(table="s.archived", action="archive", **KEEP),
    policy(table="s.beside", action="drop", **KEEP),
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
"""


@dataclass
class Place:
    """A server of this file's own, which may be killed, and a folder for archives."""

    cluster: PrivatePostgres
    folder: Path
    exit_code: int | None = None

    @property
    def dsn(self) -> str:
        return self.cluster.dsn("stats")

    def begin(self) -> Path:
        with closing(psycopg2.connect(self.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(MAKE)
        return Path(tempfile.mkdtemp(dir=self.folder))

    def run(self, archive: Path, stop_at: int, victim: str) -> list[str]:
        """The points it passed."""
        log = archive / "points"
        arguments = (self.dsn, str(archive), NOW, stop_at, victim, POLICIES, log)
        process = PROCESSES.Process(target=crashing.main, args=arguments)
        process.start()
        process.join()
        self.exit_code = process.exitcode
        return log.read_text().splitlines()

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
                    return cursor.execute("SELECT 1")
            except psycopg2.Error:
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def complete(self, archive: Path) -> None:
        """Further runs, until there is nothing left to do but to wait for the attic."""
        config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=20)
        maintenance = Maintenance(
            StatsDatabase(self.dsn), Archive(str(archive)), POLICIES, config, lambda: NOW, trusts_clock=True
        )
        for _ in range(8):
            try:
                plan = maintenance.planned().plan
                if not plan.steps:
                    return
                maintenance.carry_out(plan.only((CREATING | RETIRING) - {"drop"}), "completing")
            except SourceAway:
                continue
            if all(step.kind == "drop" for step in plan.steps):
                return
        raise AssertionError(f"not complete after eight runs: {list(map(str, maintenance.planned().plan.steps))}")

    def everywhere(self, archive: Path) -> dict[str, list[tuple[int, str]]]:
        """Every row of every table, once, wherever it is now: attached, in the attic, or only in a file."""
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, attic_name, partition_name FROM table_partitions.attic WHERE state = 'kept'"
            )
            attic = cursor.fetchall()
            rows = {}
            for table in ("s.archived", "s.beside"):
                places = [table, *(f'attic."{name}"' for owner, name, _ in attic if owner == table)]
                cursor.execute(" UNION ALL ".join(f"SELECT id, note FROM {place}" for place in places))
                rows[table] = sorted(cursor.fetchall())
        return rows

    def archived(self, archive: Path) -> list[tuple[int, str]]:
        """The rows of the files that the archive's books know."""
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT file_name FROM table_partitions.archives")
            tables = [pq.read_table(archive / name) for (name,) in cursor.fetchall()]
        return sorted(
            (i, note)
            for t in tables
            for i, note in zip(*(t.column(c).to_pylist() for c in ("id", "note")), strict=True)
        )


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="stats-crash-"))
    cluster = placed(PrivatePostgres(folder / "pg", find_binaries(None), way_to_run(), durable=False))
    cluster.start()
    migrate(cluster.dsn("stats"))
    yield Place(cluster, folder)
    cluster.discard()


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_kill_at_any_point_loses_no_row_and_the_next_run_completes_the_plan(place: Place, victim: str):
    archive = place.begin()
    expected = place.everywhere(archive)
    points = place.run(archive, -1, "nobody")
    assert place.exit_code == 0
    assert {"inside create", "inside drain", "detach intended", "file half-written", "manifest written"} <= set(points)
    old_rows = place.archived(archive)
    assert len(old_rows) == 500
    for number, point in enumerate(points):
        archive = place.begin()
        place.run(archive, number, victim)
        assert place.exit_code == -signal.SIGKILL or victim == "server", f"point {number}, {point}"
        place.wait_until_it_answers()
        place.complete(archive)
        assert place.everywhere(archive) == expected, f"rows after a kill at point {number}, {point}"
        assert place.archived(archive) == old_rows, f"archive after a kill at point {number}, {point}"
        with closing(psycopg2.connect(place.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhdetachpending")
            assert cursor.fetchone() == (0,)
            cursor.execute(
                "SELECT relname::text FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind = 'r' ORDER BY 1"
            )
            assert [name for (name,) in cursor.fetchall()] == [
                "archived_20260525",
                "archived_now",
                "beside_20260518",
                "beside_20260525",
                "beside_default",
            ], f"tables after a kill at point {number}, {point}"
