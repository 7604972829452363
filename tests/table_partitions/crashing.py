"""A process of its own that carries a plan out and is killed, or kills the server, at one of the points it passes.

    python -m tests.table_partitions.crashing DSN ARCHIVE NOW POINT worker|server POLICIES

Prints each point it passes; POINT is the number of the one to stop at, -1 to pass them all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import datetime

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance


def main(dsn: str, folder: str, now: str, stop_at: str, victim: str, policies: str) -> None:
    passed: list[str] = []

    def boundary(point: str) -> None:
        print(point, flush=True)
        passed.append(point)
        if len(passed) - 1 == int(stop_at):
            if victim == "worker":
                os.kill(os.getpid(), signal.SIGKILL)
            kill_a_server_process(dsn)

    at = datetime.fromisoformat(now)
    config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=20)
    known = [PartitionPolicy(**each) for each in json.loads(policies)]
    maintenance = Maintenance(StatsDatabase(dsn), Archive(folder), known, config, lambda: at, trusts_clock=True)
    executor = maintenance.executor("crashing")
    executor.boundary = boundary
    executor.carry_out(maintenance.planned().plan)


def kill_a_server_process(dsn: str) -> None:
    """kill -9 of one: the postmaster then ends all others at once and recovers from the log, as after a crash."""
    connection = psycopg2.connect(dsn)
    os.kill(connection.info.backend_pid, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
