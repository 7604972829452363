"""Starting and stopping: what an operator does to a stack, and what may happen to it. Its work: tests/test_sandbox.

A stack that starts from nothing costs half a minute of CPU: a test here is a story of several things that happen to
the same one.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from stats_assets.local.stack import is_free
from tests.ports import free_ports
from tests.stack import Home, assets_of, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for left-over processes in /proc"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose stats.yaml names no source and no day yet: what starts there has next to nothing to make."""
    folder = tmp_path_factory.mktemp("up")
    config = folder / "stats.yaml"
    config.write_text(f"countme:\n  first_day: 2099-11-02\nevents: {{spool: {folder}/spool}}\n")
    home = Home(folder / "home", free_ports(), config)
    yield home
    home.stats("down")


def in_the_foreground(home: Home) -> subprocess.Popen[str]:
    """An `up` that has everything running."""
    up = home.begin("up")
    assert up.stdout is not None
    assert any("Ctrl-C stops everything" in line for line in iter(up.stdout.readline, ""))
    return up


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_kept_stack_revives_what_dies_and_what_a_killed_up_leaves_is_stopped_by_down(home: Home):
    up = in_the_foreground(home)
    url = f"http://127.0.0.1:{home.port + 2}"
    assert f"events are posted to {url}/apps/APP/events" in home.stats("status").stdout
    before = home.pids()
    victims = ("code-server", "collector")
    kill(*(before[name] for name in victims))
    wait_for(lambda: all(home.pids()[name] != before[name] for name in victims))
    wait_for(lambda: not is_free(home.port + 2))
    wait_for(lambda: httpx.get(f"{url}/health").json()["status"] == "ok")
    assert home.stats("status").returncode == 0

    up.kill()
    up.communicate()
    assert home.processes()
    down = home.stats("down")
    assert down.returncode == 0, down.stderr
    assert home.processes() == []
    assert home.stats("status").returncode == 1


def test_up_starts_what_is_missing_is_whole_after_kill_9_of_everything_and_ctrl_c_stops_all(home: Home):
    assert home.stats("up", "--detach").returncode == 0
    before = home.pids()
    kill(before["daemon"])
    assert home.stats("up", "--detach").returncode == 0
    after = home.pids()
    assert after["daemon"] != before["daemon"]
    assert {**after, "daemon": 0} == {**before, "daemon": 0}

    kill(*after.values(), home.postmaster())
    up = in_the_foreground(home)
    assert "countme/raw_hits" in assets_of(home)
    assert home.stats("status").returncode == 0

    up.send_signal(signal.SIGINT)
    up.communicate(timeout=120)
    assert up.returncode == 0
    assert home.processes() == []


def test_a_taken_port_is_told_with_the_variable_to_set(home: Home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", home.port))
        other.listen()
        up = home.stats("up")
    assert up.returncode == 1
    assert f"port {home.port} of 127.0.0.1, wanted for the webserver, is taken" in up.stderr
    assert f"STATS_PORT={home.port + 10}" in up.stderr
    assert home.processes() == []


def test_without_a_stack_partitions_are_made_in_process_and_nothing_stays(home: Home):
    made = home.stats("materialize", "countme/totals_csv")
    assert made.returncode == 0, made.stderr
    assert home.processes() == []
