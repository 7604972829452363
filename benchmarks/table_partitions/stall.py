"""The longest stall of writers while three table partitions are made, one is detached and one dropped.

400 inserts a second, and a reader that has begun a second before and holds its transaction for 5 s.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance

PER_SECOND = 400
READER_SECONDS = 5.0
_SECONDS = 11.0
_READER_AT, _DDL_AT = 2.0, 3.0

POLICY = PartitionPolicy(
    table="bench.m", key="ts", step="week", ahead=4, retention="8 weeks", action="drop", confirm=True
)
_MAKE = """
DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench;
CREATE TABLE bench.m (id bigint, ts timestamptz NOT NULL, note text) PARTITION BY RANGE (ts);
CREATE INDEX ON bench.m (ts);
"""
_FILL = "INSERT INTO bench.m SELECT n, %s + n * interval '1 s', 'some text of a row' FROM generate_series(1, 100000) n"


@dataclass(frozen=True)
class Stall:
    """What the writers saw."""

    way: str
    ddl_seconds: float
    longest_ms: float
    p99_ms: float
    failed: int
    inserts: int


def measure(dsn: str) -> list[Stall]:
    """Without any DDL, by our way, by plain DDL."""
    ways: tuple[tuple[str, Callable[[str, datetime], None]], ...] = (
        ("no maintenance", lambda dsn, monday: None),
        ("ours: LIKE + CHECK + ATTACH, DETACH CONCURRENTLY, attic, DROP", _ours),
        ("plain: CREATE ... PARTITION OF, DETACH, DROP", _plain),
    )
    return [_stall(dsn, way, ddl) for way, ddl in ways]


def _stall(dsn: str, way: str, ddl: Callable[[str, datetime], None]) -> Stall:
    monday = _set_up(dsn)
    command = [sys.executable, "-m", "benchmarks.table_partitions.writers", dsn, str(PER_SECOND), str(_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writers:
        time.sleep(_READER_AT)
        reader = threading.Thread(target=_read, args=(dsn,))
        reader.start()
        time.sleep(_DDL_AT - _READER_AT)
        began = time.monotonic()
        ddl(dsn, monday)
        took = time.monotonic() - began
        said, _ = writers.communicate()
        reader.join()
    longest, p99, failed, inserts = said.split()
    return Stall(way, took, float(longest), float(p99), int(failed), int(inserts))


def _set_up(dsn: str) -> datetime:
    """Ten weeks up to now and one ahead; the two oldest have expired, three ahead are missing."""
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_MAKE)
        for week in range(-10, 2):
            start, end = monday + timedelta(weeks=week), monday + timedelta(weeks=week + 1)
            cursor.execute(
                f"CREATE TABLE bench.m_{start:%Y%m%d} PARTITION OF bench.m FOR VALUES FROM ('{start}') TO ('{end}')"
            )
        for week in (-10, -9, -1):
            cursor.execute(_FILL, (monday + timedelta(weeks=week),))
        cursor.execute("DELETE FROM table_partitions.attic")
    return monday


def _read(dsn: str) -> None:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench.m")
        time.sleep(READER_SECONDS)
    connection.close()


def _ours(dsn: str, monday: datetime) -> None:
    """Both expired weeks go through the attic; of grace there is none here, so that they are dropped as well."""
    config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=60)
    maintenance = Maintenance(StatsDatabase(dsn), Archive(str(Path.cwd())), [POLICY], config, trusts_clock=True)
    for _ in range(2):
        results = maintenance.carry_out(maintenance.planned().plan, "bench")
        assert all(result.result == "done" for result in results), list(map(str, results))
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'bench.m'::regclass")
        assert cursor.fetchone() == (13,), "ten of twelve stay, three are new"


def _plain(dsn: str, monday: datetime) -> None:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    for week in (2, 3, 4):
        start, end = monday + timedelta(weeks=week), monday + timedelta(weeks=week + 1)
        cursor.execute(
            f"CREATE TABLE bench.m_{start:%Y%m%d} PARTITION OF bench.m FOR VALUES FROM ('{start}') TO ('{end}')"
        )
    cursor.execute(f"ALTER TABLE bench.m DETACH PARTITION bench.m_{monday - timedelta(weeks=10):%Y%m%d}")
    cursor.execute(f"DROP TABLE bench.m_{monday - timedelta(weeks=9):%Y%m%d}")
    connection.close()
