"""The assets: days made anew one by one or in a range, a source that is away, the watched folder, the quarantine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.assets import TABLES, FetchDay, build_logs
from stats_assets.trends.automation import build_automation
from stats_assets.trends.checks import GAMES, RAW_LOGS
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.file_assets import IMPORTED_FILES, build_imported_files, build_quarantine
from stats_assets.trends.load import Importer
from stats_assets.trends.watched_folder import new_files
from tests.trends.logs import a_log, another_game, exported, raw, rows, simulated

FIRST = date(2026, 1, 30)
DAYS = [FIRST + timedelta(days=n) for n in range(3)]
CONFIG = TrendsConfig(first_day=date(2026, 1, 1))


def made(
    database: StatsDatabase,
    first: date,
    last: date,
    selection: list[dg.AssetKey],
    fetch_day: FetchDay | None = None,
    config: TrendsConfig = CONFIG,
) -> dg.ExecuteInProcessResult:
    tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
    return dg.materialize(
        [build_logs(config, fetch_day)],
        selection=selection,
        resources={"database": database},
        tags=tags,
        raise_on_error=False,
    )


def test_days_made_anew_one_by_one_and_in_a_range_are_as_they_were(database: StatsDatabase, tmp_path: Path):
    Importer(database).import_logs(simulated(FIRST, 3))
    before = exported(database, tmp_path)
    with database.transaction() as cursor:  # damage that only making the day anew can mend
        cursor.execute("DELETE FROM trends.weapon_stats WHERE day = '2026-01-31'; UPDATE trends.chat SET msg = 'x'")
    assert made(database, DAYS[0], DAYS[2], TABLES).success
    assert exported(database, tmp_path) == before
    for day in DAYS:
        assert made(database, day, day, TABLES).success
    assert exported(database, tmp_path) == before


def test_every_day_tells_its_numbers(database: StatsDatabase):
    Importer(database).import_logs(simulated(FIRST, 2))
    result = made(database, DAYS[0], DAYS[1], TABLES)
    found = {
        event.partition: event.step_materialization_data.materialization.metadata
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == GAMES
    }
    counts = dict(rows(database, "SELECT day::text, count(*) FROM trends.games GROUP BY day"))
    assert {day: told["dagster/partition_row_count"].value for day, told in found.items()} == counts
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == dict.fromkeys(("duplicates_are_usual", "rows_belong_to_games", "rows_are_there_once"), True)


def test_a_day_whose_source_is_away_fails_alone(database: StatsDatabase):
    def fetch_day(database: StatsDatabase, day: date) -> Mapping[str, Any]:
        if day == DAYS[1]:
            raise SourceAway("the site does not answer")
        report = Importer(database).import_logs(simulated(day, 1))
        return {"parsed": report.parsed}

    result = made(database, DAYS[0], DAYS[2], [RAW_LOGS, *TABLES], fetch_day)
    assert not result.success
    events = [event for event in result.all_events if event.is_step_materialization]
    assert {event.partition for event in events if event.asset_key == RAW_LOGS} == {str(DAYS[0]), str(DAYS[2])}
    assert {event.asset_key for event in events} == {RAW_LOGS, *TABLES}
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "2026-01-31: the site does not answer" in str(failure.step_failure_data)


def test_the_check_fails_when_much_is_quarantined(database: StatsDatabase):
    bad = [raw(n, b"{", uploaded_at=datetime(2026, 2, 10, tzinfo=UTC)) for n in range(2, 5)]
    Importer(database).import_logs([raw(1, a_log()), *bad])
    result = made(database, date(2026, 2, 10), date(2026, 2, 10), [RAW_LOGS])
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    check = checks["quarantined_logs_are_few"]
    assert not check.passed
    assert check.metadata["reasons"].value == {"not_json": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three logs, one of them bad, one file that is no log's, one damaged batch."""
    folder = tmp_path / "batches"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026/log_7.json").write_bytes(raw(7, a_log()).data)
    (folder / "2026/log_8.json").write_bytes(raw(8, another_game(a_log(), 5)).data)
    (folder / "log_9.json").write_bytes(b"{")
    (folder / "notes.json").write_bytes(b"{}")
    (folder / "22.sqlite3").write_bytes(b"no batch" * 200)
    for path in folder.rglob("*.*"):
        settle(path)
    return folder


def settle(path: Path) -> None:
    """As if nobody had written here for a minute."""
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))


def imported(database: StatsDatabase, config: TrendsConfig) -> dict[str, Any]:
    result = dg.materialize([build_imported_files(config)], resources={"database": database})
    return {
        key: value.value
        for key, value in result.asset_materializations_for_node("trends__imported_files")[-1].metadata.items()
    }


def test_files_of_the_folder_are_imported_once_and_again_when_they_change(database: StatsDatabase, folder: Path):
    config = TrendsConfig(first_day=date(2026, 1, 1), batch_folder=str(folder))
    told = imported(database, config)
    assert (told["files"], told["parsed"], told["quarantined"]) == (5, 2, 3)
    assert told["reasons_now"] == {"not_json": 1, "no_logid": 1}
    assert imported(database, config)["files"] == 0
    (folder / "log_9.json").write_bytes(raw(9, another_game(a_log(), 9)).data)
    settle(folder / "log_9.json")
    told = imported(database, config)
    assert (told["files"], told["parsed"]) == (1, 1)
    quarantined = rows(database, "SELECT logid, source, reason FROM trends.quarantine ORDER BY source")
    assert quarantined == [(None, "file:22.sqlite3", "not_json"), (None, "file:notes.json", "no_logid")]


def test_a_file_that_is_still_written_waits(database: StatsDatabase, folder: Path):
    assert new_files(database, str(folder), datetime.now(UTC) - timedelta(seconds=120)) == []
    assert len(new_files(database, str(folder), datetime.now(UTC))) == 5


def test_the_sensor_asks_once_for_new_files(database: StatsDatabase, folder: Path):
    config = TrendsConfig(first_day=date(2026, 1, 1), batch_folder=str(folder))
    definitions = build_automation(config, is_running=True)
    (sensor,) = list(definitions.sensors or [])
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"database": database})
        first, again = sensor(context), sensor(context)
        assert first.run_requests[0].run_key == again.run_requests[0].run_key  # type: ignore[union-attr]
        imported(database, config)
        assert isinstance(sensor(context), dg.SkipReason)


def test_days_that_files_bring_count_as_materialized(database: StatsDatabase, folder: Path):
    config = TrendsConfig(first_day=date(2026, 1, 1), batch_folder=str(folder))
    result = dg.materialize([build_imported_files(config)], resources={"database": database})
    events = [event for event in result.all_events if event.is_step_materialization]
    assert {(event.asset_key, event.partition) for event in events} == {
        (IMPORTED_FILES, None),
        *((key, "2026-02-10") for key in (RAW_LOGS, *TABLES)),
    }


def test_a_run_of_the_quarantine_tries_its_logs_again(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute("ALTER TABLE trends.games ADD CONSTRAINT no_x CHECK (map <> 'koth_x')")
    Importer(database).import_logs([raw(7, a_log()), raw(8, b"{")])
    with database.transaction() as cursor:
        cursor.execute("ALTER TABLE trends.games DROP CONSTRAINT no_x")
    result = dg.materialize([build_quarantine()], resources={"database": database})
    (materialization,) = result.asset_materializations_for_node("trends__quarantine")
    assert materialization.metadata["parsed"].value == 1
    assert materialization.metadata["reasons"].value == {"not_json": 1}
