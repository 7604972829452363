"""The schema file changes, and typing is killed, while events come in through a real collector."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stats_assets.events.schema_file import read_schema_file
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.postgres import StatsDatabase
from tests.events.running import RunningCollector
from tests.events.typed_world import World

BEFORE = """\
tables:
  levels:
    columns:
      - {name: level, type: i32, required: true}
apps:
  game: {secret_key: secret, tables: [levels], events_per_second: 100000}
"""
AFTER = BEFORE.replace("required: true}", "required: true}\n      - {name: hero, indexed: true}")
_BODY, _BODIES_PER_SECOND = 10, 50


class Clients:
    """500 events a second, each with an event_id and, all the time, the column that is declared later."""

    def __init__(self, collector: RunningCollector) -> None:
        self._collector = collector
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.statuses: list[int] = []
        self.sent: set[str] = set()

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def wait_for_bodies(self, count: int) -> None:
        target, deadline = len(self.statuses) + count, time.monotonic() + 120
        while len(self.statuses) < target:
            assert time.monotonic() < deadline, "the collector answers no more"
            time.sleep(0.01)

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ending.is_set():
            ids = [f"{len(self.statuses)}-{place}" for place in range(_BODY)]
            events = [{"_t": "levels", "level": 1, "hero": f"hero of {name}", "event_id": name} for name in ids]
            body = json.dumps({"secret_key": "secret", "events": events}).encode()
            answer = self._collector.request("POST", "/apps/game/events", body, {"Content-Type": "application/json"})
            self.statuses.append(answer.status)
            self.sent.update(ids)
            self._ending.wait(max(0.0, began + len(self.statuses) / _BODIES_PER_SECOND - time.monotonic()))


@pytest.mark.slow
def test_a_column_is_added_and_typing_is_killed_while_events_come(database: StatsDatabase, tmp_path: Path):
    collector = RunningCollector(tmp_path, database.dsn, BEFORE)
    collector.start()
    day = datetime.now(UTC).date()
    try:
        world = World(database, read_schema_file(collector.schema_file, {}))
        world.evolve()
        with Clients(collector) as clients:
            clients.wait_for_bodies(20)
            world.replace(day)
            collector.schema_file.write_text(AFTER)
            world.schema = read_schema_file(collector.schema_file, {})
            assert world.evolve().is_settled
            clients.wait_for_bodies(100)
            # The first events came when the column was unknown, and are in extra; made anew, it is filled.
            _kill_in_the_middle(database, collector.schema_file, str(day))
            assert {extra["hero"] is not None for (extra,) in world.rows("extra")} == {True}
            world.replace(day, only_new=True)
            clients.wait_for_bodies(20)
        world.replace(day, datetime.now(UTC).date(), only_new=True)
    finally:
        collector.stop()
    assert set(clients.statuses) == {200}
    found = world.rows("event_id, hero, extra")
    assert {event_id for event_id, _, _ in found} == clients.sent
    assert len(found) == len(clients.sent)
    assert all((hero, extra) == (f"hero of {event_id}", None) for event_id, hero, extra in found)
    assert len(world.query("SELECT version FROM events.schema_versions WHERE applied_at IS NOT NULL")) == 2


def _kill_in_the_middle(database: StatsDatabase, schema_file: Path, day: str) -> None:
    """kill -9 with every row copied and nothing committed."""
    command = [sys.executable, "-m", "tests.events.typing_process", database.dsn, schema_file, day]
    with subprocess.Popen(command, cwd=PROJECT_FOLDER, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"copied\n"
        process.kill()
