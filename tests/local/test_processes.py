"""Processes: found again by number and start time, ended with all they started, strangers left alone."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stats_assets.local import processes
from stats_assets.local.abandoned import is_abandoned, process_tag
from stats_assets.local.processes import Process
from stats_assets.local.run_record import RunRecord, forget_record, read_record, write_record

PARENT_OF_ONE = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', %r]); time.sleep(600)"
SLEEPER = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def start(tmp_path: Path, code: str) -> Process:
    return processes.start([sys.executable, "-c", code], {}, tmp_path, tmp_path / "logs" / "it.log")


def wait_for(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.02)


def test_a_process_is_ended_with_what_it_had_started(tmp_path):
    parent = start(tmp_path, PARENT_OF_ONE % SLEEPER)
    wait_for(lambda: len(processes.group_of(parent)) == 2)
    processes.stop_group(parent, grace_seconds=10)
    assert processes.group_of(parent) == []
    assert not processes.is_alive(parent)


def test_what_a_killed_process_had_started_is_still_found_and_ended(tmp_path):
    parent = start(tmp_path, PARENT_OF_ONE % SLEEPER)
    wait_for(lambda: len(processes.group_of(parent)) == 2)
    (child,) = [pid for pid in processes.group_of(parent) if pid != parent.pid]
    processes.os.kill(parent.pid, processes.signal.SIGKILL)
    wait_for(lambda: not processes.is_alive(parent))
    assert processes.group_of(parent) == [child]
    processes.stop_group(parent, grace_seconds=10)
    assert processes.identify(child) is None


def test_a_process_that_will_not_end_is_killed_after_the_grace(tmp_path):
    deaf = start(tmp_path, DEAF)
    wait_for(lambda: (tmp_path / "logs" / "it.log").read_text() == "deaf\n")
    processes.stop_group(deaf, grace_seconds=0.2)
    assert not processes.is_alive(deaf)


def test_a_stranger_that_got_the_number_is_left_alone(tmp_path):
    stranger = start(tmp_path, SLEEPER)
    former = Process(stranger.pid, "long ago")
    assert not processes.is_alive(former)
    processes.stop_group(former, grace_seconds=0.1)
    assert processes.is_alive(stranger)
    processes.stop_group(stranger, grace_seconds=10)


def test_the_log_of_the_last_time_is_kept(tmp_path):
    for word in ("first", "second"):
        it = start(tmp_path, f"print('{word}')")
        wait_for(lambda it=it: not processes.is_alive(it))
    assert (tmp_path / "logs" / "it.log").read_text() == "second\n"
    assert (tmp_path / "logs" / "it.log.old").read_text() == "first\n"


def test_what_runs_is_read_as_it_was_written(tmp_path):
    record = RunRecord("http://127.0.0.1:3000", {"daemon": Process(7, "long ago")}, processes.ourselves())
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert record.living() == {}
    assert record.is_kept()


@pytest.mark.parametrize("content", ["", "{", '{"url": "x"}', '{"url": "x", "services": {"a": 1}, "keeper": null}'])
def test_a_broken_record_is_no_record(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    assert read_record(tmp_path) is None
    forget_record(tmp_path)


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
OF_OUR_SERVER = {".dagster/grpc_info": '{"host": "localhost", "socket": "/home/x/sock/code-server"}'}


def test_a_run_of_the_code_server_before_this_one_is_abandoned():
    assert is_abandoned(OF_OUR_SERVER, EARLIER, "/home/x/sock/code-server", NOW)


def test_a_run_that_began_after_the_new_code_server_is_not():
    assert not is_abandoned(OF_OUR_SERVER, NOW + timedelta(seconds=1), "/home/x/sock/code-server", NOW)


def test_a_run_of_another_installation_is_none_of_our_business():
    assert not is_abandoned(OF_OUR_SERVER, EARLIER, "/home/y/sock/code-server", NOW)
    assert not is_abandoned({}, EARLIER, "/home/x/sock/code-server", NOW)


def test_a_run_in_a_process_is_abandoned_when_the_process_is_gone():
    assert not is_abandoned(process_tag(), EARLIER, "/sock", NOW)
    assert is_abandoned({"stats/process": "1 long ago"}, NOW, "/sock", NOW)
