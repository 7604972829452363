"""The whole world under `./stats up` while everything in turn is killed or full: it ends as if nothing had happened.

CHAOS_SEED=20261128 ./stats test tests/test_chaos.py -s
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from stats_assets.local.databases import private_server
from stats_assets.shared.environment import read_environment
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from tests.chaos import HERO, Chaos, EventClient, small_disk
from tests.notifications.world import Webhook, webhooks
from tests.ports import free_ports
from tests.stack import PROJECT, Home, wait_for
from tests.whole_world import (
    CHANGED_HOURLY,
    HOURLY,
    differences,
    exported_from,
    home_of,
    published,
    undisturbed,
    write_config,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
    # Not among all tests, which would be slowed down by it and it by them: .ci/run runs it after them.
    pytest.mark.skipif("CHAOS_SEED" not in os.environ, reason="wants the whole machine: set CHAOS_SEED"),
]

SEED = int(os.environ.get("CHAOS_SEED", "0"))
ARCHIVE_MB = 32
PATIENCE_SECONDS = 900

_RUNS = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
    runId status jobName assets { key { path } } tags { key value } } } } }"""
_AT_WORK = ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"]
_EVENTS = f"SELECT score, count(*) FROM events.levels WHERE hero = '{HERO}' GROUP BY score"
# Told failures are of runs and services; what a check finds of the simulated data is the same without any chaos.
_INCIDENTS = """
SELECT kind, subject, dagster_partition, state, notified_at IS NOT NULL, recovery_notified_at IS NOT NULL
FROM notifications.incidents WHERE kind <> 'check' ORDER BY incident_id
"""
_MESSAGES = "SELECT count(*), count(*) FILTER (WHERE state = 'delivered') FROM notifications.messages"


@contextmanager
def kept(home: Home, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The stack in the foreground, where what dies is started again."""
    with log.open("wb") as words:
        up = subprocess.Popen([PROJECT / "stats", "up"], env=home.environ, stdout=words, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: "watcher" in pids(home), seconds=240)
        yield up
    finally:
        up.terminate()
        up.wait(120)
        home.stats("down")


def pids(home: Home) -> dict[str, int]:
    return home.pids() if (home.folder / "run.json").exists() else {}


class Aftermath:
    """What is looked at once the chaos is over."""

    def __init__(self, home: Home, archive: Path) -> None:
        self.home, self.archive = home, archive
        server = private_server(read_environment(home.environ))
        assert server is not None
        self.database = StatsDatabase(server.dsn("stats"))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def runs(self, *statuses: str) -> dict[str, dict[str, Any]]:
        found = self.home.ui.ask(_RUNS, filter={"statuses": statuses})["runsOrError"]["results"]
        return {run["runId"]: run for run in found}

    def tables(self) -> dict[str, str]:
        return exported_from(self.database.dsn, self.home.folder / "exported") | published(self.archive)


def test_whatever_dies_every_table_ends_as_if_nothing_had_happened(tmp_path: Path):
    print(f"CHAOS_SEED={SEED}")
    (tmp_path / "undisturbed").mkdir()
    wanted = undisturbed(tmp_path / "undisturbed", free_ports())
    with webhooks() as (people,), small_disk(tmp_path / "archive", ARCHIVE_MB) as archive:
        port = free_ports()
        home = home_of(tmp_path / "home", port, write_config(tmp_path, changes(people, archive, port)))
        client = EventClient(f"http://127.0.0.1:{port + 2}")
        with kept(home, tmp_path / "up.log") as up:
            with client.sending():
                Chaos(home, archive, SEED).all()
            assert up.poll() is None, (tmp_path / "up.log").read_text()
            aftermath = Aftermath(home, archive)
            at_first = {name: text for name, text in wanted.items() if name != CHANGED_HOURLY}
            wait_until_all_is_as_it_should_be(aftermath, at_first, client.acknowledged)
            assert home.stats("materialize", HOURLY).returncode == 0
            wait_until_all_is_as_it_should_be(aftermath, wanted, client.acknowledged)
            no_run_hangs(aftermath)
            every_failure_was_told_once_and_its_end(aftermath, people)
            a_daemon_that_hangs_is_told_and_that_it_goes_on(home, people)


def changes(people: Webhook, archive: Path, port: int) -> dict[str, Any]:
    told_at_once = {"look_seconds": 1, "group_seconds": 1, "silent_after_seconds": 4}
    channels = {"channels": {"people": {"url": f"json://{people.address}"}}}
    answers = {"must_answer": {"collector": f"http://127.0.0.1:{port + 2}/health"}}
    return {
        "archive": str(archive),
        "events": {"refresh_minutes": 1},
        "notifications": {**channels, **answers, **told_at_once},
    }


def wait_until_all_is_as_it_should_be(aftermath: Aftermath, wanted: dict[str, str], acknowledged: set[int]) -> None:
    assert len(acknowledged) > 50
    deadline = time.monotonic() + PATIENCE_SECONDS
    while wrong := what_is_wrong(aftermath, wanted, acknowledged):
        assert time.monotonic() < deadline, wrong
        time.sleep(10)


def what_is_wrong(aftermath: Aftermath, wanted: dict[str, str], acknowledged: set[int]) -> dict[str, str]:
    """Tables that differ, and events that are not there exactly once. Those sent without an answer may be there."""
    try:
        wrong = differences(aftermath.tables(), wanted)
        typed = dict(aftermath.rows(_EVENTS))
    except (SourceAway, psycopg2.OperationalError) as error:
        return {"database": str(error)}
    if lost := acknowledged - typed.keys():
        wrong["events.levels"] = f"{len(lost)} of {len(acknowledged)} acknowledged events lack"
    assert set(typed.values()) <= {1}
    return wrong


def no_run_hangs(aftermath: Aftermath) -> None:
    """What is at work now ends; sensors may ask for other runs meanwhile."""
    at_work = aftermath.runs(*_AT_WORK).keys()
    wait_for(lambda: not at_work & aftermath.runs(*_AT_WORK).keys(), seconds=PATIENCE_SECONDS)


def every_failure_was_told_once_and_its_end(aftermath: Aftermath, people: Webhook) -> None:
    wait_for(lambda: all(row[4:] == (True, True) for row in aftermath.rows(_INCIDENTS)), seconds=PATIENCE_SECONDS)
    incidents = aftermath.rows(_INCIDENTS)
    assert any(kind == "silence" for kind, *_ in incidents)
    assert {state for *_, state, _, _ in incidents} == {"recovered"}
    subjects = {subject for _, subject, *_ in incidents}
    for run in aftermath.runs("FAILURE").values():
        if "dagster/auto_retry_run_id" not in {tag["key"] for tag in run["tags"]}:
            assets = {"/".join(asset["key"]["path"]) for asset in run["assets"]}
            assert ({run["jobName"]} | assets) & subjects, run
    wait_for(lambda: len(set(aftermath.rows(_MESSAGES)[0])) == 1)
    outage = titles(people)["[stats] PostgreSQL does not answer"]
    assert outage == titles(people)["[stats] PostgreSQL answers again"] <= 1
    # Of every incident two messages: that it is so, and that it is over; or one that says both.
    told = Counter(line for message in people.messages for line in message["message"].splitlines())
    assert [message for message, times in Counter(map(str, people.messages)).items() if times > 1] == []
    for (kind, subject), times in Counter((kind, subject) for kind, subject, *_ in incidents).items():
        named = re.compile(rf"(^|, ){re.escape(subject)}[, ]")
        began = sum(n for line, n in told.items() if named.search(line) and is_beginning(kind, line))
        ended = sum(n for line, n in told.items() if named.search(line) and line.endswith("is well again"))
        assert 1 <= began <= times and 1 <= ended <= times, (subject, times, began, ended)


def a_daemon_that_hangs_is_told_and_that_it_goes_on(home: Home, people: Webhook) -> None:
    """It lives, so that nobody starts it again, and does nothing."""
    daemon = home.pids()["daemon"]
    os.kill(daemon, signal.SIGSTOP)
    try:
        wait_for(lambda: titles(people)["[stats] dagster-daemon is silent"] == 1, seconds=300)
    finally:
        os.kill(daemon, signal.SIGCONT)
    wait_for(lambda: titles(people)["[stats] dagster-daemon is well again"] == 1, seconds=300)


def titles(people: Webhook) -> Counter[str]:
    return Counter(message["title"] for message in people.messages)


def is_beginning(kind: str, line: str) -> bool:
    return (" failed" if kind == "run" else " is silent") in line or " is not fresh" in line
