"""A process of its own that maintains tables and is killed, or kills the server, at one of the points it passes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions import patience
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance

LONGEST = 8  # plans until nothing is left to do


def main(dsn: str, folder: str, now: datetime, victim: str, policies: list[PartitionPolicy], log: Path) -> None:
    """Strikes the victim at the first point that `log` does not have yet, and writes it down there first."""
    patience._OLD_SECONDS = 3600  # a detach is begun although somebody reads: there it can be killed while it waits
    known = set(log.read_text().splitlines()) if log.exists() else set()

    def boundary(point: str) -> None:
        if point in known or (point.startswith("before") and known):
            return  # before a step the tables are as they were after the one before it
        with log.open("a") as file:
            file.write(f"{point}\n")
        known.add(point)
        if victim == "worker":
            os.kill(os.getpid(), signal.SIGKILL)
        if victim == "server":
            kill_a_server_process(dsn)

    maintain(dsn, folder, now, policies, boundary)


def maintain(
    dsn: str,
    folder: str,
    now: datetime,
    policies: Sequence[PartitionPolicy],
    boundary: Callable[[str], None] = lambda point: None,
) -> None:
    """Plans and carries out until nothing is left to do; of grace in the attic there is none."""
    config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=20)
    maintenance = Maintenance(StatsDatabase(dsn), Archive(folder), policies, config, lambda: now, trusts_clock=True)
    executor = replace(maintenance.executor("crashing"), boundary=boundary)
    for _ in range(LONGEST):
        if not (plan := maintenance.planned().plan).steps:
            return
        executor.carry_out(plan)
    raise AssertionError(f"not complete after {LONGEST} plans: {list(map(str, maintenance.planned().plan.steps))}")


def kill_a_server_process(dsn: str) -> None:
    """kill -9 of one: the postmaster then ends all others at once and recovers from the log, as after a crash.

    Returns when another has been ended: until then ours might still commit what was to be lost.
    """
    with closing(psycopg2.connect(dsn)) as victim, closing(psycopg2.connect(dsn)) as witness:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with suppress(psycopg2.OperationalError), witness.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
