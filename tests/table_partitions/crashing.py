"""A process of its own that carries a plan out and is killed, or kills the server, at one of the points it passes."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance


def main(
    dsn: str, folder: str, now: datetime, stop_at: int, victim: str, policies: list[PartitionPolicy], log: Path
) -> None:
    """`stop_at` is the number of the point to stop at, -1 to pass them all; `log` gets each point that is passed."""
    passed: list[str] = []

    def boundary(point: str) -> None:
        passed.append(point)
        log.write_text("\n".join(passed))
        if len(passed) - 1 == stop_at:
            if victim == "worker":
                os.kill(os.getpid(), signal.SIGKILL)
            kill_a_server_process(dsn)

    config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=20)
    maintenance = Maintenance(StatsDatabase(dsn), Archive(folder), policies, config, lambda: now, trusts_clock=True)
    executor = maintenance.executor("crashing")
    executor.boundary = boundary
    executor.carry_out(maintenance.planned().plan)


def kill_a_server_process(dsn: str) -> None:
    """kill -9 of one: the postmaster then ends all others at once and recovers from the log, as after a crash."""
    connection = psycopg2.connect(dsn)
    os.kill(connection.info.backend_pid, signal.SIGKILL)
