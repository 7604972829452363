"""The 24 reference logs against the true rows: in any order, in any batches, again and again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.export import export
from stats_assets.trends.load import Importer
from stats_assets.trends.raw import RawLog

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def logs(reference_data: Path) -> list[RawLog]:
    files = sorted((reference_data / "trends/logs").glob("log_*.json"))
    return [RawLog(int(file.stem[4:]), file.read_bytes(), f"file:{file.name}", NOW) for file in files]


def assert_expected(database: StatsDatabase, folder: Path, reference_data: Path) -> None:
    export(database, folder)
    expected = sorted((reference_data / "trends/expected").glob("*.csv"))
    assert len(expected) == 11
    for file in expected:
        assert (folder / file.name).read_text() == file.read_text(), file.name


@pytest.mark.parametrize("batch_logs", [1, 5, 1000])
def test_rows_are_the_true_ones_in_any_order_and_batching(
    database: StatsDatabase, logs: list[RawLog], batch_logs: int, tmp_path: Path, reference_data: Path
):
    random.Random(batch_logs).shuffle(logs)
    report = Importer(database, batch_logs).import_logs(logs)
    assert (report.parsed, report.quarantined) == (24, 0)
    assert_expected(database, tmp_path, reference_data)


def test_importing_again_changes_nothing_forced_or_not(
    database: StatsDatabase, logs: list[RawLog], tmp_path: Path, reference_data: Path
):
    importer = Importer(database)
    importer.import_logs(logs)
    assert importer.import_logs(reversed(logs)).unchanged == 24
    assert importer.import_logs(logs, force=True).parsed == 24
    assert_expected(database, tmp_path, reference_data)
