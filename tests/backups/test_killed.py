"""kill -9 in the middle of a backup: nothing that counts as one, nothing that goes on, and the next one tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.backups.conftest import Place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TAKE = """
import sys
from pathlib import Path
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.programs import Programs
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.taking import Backup
from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
dsn, shelf, staging, programs = sys.argv[1:]
config = BackupsConfig(staging=staging, max_rate_kb_per_second=2000)
Backup(StatsDatabase(dsn), Shelf(Archive(shelf)), Programs(find_binaries(Path(programs)), dsn), config).take(print)
"""


def test_a_killed_backup_is_none_and_leaves_nothing_running(place: Place):
    whole = place.backup(method="dump").take(print).name
    programs = str(place.cluster.binaries.folder)
    command = [sys.executable, "-c", TAKE, place.dsn, str(place.folder / "shelf"), str(place.staging), programs]
    worker = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    _wait(lambda: any(_size(half) > 100_000 for half in (place.folder / "shelf").glob("*/base.tar.zst")), worker)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    _wait(lambda: not _programs_on(place.staging))
    assert place.shelf.backups() == [whole]
    (half,) = place.shelf.halves()
    said: list[str] = []
    second = place.backup(method="dump").take(said.append).name
    assert said[0] == f"{half} was never ended; its files are removed"
    assert (place.shelf.backups(), place.shelf.halves()) == ([whole, second], [])
    with place.database.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM pg_replication_slots")
        assert cursor.fetchone() == (0,)


def _size(path: Path) -> int:
    return path.stat().st_size


def _programs_on(staging: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(staging) in command or "stats_assets 20" in command:
            found.append(command)
    return found


def _wait(condition, worker: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        assert worker is None or worker.poll() is None
        time.sleep(0.02)
