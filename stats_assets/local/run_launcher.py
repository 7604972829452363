"""Dagster's own run launcher, which also answers whether the worker of a run is still there.

The code server reports a worker that died, unless the database is away in that moment: then the thread that looks
after workers ends for good, and every run that loses its worker from then on stays "started" until its longest
runtime is over. With an answer from here the daemon's run monitoring ends such a run at its next look.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG

from stats_assets.local.processes import started_at

# What a worker writes down of itself at its start.
_STARTED = re.compile(r"Started process for run \(pid: (\d+)\)")
_HERE = ("localhost", "127.0.0.1", "::1")
# Clocks are corrected now and then; a number that was given out again is of a process that is younger by more.
_CLOCK_SECONDS = 60


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches through the code server. Workers of a code server on another machine are taken to be there."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        workers = self._workers(run.run_id) if is_of_this_machine(run.tags) else []
        if not workers or any(is_there(*worker) for worker in workers):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"its process {workers[-1][0]} is gone (killed, or the machine stopped)"
        )

    def _workers(self, run_id: str) -> list[tuple[int, float]]:
        """The number of each process the run has had, and when it told it in Unix seconds; none while it has not.

        A run whose launch got no answer is launched again, so that it may have had two; the later of them ends when
        it finds the other at work.
        """
        told = self._instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
        entries = [record.event_log_entry for record in told]
        return [
            (int(found[1]), entry.timestamp)
            for entry in entries
            if (found := _STARTED.match(entry.dagster_event.message or "" if entry.dagster_event else ""))
        ]


def is_of_this_machine(tags: Mapping[str, str]) -> bool:
    """Whether the run's code server is one whose processes we can see: a socket, or an address of our own."""
    server = json.loads(tags.get(GRPC_INFO_TAG, "{}"))
    return bool(server.get("socket")) or server.get("host") in _HERE


def is_there(pid: int, seen_at: float) -> bool:
    """Whether the process that had this number at `seen_at` (Unix seconds) is alive."""
    started = started_at(pid, time.time())
    return started is not None and started <= seen_at + _CLOCK_SECONDS
