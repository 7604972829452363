"""log_sync/combined_logs as Dagster runs it: a day, a rerun, a range, hosts that are late, what is kept, the sensor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from stats_assets.log_sync import sql
from stats_assets.log_sync.columns import COMBINED_SCHEMA
from stats_assets.log_sync.combined_days import replace_combined_day
from stats_assets.log_sync.combined_logs_asset import (
    COMBINE_JOB,
    COMBINE_SENSOR,
    COMBINED_LOGS,
    build_combined_logs_asset,
)
from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.defs import definitions
from stats_assets.log_sync.sync import day_sync
from stats_assets.shared.archive import Archive
from stats_assets.shared.compression import decompressed
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.logs import NOT_DATED, log, packed
from tests.log_sync.sources import SITE, Folder, config_of

TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=n) for n in (4, 3, 2)]
DAY = DAYS[1]
FIRST_DAY = TODAY - timedelta(days=30)


class House:
    """Two hosts as folders, fetched and combined as told."""

    def __init__(self, database: StatsDatabase, archive: Archive, folder: Path, **settings: object) -> None:
        self.database, self.archive, self.folder = database, archive, folder
        self.hosts = {name: Folder(folder / name, name) for name in ("web1", "web2")}
        for host in self.hosts.values():
            host.root.mkdir(exist_ok=True)
        self.instance = dg.DagsterInstance.ephemeral()
        self.configure(**settings)

    def configure(self, *hosts: LogHost, **settings: object) -> None:
        self.config = config_of(self.folder, *(hosts or (host.host for host in self.hosts.values())), **settings)

    def deliver(self, host: str, content: bytes, day: date = DAY) -> None:
        self.hosts[host].deliver(packed(content), day)

    def deliver_all(self) -> None:
        for day in DAYS:
            for n, host in enumerate(self.hosts):
                self.deliver(host, log(host, range(n, 3000, 2), day), day)

    def fetch(self, *days: date) -> None:
        with day_sync(self.database, self.archive, self.config, lambda: datetime.now(UTC), lambda _: None) as sync:
            for day in days or (DAY,):
                sync.sync(day)

    def run(self, first: date = DAY, last: date | None = None) -> dg.ExecuteInProcessResult:
        span = {
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last or first),
        }
        return dg.materialize(
            [build_combined_logs_asset(self.config, FIRST_DAY)],
            instance=self.instance,
            resources={"database": self.database, "archive": self.archive},
            tags=span,
            raise_on_error=False,
        )

    def materialized(self) -> set[str]:
        return set(self.instance.get_materialized_partitions(COMBINED_LOGS))

    def row(self, day: date = DAY, site: str = SITE) -> Mapping[str, object]:
        return self.rows()[day, site]

    def rows(self) -> dict[tuple[date, str], dict[str, object]]:
        with self.database.transaction() as cursor:
            cursor.execute("SELECT * FROM log_sync.combined_logs")
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        return {(row["day"], row["site"]): row for row in rows}

    def stored(self, name: str | None = None, day: date = DAY) -> bytes:
        with self.archive.open_read(name or f"combined_logs/{day:%Y/%m/%d}/{SITE}-access.log.zst") as file:
            return file.read()

    def read(self, name: str | None = None, day: date = DAY) -> bytes:
        name = name or f"combined_logs/{day:%Y/%m/%d}/{SITE}-access.log.zst"
        with self.archive.open_read(name) as file:
            return decompressed(file, name).read()

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        resources = {"database": self.database, "archive": self.archive}
        defs = dg.Definitions.merge(definitions(self.config, FIRST_DAY, False), dg.Definitions(resources=resources))
        repository = defs.get_repository_def()
        context = dg.build_sensor_context(instance=self.instance, repository_def=repository, resources=resources)
        data = repository.get_sensor_def(COMBINE_SENSOR).evaluate_tick(context)
        return list(data.run_requests or []), data.skip_message or ""


@pytest.fixture
def house(database: StatsDatabase, archive: Archive, tmp_path: Path) -> House:
    return House(database, archive, tmp_path)


def metadata(result: dg.ExecuteInProcessResult, day: date = DAY) -> dict[str, object]:
    found = result.asset_materializations_for_node("log_sync__combined_logs")
    (each,) = [each for each in found if each.partition == str(day)]
    return {name: value.value for name, value in each.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return data.description or ""


def test_a_day_is_one_log_of_all_hosts_with_its_numbers(house: House):
    house.deliver("web1", log("web1", [0, 2], DAY) + NOT_DATED)
    house.deliver("web2", log("web2", [1, 3], DAY))
    house.fetch()
    result = house.run()
    assert result.success
    assert [word.split(b"/")[0] for word in house.read().split(b"GET /")[1:]] == [b"web1", b"web2", b"web1", b"web2"]
    assert house.read(f"combined_logs/{DAY:%Y/%m/%d}/{SITE}-undatable.log.zst") == NOT_DATED
    row, told = house.row(), metadata(result)
    assert (row["lines"], row["undatable_lines"], row["hosts"], row["missing_hosts"]) == (4, 1, ["web1", "web2"], [])
    assert (told["lines"], told["undatable_lines"], told["hosts"]) == (4, 1, {SITE: ["web1", "web2"]})
    assert told["oldest_line"] == f"{DAY}T00:00:00+00:00"
    assert told["newest_line"] == f"{DAY}T00:00:03+00:00"


def test_a_rerun_gives_the_same_bytes_and_the_same_row(house: House):
    house.deliver_all()
    house.fetch()
    house.run()
    bytes_before, row_before = house.stored(), comparable(house.row())
    assert house.run().success
    assert (house.stored(), comparable(house.row())) == (bytes_before, row_before)


def comparable(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in ("seconds", "combined_at")}


def test_a_range_in_one_run_gives_what_single_days_in_any_order_give(house: House):
    house.deliver_all()
    house.fetch(*DAYS)
    house.run(DAYS[0], DAYS[-1])
    in_one_run = {day: (house.stored(day=day), comparable(house.row(day))) for day in DAYS}
    with house.database.transaction() as cursor:
        cursor.execute("TRUNCATE log_sync.combined_logs")
    for day in reversed(DAYS):
        house.run(day)
    assert {day: (house.stored(day=day), comparable(house.row(day))) for day in DAYS} == in_one_run
    assert house.materialized() == {str(day) for day in DAYS}


def test_a_day_that_lacks_a_host_is_made_of_what_is_there_and_says_so(house: House):
    house.deliver("web1", log("web1", [1]))
    house.fetch()
    result = house.run()
    assert result.success
    assert metadata(result)["missing_hosts"] == {SITE: ["web2"]}
    assert (house.row()["hosts"], house.row()["missing_hosts"]) == (["web1"], ["web2"])


def test_a_day_is_asked_for_again_when_the_missing_host_has_come(house: House):
    house.deliver("web1", log("web1", [1], DAY))
    house.fetch()
    assert asked(house) == [str(DAY)]
    house.run()
    assert house.tick() == ([], "every day is combined from the files there are now")
    house.deliver("web2", log("web2", [0], DAY))
    house.fetch()
    assert asked(house) == [str(DAY)]
    house.run()
    assert house.read() == log("web2", [0], DAY) + log("web1", [1], DAY)
    assert asked(house) == []


def asked(house: House) -> list[str]:
    return [request.partition_key or request.tags["dagster/asset_partition_range_start"] for request in house.tick()[0]]


def test_a_changed_file_is_asked_for_however_old_it_is(house: House):
    long_ago = TODAY - timedelta(days=29)
    house.deliver("web1", log("web1", [1], long_ago), long_ago)
    house.fetch(long_ago)
    house.run(long_ago)
    house.deliver("web1", log("web1", [1, 2], long_ago), long_ago)
    house.fetch(long_ago)
    assert asked(house) == [str(long_ago)]


def test_after_an_outage_all_days_are_asked_for_as_one_range(house: House):
    house.deliver_all()
    house.fetch(*DAYS)
    (request,) = house.tick()[0]
    tags = request.tags
    assert (tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]) == (
        str(DAYS[0]),
        str(DAYS[-1]),
    )
    assert house.tick()[0][0].run_key == request.run_key


def test_the_sensor_waits_for_a_run_that_fetches_or_combines(house: House):
    house.deliver_all()
    house.fetch()
    house.instance.add_run(dg.DagsterRun(job_name=COMBINE_JOB, status=dg.DagsterRunStatus.STARTED))
    requests, why_not = house.tick()
    assert requests == []
    assert "being fetched or combined" in why_not


def test_a_day_without_any_file_fails_alone(house: House):
    house.deliver_all()
    house.fetch(DAYS[0], DAYS[2])
    result = house.run(DAYS[0], DAYS[-1])
    assert not result.success
    assert f"{DAYS[1]}: no host's file of that day is here" in failure(result)
    assert "the other 2 days are done" in failure(result)
    assert house.materialized() == {str(DAYS[0]), str(DAYS[2])}


def test_a_damaged_copy_fails_its_day_and_leaves_what_was_published(house: House):
    house.deliver_all()
    house.fetch()
    house.run()
    before = house.stored()
    copy = house.folder / "archive" / "log_sync" / "web2" / f"{DAY:%Y/%m/%d}" / f"{SITE}-access.log.gz"
    copy.write_bytes(copy.read_bytes()[:-9])
    assert "the copy of web2's log is damaged" in failure(house.run())
    assert house.stored() == before


def test_killed_between_the_file_and_its_row_it_is_mended_by_a_rerun(house: House, monkeypatch: pytest.MonkeyPatch):
    house.deliver_all()
    house.fetch()
    with monkeypatch.context() as patch:
        patch.setattr(sql, "SAVE_COMBINED", "SELECT 1 / 0")
        with pytest.raises(psycopg2.errors.DivisionByZero):
            replace_combined_day(house.database, house.archive, house.config, DAY, TODAY)
    assert house.archive.exists(f"combined_logs/{DAY:%Y/%m/%d}/{SITE}-access.log.zst")
    assert house.rows() == {}
    assert asked(house) == [str(DAY)]
    assert house.run().success
    assert asked(house) == []


def test_two_sites_have_a_log_each_and_keep_to_themselves(database: StatsDatabase, archive: Archive, tmp_path: Path):
    house = House(database, archive, tmp_path, sites=[SITE, "other.example.org"])
    house.deliver("web1", log("web1", [1], DAY))
    other = house.hosts["web1"].file(DAY).with_name("other.example.org-access.log.gz")
    other.write_bytes(packed(log("elsewhere", [2, 3], DAY)))
    house.fetch()
    house.run()
    assert (house.row()["lines"], house.row(site="other.example.org")["lines"]) == (1, 2)
    assert house.read() == log("web1", [1], DAY)


def test_another_compression_takes_the_place_of_the_former(house: House):
    house.deliver_all()
    house.fetch()
    house.run()
    lines = house.read()
    house.configure(combined_logs={"compression": "gz"})
    house.run()
    assert house.read(f"combined_logs/{DAY:%Y/%m/%d}/{SITE}-access.log.gz") == lines
    assert not house.archive.exists(f"combined_logs/{DAY:%Y/%m/%d}/{SITE}-access.log.zst")


def test_days_beyond_retention_are_removed_and_neither_made_nor_asked_for(house: House):
    house.deliver_all()
    house.fetch(*DAYS)
    house.run(DAYS[0], DAYS[-1])
    house.configure(combined_logs={"keep_days": 3})
    house.run(DAYS[2])
    assert {day for day, _ in house.rows()} == {DAYS[1], DAYS[2]}
    assert not house.archive.exists(f"combined_logs/{DAYS[0]:%Y/%m/%d}/{SITE}-access.log.zst")
    assert "keep_days (3)" in failure(house.run(DAYS[0]))
    assert asked(house) == []


def test_everything_is_kept_unless_told_otherwise(house: House):
    assert house.config.combined_logs.keep_days is None


def test_the_checks_tell_lost_lines_and_many_undatable_ones(house: House):
    house.deliver("web1", log("web1", [1, 2], DAY) + NOT_DATED * 3)
    house.fetch()
    found = {each.check_name: each for each in house.run().get_asset_check_evaluations()}
    assert found["no_line_is_lost"].passed
    assert not found["undatable_lines_are_few"].passed
    assert f"{DAY} {SITE}: 3 of 5 lines have no time" in (found["undatable_lines_are_few"].description or "")
    with house.database.transaction() as cursor:
        cursor.execute("UPDATE log_sync.files SET lines = lines + 1 WHERE state = 'fetched'")
    found = {each.check_name: each for each in house.run().get_asset_check_evaluations()}
    assert not found["no_line_is_lost"].passed
    assert f"{DAY} {SITE}: 1 lines" in (found["no_line_is_lost"].description or "")


def test_the_schema_people_see_is_the_schema_of_the_table(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'log_sync.combined_logs'::regclass AND attnum > 0 ORDER BY attnum"
        )
        columns = dict(cursor.fetchall())
    shown = {column.name: column.type for column in COMBINED_SCHEMA.columns}
    assert shown == {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in columns.items()}
