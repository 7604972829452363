"""The room in Dagster: a run over days of which one fails, the sensors, what is published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from stats_assets.crashes import automation
from stats_assets.crashes.defs import definitions
from stats_assets.shared.archive import Archive
from tests.crashes.world import TUESDAY, World, noon, report

DAYS = [TUESDAY + timedelta(days=n) for n in range(3)]
MISSING = DAYS[1]


def resources(world: World) -> dict[str, Any]:
    return {"database": world.database, "archive": Archive(url=str(world.folder / "archive"))}


def run(world: World, instance: dg.DagsterInstance, job: str, first: date, last: date) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions.merge(definitions(world.config, False), dg.Definitions(resources=resources(world)))
    tags: Mapping[str, str] = {
        "dagster/asset_partition_range_start": str(first),
        "dagster/asset_partition_range_end": str(last),
    }
    return defs.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def materialized(instance: dg.DagsterInstance, table: str) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey(["crashes", table]))


@pytest.fixture
def delivered(world: World) -> World:
    """Three days; installs of the second have not come."""
    for number, day in enumerate(DAYS):
        world.deliver(day, number)
    (world.folder / f"adi/{MISSING}.csv").rename(world.folder / "late.csv")
    return world


def test_a_day_that_lacks_a_feed_fails_by_name_and_is_filled_when_the_feed_has_come(delivered: World):
    with dg.DagsterInstance.ephemeral() as instance:
        first = run(delivered, instance, automation.LOAD_JOB, DAYS[0], DAYS[-1])
        assert not first.success
        failures = [event.step_failure_data for event in first.all_events if event.is_step_failure]
        told = [str(data.user_failure_data and data.user_failure_data.description) for data in failures]
        assert len(told) == 1
        assert f"1 of 3 days failed: {MISSING}: " in told[0]
        assert "the other 2 days are done" in told[0]
        others = {str(DAYS[0]), str(DAYS[2])}
        assert materialized(instance, "active_daily_installs") == others
        assert materialized(instance, "reports") == materialized(instance, "signature_counts") == set(map(str, DAYS))

        (delivered.folder / "late.csv").rename(delivered.folder / f"adi/{MISSING}.csv")
        assert run(delivered, instance, automation.LOAD_JOB, MISSING, MISSING).success
        assert materialized(instance, "active_daily_installs") == set(map(str, DAYS))
        assert run(delivered, instance, automation.COUNT_JOB, DAYS[0], DAYS[-1]).success
        assert materialized(instance, "daily_crash_rates") == set(map(str, DAYS))


def test_what_is_published_is_in_the_archive_and_in_metadata(delivered: World):
    (delivered.folder / "late.csv").rename(delivered.folder / f"adi/{MISSING}.csv")
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(delivered, instance, automation.LOAD_JOB, DAYS[0], DAYS[-1]).success
        folder = delivered.folder / "archive/published/crashes"
        # Three crashes of the release, one a day; all are of signature A.
        assert (folder / "top_crashers.csv").read_text().splitlines()[1] == "Owl,release,1,A,3,100.00,0,0,0"
        assert (folder / "crash-rates-owl.png").read_bytes().startswith(b"\x89PNG")
        event = instance.get_latest_materialization_event(dg.AssetKey(["crashes", "top_crashers"]))
        assert event is not None
        assert event.asset_materialization is not None
        shown = event.asset_materialization.metadata["top_crashers"]
        assert isinstance(shown, dg.MarkdownMetadataValue)
        assert "| Owl | release | 1 | `A` | 3 |" in (shown.md_str or "")


def test_unusual_days_are_told_by_the_checks(world: World):
    # The same weekday three times: 100 installs and one crash, then 1,000 installs and five crashes, two unusable.
    weeks = [TUESDAY + timedelta(weeks=n) for n in range(3)]
    for number, day in enumerate(weeks[:2]):
        world.deliver(day, number)
    world.deliver(weeks[2])
    installs = world.folder / f"adi/{weeks[2]}.csv"
    installs.write_text(installs.read_text().replace(",100\n", ",1000\n"))
    crashes = [report(n, noon(weeks[2]), product="Elk" if n == 1 else "Owl") for n in range(5)]
    world.deliver_reports(weeks[2], crashes, b"{\n{\n")
    with dg.DagsterInstance.ephemeral() as instance:
        results = [run(world, instance, automation.LOAD_JOB, day, day) for day in weeks]
        assert all(result.success for result in results)
        found = {
            check.check_name: check.description or ""
            for check in results[-1].get_asset_check_evaluations()
            if not check.passed
        }
    assert f"{weeks[2]}: Owl has 1000 installs, usual for the weekday are 100" in found["installs_are_as_usual"]
    assert f"{weeks[2]}: the day has 5 crashes, usual for the weekday are 1" in found["crashes_are_as_usual"]
    assert f"{weeks[2]}: 1 of 7 reports are of no known product" in found["report_products_are_known"]
    assert f"{weeks[2]}: 2 of 7 documents could not be used" in found["report_documents_are_readable"]


# --- sensors -------------------------------------------------------------------------------------------------


@pytest.fixture
def recent(world: World) -> list[date]:
    """The three days before today, for sensors look back from today."""
    today = datetime.now(UTC).date()
    world.settings = {"late_window_days": 3}
    return [today - timedelta(days=n) for n in (3, 2, 1)]


def asked(world: World, sensor: str) -> list[tuple[str, str]]:
    defs = dg.Definitions.merge(definitions(world.config, False), dg.Definitions(resources=resources(world)))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources=resources(world))
        answer = defs.resolve_sensor_def(sensor)(context)
    if not isinstance(answer, dg.SensorResult):
        return []
    found = []
    for request in answer.run_requests or []:
        key = request.partition_key or ""
        found.append((request.tags.get("dagster/asset_partition_range_start", key), request.partition_key or ""))
    return found


def test_the_sensor_asks_for_feeds_that_came_late_or_changed(world: World, recent: list[date]):
    for day in recent:
        world.deliver(day)
    (world.folder / f"adi/{recent[1]}.csv").rename(world.folder / "late.csv")
    for day in recent:
        world.loader().load_reports(day)
        world.loader().load_raw_crashes(day)
        if day != recent[1]:
            world.loader().load_installs(day)
    assert asked(world, automation.LATE_FEEDS) == []
    (world.folder / "late.csv").rename(world.folder / f"adi/{recent[1]}.csv")
    assert asked(world, automation.LATE_FEEDS) == [(str(recent[1]), str(recent[1]))]
    world.loader().load_installs(recent[1])
    assert asked(world, automation.LATE_FEEDS) == []
    world.deliver_reports(recent[2], [report(9, noon(recent[2])), report(10, noon(recent[2]))])
    assert asked(world, automation.LATE_FEEDS) == [(str(recent[2]), str(recent[2]))]


def test_before_anything_is_loaded_the_sensor_asks_for_what_has_come(world: World, recent: list[date]):
    world.deliver(recent[0])
    assert asked(world, automation.LATE_FEEDS) == [(str(recent[0]), str(recent[0]))]


def test_the_sensor_asks_to_count_days_anew_when_inputs_versions_or_maps_changed(world: World, recent: list[date]):
    for day in recent:
        world.deliver(day)
    world.load(*recent)
    world.count(*recent)
    assert asked(world, automation.STALE_DAYS) == []
    world.execute(f"DELETE FROM crashes.aggregate_days WHERE aggregate = 'duplicates' AND day = '{recent[0]}'")
    assert [first for first, _ in asked(world, automation.STALE_DAYS)] == [str(recent[0])]
    world.count(recent[0])
    world.loader().load_installs(recent[1])
    assert [first for first, _ in asked(world, automation.STALE_DAYS)] == [str(recent[1])]
    world.count(recent[1])
    # A build of the newest day changes nothing of the days before it.
    later = f"{recent[2]:%Y%m%d}"
    releases = (world.folder / "releases.csv").read_text()
    world.write("releases.csv", f"{releases}owl,12.0a1,win32,{later}030000,nightly,,dev,build1,{later}\n")
    world.make_versions()
    assert [first for first, _ in asked(world, automation.STALE_DAYS)] == [str(recent[2])]
    world.count(recent[2])
    types = (world.folder / "maps/crash_types.csv").read_text()
    world.write("maps/crash_types.csv", types.replace("content,content,False,T,True", "content,content,False,T,False"))
    world.make_versions()
    assert [first for first, _ in asked(world, automation.STALE_DAYS)] == [str(recent[0])]
