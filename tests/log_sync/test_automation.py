"""Ticks of the schedule and of the sensor."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from stats_assets.log_sync import store
from stats_assets.log_sync.assets import FILES
from stats_assets.log_sync.automation import JOB, SCHEDULE, SENSOR
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.defs import definitions
from stats_assets.log_sync.sync import day_sync
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.sources import Answer, Folder, HttpSource, config_of, log_bytes

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
FIRST_DAY = TODAY - timedelta(days=30)


class Watch:
    """The sensor on a configuration, with what has been fetched so far."""

    def __init__(self, database: StatsDatabase, archive: Archive, config: LogSyncConfig) -> None:
        self.database, self.archive, self.config = database, archive, config
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def fetch(self, *days_ago: int) -> None:
        with day_sync(self.database, self.archive, self.config, lambda: datetime.now(UTC), lambda _: None) as sync:
            for days in days_ago:
                sync.sync(TODAY - timedelta(days=days))

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        """What it asks for, and why not if it does not."""
        resources = {"database": self.database, "archive": self.archive}
        repository = repository_of(self.config, **resources)
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=repository, resources=resources
        )
        data = repository.get_sensor_def(SENSOR).evaluate_tick(context)
        self.cursor = data.cursor
        return list(data.run_requests or []), data.skip_message or ""


def repository_of(config: LogSyncConfig, is_running: bool = False, **resources: object) -> dg.RepositoryDefinition:
    defs = definitions(config, FIRST_DAY, is_running)
    stand_ins = {"database": StatsDatabase(dsn=""), "archive": Archive(url="")}
    return dg.Definitions.merge(defs, dg.Definitions(resources=stand_ins | resources)).get_repository_def()


@pytest.fixture
def watch(database: StatsDatabase, archive: Archive, folder: Folder, tmp_path: Path) -> Watch:
    return Watch(database, archive, config_of(tmp_path, folder.host))


def ask(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    """First and last day of each request."""
    return [
        (request.partition_key, request.partition_key)
        if request.partition_key
        else (request.tags["dagster/asset_partition_range_start"], request.tags["dagster/asset_partition_range_end"])
        for request in requests
    ]


def day(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


def test_nothing_is_asked_for_before_anybody_has_fetched_a_day(watch: Watch, folder: Folder):
    folder.deliver(log_bytes(), YESTERDAY)
    requests, why_not = watch.tick()
    assert requests == []
    assert "no day has been fetched" in why_not


def test_a_late_file_is_asked_for_when_it_has_come(watch: Watch, folder: Folder):
    watch.fetch(1)
    assert watch.tick()[0] == []
    folder.deliver(log_bytes(), YESTERDAY)
    requests, _ = watch.tick()
    assert ask(requests) == [(str(YESTERDAY), str(YESTERDAY))]


def test_the_same_news_has_the_same_run_key(watch: Watch, folder: Folder):
    watch.fetch(1)
    folder.deliver(log_bytes(), YESTERDAY)
    assert watch.tick()[0][0].run_key == watch.tick()[0][0].run_key


def test_a_changed_file_is_asked_for(watch: Watch, folder: Folder):
    folder.deliver(log_bytes(), day(3))
    watch.fetch(3)
    folder.deliver(log_bytes("corrected"), day(3))
    assert ask(watch.tick()[0]) == [(str(day(3)), str(day(3)))]


def test_days_the_schedule_slept_through_are_asked_for_as_one_range(watch: Watch, folder: Folder):
    for days_ago in range(1, 6):
        folder.deliver(log_bytes(), day(days_ago))
    watch.fetch(5)
    assert ask(watch.tick()[0]) == [(str(day(4)), str(day(1)))]


def test_a_file_beyond_the_window_is_left_to_the_operator(watch: Watch, folder: Folder):
    watch.fetch(20)
    folder.deliver(log_bytes(), day(20))
    assert watch.tick()[0] == []


@pytest.mark.parametrize(
    "run",
    [
        {"job_name": "__ASSET_JOB", "asset_selection": frozenset([FILES])},
        {"job_name": JOB},  # as the schedule and this sensor ask for it
    ],
    ids=["by asset", "by job"],
)
def test_it_waits_while_files_are_being_fetched(watch: Watch, folder: Folder, run: dict):
    watch.fetch(1)
    folder.deliver(log_bytes(), YESTERDAY)
    watch.instance.add_run(dg.DagsterRun(status=dg.DagsterRunStatus.STARTED, **run))
    requests, why_not = watch.tick()
    assert requests == []
    assert "being fetched" in why_not


def test_a_silent_host_is_named_and_costs_one_question(
    database: StatsDatabase, archive: Archive, tmp_path: Path, source: HttpSource, folder: Folder
):
    config = config_of(tmp_path, source.host.model_copy(update={"name": "web9"}), folder.host)
    watch = Watch(database, archive, config)
    watch.fetch(14)
    for days_ago in range(1, 15):
        source.answer(Answer(status=503), day=day(days_ago))
    source.requests.clear()
    requests, why_not = watch.tick()
    assert requests == []
    assert "no answer from web9" in why_not
    assert source.count("HEAD") < 14


def test_the_schedule_asks_for_yesterday_just_after_the_logs_are_rotated(tmp_path: Path):
    schedule = repository_of(config_of(tmp_path)).get_schedule_def(SCHEDULE)
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 0, 30, tzinfo=UTC)
    (request,) = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at)).run_requests or []
    assert request.partition_key == str(YESTERDAY)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 0 * * *", "UTC")


@pytest.mark.parametrize(("is_running", "status"), [(False, "STOPPED"), (True, "RUNNING")])
def test_automation_runs_only_where_it_is_told_to(tmp_path: Path, is_running: bool, status: str):
    repository = repository_of(config_of(tmp_path), is_running)
    assert repository.get_schedule_def(SCHEDULE).default_status.value == status
    assert repository.get_sensor_def(SENSOR).default_status.value == status


def test_rows_the_sensor_reads_are_never_written_by_it(watch: Watch, folder: Folder, database: StatsDatabase):
    watch.fetch(1)
    folder.deliver(log_bytes(), YESTERDAY)
    watch.tick()
    with database.transaction() as cursor:
        rows = store.rows_of_days(cursor, FIRST_DAY, TODAY)
    assert [row.state for row in rows.values()] == ["missing"]


def test_after_an_outage_every_missing_late_and_changed_day_of_the_window_is_asked_for(watch: Watch, folder: Folder):
    for days_ago in (14, 9, 5):
        folder.deliver(log_bytes(), day(days_ago))
    watch.fetch(14, 9, 8, 5)  # day 8 was missing
    folder.deliver(log_bytes("changed"), day(9))
    for days_ago in (13, 12, 8, 4, 3, 2, 1):
        folder.deliver(log_bytes(), day(days_ago))
    assert ask(watch.tick()[0]) == [
        (str(day(13)), str(day(12))),
        (str(day(9)), str(day(8))),
        (str(day(4)), str(day(1))),
    ]


def test_the_window_is_configurable(database: StatsDatabase, archive: Archive, tmp_path: Path, folder: Folder):
    watch = Watch(database, archive, config_of(tmp_path, folder.host, late_window_days=25))
    watch.fetch(25)
    folder.deliver(log_bytes(), day(25))
    assert ask(watch.tick()[0]) == [(str(day(25)), str(day(25)))]


def test_days_that_are_waived_since_are_asked_for_however_old(
    database: StatsDatabase, archive: Archive, tmp_path: Path, folder: Folder
):
    Watch(database, archive, config_of(tmp_path, folder.host)).fetch(29, 28, 3)
    waiver = {"host": "web1", "from": str(day(29)), "to": str(day(28)), "reason": "its disk died"}
    watch = Watch(database, archive, config_of(tmp_path, folder.host, waivers=[waiver]))
    assert ask(watch.tick()[0]) == [(str(day(29)), str(day(28)))]
    watch.fetch(29, 28)
    assert watch.tick()[0] == []
