"""log_sync/files as Dagster runs it: a day, a range, failures, checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from stats_assets.log_sync import store
from stats_assets.log_sync.assets import build_files
from stats_assets.log_sync.checks import FILES
from stats_assets.log_sync.columns import FILES_SCHEMA
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.sources import DAY, Folder, config_of, log_bytes

FIRST_DAY = date(2026, 3, 1)
WEEK = [DAY - timedelta(days=n) for n in reversed(range(7))]


class House:
    """Runs the asset with its resources on an instance of its own."""

    def __init__(self, database: StatsDatabase, archive: Archive, config: LogSyncConfig) -> None:
        self.database, self.archive, self.config = database, archive, config
        self.instance = dg.DagsterInstance.ephemeral()

    def run(self, first: date, last: date | None = None) -> dg.ExecuteInProcessResult:
        span = {
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last or first),
        }
        return dg.materialize(
            [build_files(self.config, FIRST_DAY)],
            instance=self.instance,
            resources={"database": self.database, "archive": self.archive},
            tags=span,
            raise_on_error=False,
        )

    def materialized(self) -> set[str]:
        return self.instance.get_materialized_partitions(FILES)

    def manifest(self) -> store.Manifest:
        with self.database.transaction() as cursor:
            return store.rows_of_days(cursor, date.min, date.max)


@pytest.fixture
def house(database: StatsDatabase, archive: Archive, folder: Folder, tmp_path: Path) -> House:
    for day in WEEK:
        folder.deliver(log_bytes(str(day)), day)
    return House(database, archive, config_of(tmp_path, folder.host))


def metadata(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, object]]:
    """By Dagster partition."""
    found = result.asset_materializations_for_node("log_sync__files")
    return {each.partition: {name: value.value for name, value in each.metadata.items()} for each in found}


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return data.description or ""


def test_a_day_is_materialized_with_its_numbers(house: House):
    result = house.run(DAY)
    assert result.success
    assert metadata(result)[str(DAY)]["dagster/row_count"] == 1
    assert metadata(result)[str(DAY)]["fetched"] == 1


def test_a_range_has_numbers_of_its_own_for_each_day(house: House, folder: Folder):
    folder.deliver(log_bytes(lines=5000), WEEK[0])
    sizes = {day: found["file_bytes"] for day, found in metadata(house.run(WEEK[0], DAY)).items()}
    assert set(sizes) == {str(day) for day in WEEK}
    assert sizes[str(WEEK[0])] != sizes[str(DAY)]


def test_a_range_writes_the_same_manifest_as_single_days(
    house: House, database: StatsDatabase, archive: Archive, folder: Folder
):
    house.run(WEEK[0], DAY)
    in_one_run = comparable(house.manifest())
    with database.transaction() as cursor:
        cursor.execute("TRUNCATE log_sync.files")
    for day in reversed(WEEK):
        house.run(day)
    assert comparable(house.manifest()) == in_one_run


def comparable(manifest: store.Manifest) -> set[tuple]:
    return {(*key, row.state, row.sha256, row.source_version, row.archive_name) for key, row in manifest.items()}


def test_a_gap_fails_the_run_but_the_other_days_are_materialized(house: House, folder: Folder):
    folder.file(WEEK[3]).unlink()
    result = house.run(WEEK[0], DAY)
    assert not result.success
    assert house.materialized() == {str(day) for day in WEEK} - {str(WEEK[3])}
    assert failure(result).startswith(f"log_sync/files: 1 of 7 days incomplete: {WEEK[3]}: web1 has no")
    assert "the other 6 days are done" in failure(result)


def test_the_day_is_mended_by_a_rerun_once_the_host_has_delivered(house: House, folder: Folder):
    folder.file(DAY).unlink()
    house.run(DAY)
    folder.deliver(log_bytes())
    assert house.run(DAY).success
    assert house.materialized() == {str(DAY)}


def test_a_gap_is_not_retried_by_dagster(house: House, folder: Folder):
    folder.file(DAY).unlink()
    assert not [event for event in house.run(DAY).all_events if event.is_step_up_for_retry]


def test_days_that_are_done_count_when_the_database_goes_away(
    house: House, folder: Folder, monkeypatch: pytest.MonkeyPatch
):
    replace_day = store.replace_day

    def broken_on_the_last_day(cursor, day, expected, rows):
        if day == DAY:
            cursor.execute("SELECT * FROM log_sync.no_such_table")
        replace_day(cursor, day, expected, rows)

    monkeypatch.setattr(store, "replace_day", broken_on_the_last_day)
    result = house.run(WEEK[0], DAY)
    assert "run ./stats migrate" in failure(result)
    assert house.materialized() == {str(day) for day in WEEK[:-1]}


def test_the_check_passes_when_every_host_has_delivered(house: House):
    assert [each.passed for each in checks(house.run(WEEK[0], DAY))] == [True, True]


def test_the_check_names_the_gap(house: House, folder: Folder):
    folder.file(WEEK[3]).unlink()
    house.run(DAY)
    incomplete = house.run(WEEK[3])
    assert not incomplete.success
    delivered = next(each for each in checks(incomplete) if each.check_name == "every_expected_host_delivered")
    assert not delivered.passed
    assert f"{WEEK[3]} web1" in (delivered.description or "")
    assert "2 days in between were never asked for" in (delivered.description or "")


def test_the_check_warns_of_a_file_that_is_much_too_small(house: House, folder: Folder):
    folder.deliver(log_bytes(lines=3))
    small = next(each for each in checks(house.run(WEEK[0], DAY)) if each.check_name == "no_file_is_unusually_small")
    assert (small.passed, small.severity) == (False, dg.AssetCheckSeverity.WARN)


def checks(result: dg.ExecuteInProcessResult) -> Sequence[dg.AssetCheckEvaluation]:
    return result.get_asset_check_evaluations()


def test_the_schema_people_see_is_the_schema_of_the_table(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'log_sync.files'::regclass AND attnum > 0 ORDER BY attnum"
        )
        columns = dict(cursor.fetchall())
    shown = {column.name: column.type for column in FILES_SCHEMA.columns}
    assert shown == {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in columns.items()}


def test_the_last_day_of_a_run_shows_a_picture_of_the_coverage(house: House):
    found = metadata(house.run(WEEK[0], DAY))
    assert [day for day, numbers in found.items() if "coverage" in numbers] == [str(DAY)]
    picture = str(found[str(DAY)]["coverage"])
    assert picture.startswith("![coverage](data:image/png;base64,iVBOR")
    assert len(picture) < 60_000
