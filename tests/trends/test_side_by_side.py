"""Imports at once, killed in the middle, and a server that restarts meanwhile: no log lost, none there twice."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from datetime import date
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.files import read_path
from stats_assets.trends.intake import import_files
from stats_assets.trends.load import Importer
from tests.killable import ended, started
from tests.trends import import_in_process
from tests.trends.logs import exported, forget, rows, simulated

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 logs of ten days, with duplicates, oddities and bad ones."""
    folder = tmp_path_factory.mktemp("logs")
    for log in simulated(date(2026, 1, 27), 10):
        (folder / f"log_{log.logid}.json").write_bytes(log.data)
    return folder


@pytest.fixture
def expected(database: StatsDatabase, folder: Path, tmp_path: Path) -> dict[str, str]:
    """What one undisturbed import exports; the database is empty again afterwards."""
    files = imported(database, folder, tmp_path / "expected")
    forget(database)
    return files


def imported(database: StatsDatabase, folder: Path, into: Path) -> dict[str, str]:
    import_files(database, Importer(database), read_path(folder))
    return exported(database, into)


def begun(dsn: str, folder: Path, batch_logs: int) -> BaseProcess:
    return started(import_in_process.main, dsn, folder, batch_logs)


def test_imports_of_the_same_logs_at_once_give_what_one_gives(
    database: StatsDatabase, database_dsn: str, folder: Path, expected: dict[str, str], tmp_path: Path
):
    imports = [begun(database_dsn, folder, batch_logs) for batch_logs in (3, 7, 1000)]
    assert [ended(process) for process in imports] == [0, 0, 0]
    assert exported(database, tmp_path / "out") == expected


@pytest.mark.slow
def test_imports_killed_at_any_moment_leave_whole_logs_only(
    database: StatsDatabase, database_dsn: str, folder: Path, expected: dict[str, str], tmp_path: Path
):
    dice = random.Random(3)
    for _ in range(6):
        before = rows(database, "SELECT count(*) FROM trends.import_ledger")[0][0]
        process = begun(database_dsn, folder, 5)
        wanted = before + dice.randint(1, 20)
        while process.is_alive() and rows(database, "SELECT count(*) FROM trends.import_ledger")[0][0] < wanted:
            time.sleep(dice.random() / 50)
        process.kill()
        ended(process)
        torn = """SELECT count(*) FROM trends.import_ledger l FULL JOIN trends.games g USING (logid)
                  WHERE (l.day IS NOT NULL) <> (g.logid IS NOT NULL)"""
        assert rows(database, torn) == [(0,)]
    assert imported(database, folder, tmp_path / "out") == expected


@pytest.mark.slow
def test_an_import_goes_on_when_the_server_crashes_and_starts_again(
    database: StatsDatabase, folder: Path, expected: dict[str, str], tmp_path: Path
):
    server = placed(PrivatePostgres(Path(tempfile.mkdtemp(prefix="stats-test-")), find_binaries(None), way_to_run()))
    server.start()
    try:
        migrate(server.dsn("stats"))
        process = begun(server.dsn("stats"), folder, 4)
        for wanted in (8, 40):
            wait_for_logs(StatsDatabase(server.dsn("stats")), process, wanted)
            assert process.is_alive(), "the import ended before the crash"
            server.stop(signal.SIGQUIT)
            server.start()
        assert ended(process) == 0
        assert exported(StatsDatabase(server.dsn("stats")), tmp_path / "out") == expected
    finally:
        server.discard()


def wait_for_logs(database: StatsDatabase, process: BaseProcess, wanted: int) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while process.is_alive() and time.monotonic() < patience:
        if rows(database, "SELECT count(*) FROM trends.import_ledger")[0][0] >= wanted:
            return
        time.sleep(0.02)
