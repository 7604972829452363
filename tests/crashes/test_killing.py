"""kill -9 in the middle of a day: the tables are as if nothing had happened, and a rerun completes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.crashes.world import TUESDAY, World, noon, report
from tests.stack import wait_for

# The table whose row is a step's last word, and so what to hold to stop the step when all else is written.
LAST_WORD = {"reports": "input_days", "duplicates": "aggregate_days", "aggregates": "aggregate_days"}


@pytest.mark.parametrize("step", LAST_WORD)
def test_a_worker_killed_before_its_last_word_has_changed_nothing(world: World, step: str):
    world.deliver(TUESDAY)
    world.load(TUESDAY)
    world.count(TUESDAY)
    before = world.everything()
    documents = [report(n, noon(TUESDAY, n), topmost_filenames="same.cpp") for n in range(200)]
    world.deliver_reports(TUESDAY, documents)
    if step != "reports":
        world.loader().load_reports(TUESDAY)
        before = world.everything()

    _kill_at(world, step, LAST_WORD[step])
    assert world.everything() == before

    world.load(TUESDAY)
    world.count(TUESDAY)
    assert world.rows("SELECT sum(crashes) FROM crashes.daily_crash_rates WHERE channel = 'release'") == [(200,)]


def _kill_at(world: World, step: str, table: str) -> None:
    """Starts the step in a process of its own and kills that when it waits for the table."""
    work = [sys.executable, "-m", "benchmarks.crashes.work", world.database.dsn, world.folder, step, TUESDAY, "1"]
    waiting = f"""
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND query LIKE '%INSERT INTO crashes.{table}%'"""
    with world.database.transaction() as cursor:
        cursor.execute(f"LOCK TABLE crashes.{table} IN EXCLUSIVE MODE")
        worker = subprocess.Popen(list(map(str, work)))
        wait_for(lambda: world.rows(waiting))
        ((backend,),) = world.rows(waiting)
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    wait_for(_gone(world, backend))


def _gone(world: World, backend: int) -> Callable[[], bool]:
    return lambda: not world.rows(f"SELECT FROM pg_stat_activity WHERE pid = {backend}")
