"""Runs whose process is gone without a word, told apart from those at work, and ended.

A run that was at work when its machine stopped stays "started" in Dagster's tables: sensors would wait for it
until its maximum runtime is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import dagster as dg
from dagster._core.storage.tags import MAX_RETRIES_TAG

from stats_assets.local.processes import Process, is_alive, ourselves

_WORKER_AT = ".dagster/grpc_info"  # set by the run launcher: the code server that started the worker
_PROCESS_TAG = "stats/process"  # set by us on runs in a process of `./stats materialize`
_AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def process_tag() -> dict[str, str]:
    """Marks a run as ours to execute, in this very process; no daemon may try it again elsewhere."""
    us = ourselves()
    return {_PROCESS_TAG: f"{us.pid} {us.started}", MAX_RETRIES_TAG: "0"}


def fail_abandoned_runs(code_socket: str, before: datetime, say: Callable[[str], None]) -> None:
    """Reports as failed what is written down as at work and cannot be.

    That is: runs of the code server that listened on `code_socket` until `before`, when a new one took its place,
    and runs in processes that are gone.
    """
    with dg.DagsterInstance.get() as instance:
        for record in instance.get_run_records(filters=dg.RunsFilter(statuses=_AT_WORK)):
            run = record.dagster_run
            if is_abandoned(run.tags, record.update_timestamp, code_socket, before):
                instance.report_run_failed(run, "the process of this run is gone (killed, or the machine stopped)")
                say(f"run {run.run_id[:8]} was at work when its process was killed; it is now reported as failed")


def is_abandoned(tags: Mapping[str, str], changed_at: datetime, code_socket: str, before: datetime) -> bool:
    """Whether nobody can be executing the run with these tags that last changed its state at `changed_at`."""
    if owner := tags.get(_PROCESS_TAG):
        pid, _, started = owner.partition(" ")
        return not is_alive(Process(int(pid), started))
    return code_socket in tags.get(_WORKER_AT, "") and changed_at < before
