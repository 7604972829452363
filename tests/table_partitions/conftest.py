"""A partitioned table in a real PostgreSQL, and somebody to maintain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.carry_out import StepResult
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance
from stats_assets.table_partitions.steps import Plan
from tests.table_partitions.made_up import at, policy

NOW = at("2026-05-20 12:00")


@dataclass
class World:
    """A database, an archive folder, and the time it is supposed to be."""

    database: StatsDatabase
    folder: Path
    now: datetime = NOW
    settings: dict[str, Any] = field(default_factory=lambda: {"lock_budget_seconds": 3})
    policies: Sequence[PartitionPolicy] = (policy(),)

    @property
    def archive(self) -> Archive:
        return Archive(str(self.folder))

    @property
    def maintenance(self) -> Maintenance:
        config = TablePartitionsConfig(**self.settings)
        return Maintenance(self.database, self.archive, self.policies, config, lambda: self.now, trusts_clock=True)

    def plan(self) -> Plan:
        return self.maintenance.planned().plan

    def apply(self, **options: Any) -> list[StepResult]:
        maintenance = self.maintenance
        return maintenance.carry_out(maintenance.planned(**options).plan, "test")

    def apply_with(self, **hooks: Callable[..., Any]) -> list[StepResult]:
        """As `apply`, with `boundary`, `sleep` or other functions of the executor in place of its own."""
        executor = replace(self.maintenance.executor("test"), **hooks)
        return executor.carry_out(self.plan())

    def settle(self, runs: int = 12) -> None:
        """Applies until nothing is left to do."""
        for _ in range(runs):
            if not self.plan().steps:
                return
            results = self.apply()
            assert [str(each) for each in results if each.result != "done"] == []
        raise AssertionError("there is still something to do")

    def run(self, *statements: str, parameters: Any = None) -> None:
        with self.database.transaction() as cursor:
            for statement in statements:
                cursor.execute(statement, parameters)

    def rows(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with self.database.transaction() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def parts(self, table: str = "s.m") -> dict[str, str]:
        """Attached table partitions with their bounds."""
        query = """SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i
                   JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 1"""
        return dict(self.rows(query, (table,)))

    def where(self, table: str = "s.m") -> dict[str, int]:
        """Rows by table partition."""
        return dict(self.rows(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))


@contextmanager
def held(world: World, *statements: str) -> Iterator[psycopg2.extensions.connection]:
    """A transaction that has run these and stays open."""
    with closing(psycopg2.connect(world.database.dsn)) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        yield connection


def done_by_another(world: World, *statements: str) -> None:
    """Somebody else runs these now; waiting for a lock would be a failure."""
    with closing(psycopg2.connect(world.database.dsn, options="-c lock_timeout=100ms")) as connection, connection:
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture
def world(database: StatsDatabase, tmp_path: Path) -> World:
    """The table s.m, partitioned by ts, with a primary key and a text; no table partition yet."""
    found = World(database, tmp_path / "archive")
    found.run(
        "CREATE SCHEMA s",
        """CREATE TABLE s.m (id bigint NOT NULL, ts timestamptz NOT NULL, note text, PRIMARY KEY (id, ts))
           PARTITION BY RANGE (ts)""",
    )
    return found
