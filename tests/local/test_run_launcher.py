"""Whether the worker of a run is still there, as run monitoring asks it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from stats_assets.local.run_launcher import WatchedRunLauncher, is_there

HERE = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": "/run/stats/code-server"})}
ELSEWHERE = {GRPC_INFO_TAG: json.dumps({"host": "code.example.org", "port": 4266})}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def status(instance: dg.DagsterInstance, tags: dict[str, str], *pids: int) -> WorkerStatus:
    """Of a run whose workers have written down these numbers."""
    run = instance.add_run(dg.DagsterRun(job_name="load", tags=tags, status=dg.DagsterRunStatus.STARTED))
    for pid in pids:
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run)
    launcher = WatchedRunLauncher()
    launcher.register_instance(instance)
    assert launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_worker_that_is_killed_is_missed(instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]):
    assert status(instance, HERE, worker.pid) == WorkerStatus.RUNNING
    worker.kill()
    worker.wait()
    assert status(instance, HERE, worker.pid) == WorkerStatus.FAILED


def test_a_worker_that_was_not_reaped_is_missed(instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]):
    worker.kill()
    deadline = time.monotonic() + 10
    while status(instance, HERE, worker.pid) != WorkerStatus.FAILED:
        assert time.monotonic() < deadline


def test_a_worker_that_has_not_written_down_its_number_or_is_of_another_machine_is_not(instance: dg.DagsterInstance):
    gone = 2**22 + 1  # above every number there is
    assert status(instance, HERE) == WorkerStatus.RUNNING
    assert status(instance, ELSEWHERE, gone) == WorkerStatus.RUNNING
    assert status(instance, HERE, gone) == WorkerStatus.FAILED


def test_a_run_that_was_launched_twice_is_there_while_either_worker_is(
    instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
):
    gone = 2**22 + 1
    assert status(instance, HERE, gone, worker.pid) == WorkerStatus.RUNNING
    assert status(instance, HERE, worker.pid, gone) == WorkerStatus.RUNNING
    assert status(instance, HERE, gone, gone + 1) == WorkerStatus.FAILED


def test_a_younger_process_with_the_number_of_a_worker_is_not_the_worker(worker: subprocess.Popen[bytes]):
    now = time.time()
    assert is_there(worker.pid, seen_at=now)
    assert is_there(worker.pid, seen_at=now - 30)  # a clock that was set
    assert not is_there(worker.pid, seen_at=now - 3600)
