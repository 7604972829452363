"""The whole stack as an operator meets it: the launcher's verbs on a home and a port of their own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stats_assets.local.graphql import Graphql
from stats_assets.local.stack import is_free

PROJECT = Path(__file__).resolve().parents[2]

_LAST_RUNS = """
{ runsOrError(limit: 5) { ... on Runs { results { status assetSelection { path } tags { key } } } } }
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for left-over processes in /proc"),
]


class Home:
    """A folder and a port, and the launcher run with them."""

    def __init__(self, folder: Path, port: int, config: Path) -> None:
        self.folder, self.port = folder, port
        without = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_"))}
        self.environ = {
            **without, "STATS_HOME": str(folder), "STATS_PORT": str(port), "STATS_CONFIG": str(config)
        }  # fmt: skip

    def stats(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROJECT / "stats", *arguments], env=self.environ, capture_output=True, text=True)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROJECT / "stats", *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ui(self) -> Graphql:
        return Graphql(self.url)

    def pids(self) -> dict[str, int]:
        record = json.loads((self.folder / "run.json").read_text())
        return {name: process["pid"] for name, process in record["services"].items()}

    def postmaster(self) -> int:
        (lock,) = self.folder.glob("pg/data-*/postmaster.pid")
        return int(lock.read_text().split()[0])

    def processes(self) -> list[str]:
        """Every process of this home that is alive, by its command line."""
        mark = str(self.folder).encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in told and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found


def free_ports() -> int:
    """A port that is free with the next one, below the range the kernel hands out; by chance, for parallel tests."""
    for _ in range(100):
        port = random.randrange(20_000, 32_000, 2)
        if is_free(port) and is_free(port + 1):
            return port
    raise AssertionError("no two free ports")


@pytest.fixture
def quiet_home(tmp_path: Path) -> Iterator[Home]:
    """A home whose stats.yaml names no source and no day yet: what starts there has next to nothing to make."""
    (tmp_path / "stats.yaml").write_text("countme:\n  first_day: 2099-11-02\n")
    home = Home(tmp_path / "home", free_ports(), tmp_path / "stats.yaml")
    yield home
    home.stats("down")


@pytest.fixture(scope="module")
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, subprocess.CompletedProcess[str]]]:
    """The sandbox stack, up and filled, with what `up --detach` said."""
    home = Home(tmp_path_factory.mktemp("sandbox") / "home", free_ports(), PROJECT / "stats.yaml")
    yield home, home.stats("up", "--detach")
    home.stats("down")


def wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.2)


def assets_of(home: Home) -> set[str]:
    nodes = home.ui.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
    return {"/".join(node["assetKey"]["path"]) for node in nodes}


def test_up_fills_the_last_weeks_and_fails_only_as_planned(sandbox_home):
    home, up = sandbox_home
    assert up.returncode == 0, up.stderr
    assert f"Dagster UI: {home.url}" in up.stdout
    assert "as planned: log_sync/files" in up.stderr
    counted = home.stats("psql", "-Atc", "SELECT count(*) > 0 FROM countme.weekly_totals")
    assert counted.stdout == "t\n", counted.stderr


def test_the_ui_has_loaded_every_room(sandbox_home):
    home, _ = sandbox_home
    assert {"log_sync/files", "countme/raw_hits", "countme/weekly_totals"} <= assets_of(home)


def test_up_again_says_where_it_is_running(sandbox_home):
    home, _ = sandbox_home
    before = home.pids()
    again = home.stats("up")
    assert (again.returncode, again.stdout) == (0, f"already running at {home.url}\n")
    assert home.pids() == before


def test_materialize_goes_through_the_running_daemon(sandbox_home):
    home, _ = sandbox_home
    made = home.stats("materialize", "countme/charts")
    assert made.returncode == 0, made.stderr
    answer = home.ui.ask(_LAST_RUNS)["runsOrError"]["results"]
    (ours, *_) = [run for run in answer if run["assetSelection"] == [{"path": ["countme", "charts"]}]]
    assert ours["status"] == "SUCCESS"
    # Dagster sets it on runs that a code server executes, not on those in another process.
    assert "dagster/code_location" in {tag["key"] for tag in ours["tags"]}


def test_a_planned_failure_is_listed_and_gives_exit_code_1(sandbox_home):
    home, up = sandbox_home
    failed = next(
        line.split()[3].rstrip(":") for line in up.stderr.splitlines() if "as planned: log_sync/files" in line
    )
    made = home.stats("materialize", "log_sync/files", "--partition", failed)
    assert made.returncode == 1
    assert f"log_sync/files {failed}: " in made.stderr


def test_no_secret_and_no_connection_string_is_on_a_command_line(sandbox_home):
    home, _ = sandbox_home
    commands = home.processes()
    assert len(commands) > 4
    assert not [command for command in commands if "postgresql" in command and "@" in command]


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


def test_a_stack_that_is_kept_revives_what_dies(quiet_home):
    up = quiet_home.begin("up")
    assert up.stdout is not None
    assert any("Ctrl-C stops everything" in line for line in iter(up.stdout.readline, ""))
    before = quiet_home.pids()["code-server"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: quiet_home.pids()["code-server"] != before)
    wait_for(lambda: quiet_home.stats("status").returncode == 0)
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
