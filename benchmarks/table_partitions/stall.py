"""The longest stall of writers while three table partitions are made, one is detached and one dropped.

400 inserts a second, and a reader that has begun a second before and holds its transaction for 5 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
    """What the writers saw, and in which step the longest stall fell."""

    way: str
    ddl_seconds: float
    longest_ms: float
    in_step: str
    longest_lock_ms: float  # as the server says
    p99_ms: float
    failed: int
    inserts: int


@dataclass
class Timeline:
    """When which step was carried out, in seconds of the monotonic clock, which all processes share."""

    steps: list[tuple[float, float, str]] = field(default_factory=list)
    began: float = 0.0

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.steps.append((began, time.monotonic(), step))

    def passed(self, point: str) -> None:
        """What the executor tells: "before create", "inside create", "after create"."""
        when, _, step = point.partition(" ")
        if when == "before":
            self.began = time.monotonic()
        elif when == "after":
            self.steps.append((self.began, time.monotonic(), step))

    def step_at(self, begin: float, end: float) -> str:
        """The step that shares most time with a stall."""
        shared = [(min(end, until) - max(begin, since), step) for since, until, step in self.steps]
        longest, step = max(shared, default=(0.0, ""))
        return step if longest > 0 else "none"


Ddl = Callable[[str, datetime, Timeline], None]


def measure(dsn: str) -> Iterator[Stall]:
    """Without any DDL, which is the machine's own noise; by our way, also beside a default partition; by plain DDL."""
    yield _stall(dsn, "no maintenance: the machine alone", lambda dsn, monday, timeline: None)
    yield _stall(dsn, "ours", _ours)
    yield _stall(dsn, "ours, beside a default partition", _ours_beside_default)
    yield _stall(dsn, "plain: CREATE ... PARTITION OF, DETACH, DROP", _plain)


def _stall(dsn: str, way: str, ddl: Ddl) -> Stall:
    monday = _set_up(dsn)
    if ddl is _ours_beside_default:
        _run(dsn, "CREATE TABLE bench.m_rest PARTITION OF bench.m DEFAULT")
    timeline = Timeline()
    command = [sys.executable, "-m", "benchmarks.table_partitions.writers", dsn, str(PER_SECOND), str(_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writers:
        time.sleep(_READER_AT)
        reader = threading.Thread(target=_read, args=(dsn,))
        reader.start()
        time.sleep(_DDL_AT - _READER_AT)
        began = time.monotonic()
        ddl(dsn, monday, timeline)
        took = time.monotonic() - began
        said, _ = writers.communicate()
        reader.join()
    return _seen(way, took, json.loads(said), timeline)


def _seen(way: str, took: float, said: dict[str, Any], timeline: Timeline) -> Stall:
    times = sorted(said["late_ms"])
    worst = max(said["late"], key=lambda late: late["late_ms"], default=None)
    step = timeline.step_at(worst["due"], worst["due"] + worst["late_ms"] / 1000) if worst else "-"
    lock_ms = max((late["lock_ms"] for late in said["late"]), default=0.0)
    return Stall(way, took, times[-1], step, lock_ms, times[int(len(times) * 0.99)], len(said["failures"]), len(times))


def _set_up(dsn: str) -> datetime:
    """Ten weeks up to now and one ahead; the two oldest have expired, three ahead are missing."""
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_MAKE)
        for week in range(-10, 2):
            cursor.execute(_new_week(monday + timedelta(weeks=week)))
        for week in (-10, -9, -1):
            cursor.execute(_FILL, (monday + timedelta(weeks=week),))
        cursor.execute("DELETE FROM table_partitions.attic")
    return monday


def _read(dsn: str) -> None:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench.m")
        time.sleep(READER_SECONDS)
    connection.close()


def _ours(dsn: str, monday: datetime, timeline: Timeline) -> None:
    """Both expired weeks go through the attic; of grace there is none here, so that they are dropped as well."""
    config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=60)
    maintenance = Maintenance(StatsDatabase(dsn), Archive(str(Path.cwd())), [POLICY], config, trusts_clock=True)
    executor = maintenance.executor("bench")
    executor.boundary = timeline.passed
    for _ in range(2):
        with timeline.during("planning"):
            plan = maintenance.planned().plan
        results = executor.carry_out(plan)
        assert all(result.result == "done" for result in results), list(map(str, results))
    _run(dsn, "DO $$ BEGIN ASSERT 0 = (SELECT count(*) FROM table_partitions.attic WHERE state <> 'dropped'); END $$")


def _ours_beside_default(dsn: str, monday: datetime, timeline: Timeline) -> None:
    _ours(dsn, monday, timeline)


def _plain(dsn: str, monday: datetime, timeline: Timeline) -> None:
    for week in (2, 3, 4):
        with timeline.during("CREATE ... PARTITION OF"):
            _run(dsn, _new_week(monday + timedelta(weeks=week)))
    with timeline.during("DETACH"):
        _run(dsn, f"ALTER TABLE bench.m DETACH PARTITION bench.m_{monday - timedelta(weeks=10):%Y%m%d}")
    with timeline.during("DROP"):
        _run(dsn, f"DROP TABLE bench.m_{monday - timedelta(weeks=9):%Y%m%d}")


def _new_week(start: datetime) -> str:
    end = start + timedelta(weeks=1)
    return f"CREATE TABLE bench.m_{start:%Y%m%d} PARTITION OF bench.m FOR VALUES FROM ('{start}') TO ('{end}')"


def _run(dsn: str, statement: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
