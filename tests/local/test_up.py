"""Starting and stopping: what an operator does to a stack, and what may happen to it. Its work: tests/test_sandbox."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stats_assets.local.stack import is_free
from tests.stack import Home, assets_of, free_ports, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for left-over processes in /proc"),
]


@pytest.fixture
def quiet_home(tmp_path: Path) -> Iterator[Home]:
    """A home whose stats.yaml names no source and no day yet: what starts there has next to nothing to make."""
    (tmp_path / "stats.yaml").write_text("countme:\n  first_day: 2099-11-02\n")
    home = Home(tmp_path / "home", free_ports(), tmp_path / "stats.yaml")
    yield home
    home.stats("down")


def test_down_leaves_no_process(quiet_home):
    assert quiet_home.stats("up", "--detach").returncode == 0
    assert quiet_home.processes()
    down = quiet_home.stats("down")
    assert down.returncode == 0, down.stderr
    assert quiet_home.processes() == []
    assert quiet_home.stats("status").returncode == 1


def test_ctrl_c_stops_everything_it_started(quiet_home):
    up = quiet_home.begin("up")
    assert up.stdout is not None
    said = iter(up.stdout.readline, "")
    assert any("Ctrl-C stops everything" in line for line in said)
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=120)
    assert up.returncode == 0
    assert quiet_home.processes() == []


def test_after_kill_9_of_everything_the_next_up_is_whole_again(quiet_home):
    assert quiet_home.stats("up", "--detach").returncode == 0
    for pid in [*quiet_home.pids().values(), quiet_home.postmaster()]:
        os.kill(pid, signal.SIGKILL)
    again = quiet_home.stats("up", "--detach")
    assert again.returncode == 0, again.stderr
    assert "countme/raw_hits" in assets_of(quiet_home)
    assert quiet_home.stats("status").returncode == 0


def test_up_starts_only_what_is_missing(quiet_home):
    assert quiet_home.stats("up", "--detach").returncode == 0
    before = quiet_home.pids()
    os.kill(before["daemon"], signal.SIGKILL)
    assert quiet_home.stats("up", "--detach").returncode == 0
    after = quiet_home.pids()
    assert after["daemon"] != before["daemon"]
    assert {**after, "daemon": 0} == {**before, "daemon": 0}


def test_down_stops_what_a_killed_up_has_left(quiet_home):
    up = quiet_home.begin("up")
    assert up.stdout is not None
    assert any("Ctrl-C stops everything" in line for line in iter(up.stdout.readline, ""))
    up.kill()
    up.wait()
    assert quiet_home.processes()
    assert quiet_home.stats("down").returncode == 0
    assert quiet_home.processes() == []


def test_a_stack_that_is_kept_revives_what_dies(quiet_home, tmp_path):
    with (tmp_path / "stats.yaml").open("a") as config:
        config.write(f"events: {{spool: {tmp_path}/spool}}\n")
    up = quiet_home.begin("up")
    assert up.stdout is not None
    assert any("Ctrl-C stops everything" in line for line in iter(up.stdout.readline, ""))
    url = f"http://127.0.0.1:{quiet_home.port + 2}"
    assert f"events are posted to {url}/apps/APP/events" in quiet_home.stats("status").stdout
    before = quiet_home.pids()
    for name in ("code-server", "collector"):
        os.kill(before[name], signal.SIGKILL)
    wait_for(lambda: all(quiet_home.pids()[name] != before[name] for name in ("code-server", "collector")))
    wait_for(lambda: quiet_home.stats("status").returncode == 0)
    wait_for(lambda: not is_free(quiet_home.port + 2))
    wait_for(lambda: httpx.get(f"{url}/health").json()["status"] == "ok")
    up.terminate()
    up.communicate(timeout=120)
    assert quiet_home.processes() == []


def test_a_taken_port_is_told_with_the_variable_to_set(quiet_home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", quiet_home.port))
        other.listen()
        up = quiet_home.stats("up")
    assert up.returncode == 1
    assert f"port {quiet_home.port} of 127.0.0.1, wanted for the webserver, is taken" in up.stderr
    assert f"STATS_PORT={quiet_home.port + 10}" in up.stderr
    assert quiet_home.processes() == []


def test_without_a_stack_partitions_are_made_in_process_and_nothing_stays(quiet_home):
    made = quiet_home.stats("materialize", "countme/totals_csv")
    assert made.returncode == 0, made.stderr
    assert quiet_home.processes() == []
