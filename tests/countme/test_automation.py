"""What the sensors and the schedule ask for, evaluated as the daemon does it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from stats_assets.countme.assets import RAW_HITS
from stats_assets.countme.defs import definitions
from tests.countme.world import World, hit_line, noon

MONDAY = date(2024, 3, 4)
DAYS = [MONDAY + timedelta(days=n) for n in range(7)]


class Watch:
    def __init__(self, world: World) -> None:
        self.world = world.with_config(first_day=MONDAY)
        self.instance = dg.DagsterInstance.ephemeral()
        self.resources = {"database": world.database, "archive": world.archive}
        upstream = dg.AssetSpec(["log_sync", "files"])  # another room's
        defs = definitions(self.world.config, automation_is_running=True)
        self.repository = dg.Definitions.merge(
            defs, dg.Definitions(assets=[upstream], resources=self.resources)
        ).get_repository_def()

    def tick(self, sensor: str) -> tuple[list[tuple[str, str]], str]:
        """The ranges it asks for, and why not if it does not."""
        context = dg.build_sensor_context(
            instance=self.instance, repository_def=self.repository, resources=self.resources
        )
        data = self.repository.get_sensor_def(sensor).evaluate_tick(context)
        return [_range(request) for request in data.run_requests or []], data.skip_message or ""


def _range(request: dg.RunRequest) -> tuple[str, str]:
    if request.partition_key:
        return request.partition_key, request.partition_key
    return request.tags["dagster/asset_partition_range_start"], request.tags["dagster/asset_partition_range_end"]


@pytest.fixture
def watch(world: World) -> Watch:
    for day in DAYS:
        world.deliver(day, [hit_line(noon(day))])
    return Watch(world)


def test_days_that_were_never_loaded_are_asked_for_as_one_range(watch: Watch):
    assert watch.tick("countme_changed_days") == ([("2024-03-04", "2024-03-10")], "")


def test_loaded_days_are_not_asked_for_again(watch: Watch):
    watch.world.load(*DAYS)
    assert watch.tick("countme_changed_days") == ([], "every complete day is loaded as its files are now")


def test_a_changed_file_is_asked_for(watch: Watch):
    watch.world.load(*DAYS)
    watch.world.deliver(DAYS[3], [hit_line(noon(DAYS[3], 5))])
    assert watch.tick("countme_changed_days")[0] == [("2024-03-07", "2024-03-07")]


def test_a_day_that_lacks_a_file_waits_for_it(watch: Watch):
    watch.world.fail_to_deliver(DAYS[3], "proxy02")
    assert watch.tick("countme_changed_days")[0] == [("2024-03-04", "2024-03-06"), ("2024-03-08", "2024-03-10")]


def test_a_changed_policy_asks_for_every_day(watch: Watch):
    watch.world.load(*DAYS)
    assert Watch(watch.world.with_config(policy="compat")).tick("countme_changed_days")[0] == [
        ("2024-03-04", "2024-03-10")
    ]


def test_nothing_is_asked_for_while_days_are_being_loaded(watch: Watch):
    watch.instance.create_run_for_job(
        watch.repository.get_job("countme_load"), status=dg.DagsterRunStatus.STARTED, asset_selection={RAW_HITS}
    )
    ranges, reason = watch.tick("countme_changed_days")
    assert ranges == []
    assert "under way" in reason


def test_weeks_are_asked_for_when_their_hits_have_changed(watch: Watch):
    watch.world.load(*DAYS)
    assert watch.tick("countme_changed_weeks")[0] == [("2024-03-04", "2024-03-04")]
    watch.world.count(MONDAY)
    assert watch.tick("countme_changed_weeks") == ([], "every week is counted from the hits there are now")


def test_the_schedule_counts_the_last_week_on_tuesday(watch: Watch):
    schedule = watch.repository.get_schedule_def("countme_weekly")
    context = dg.build_schedule_context(
        instance=watch.instance,
        scheduled_execution_time=datetime(2024, 3, 12, 5, 30, tzinfo=UTC),
        repository_def=watch.repository,
    )
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == "2024-03-04"


@pytest.mark.parametrize("is_running", [True, False])
def test_automation_runs_only_where_it_is_told_to(world: World, is_running: bool):
    defs = definitions(world.config, is_running)
    expected = "RUNNING" if is_running else "STOPPED"
    states = [sensor.default_status.value for sensor in defs.sensors or []]
    states += [schedule.default_status.value for schedule in defs.schedules or []]
    assert states == [expected] * 6
