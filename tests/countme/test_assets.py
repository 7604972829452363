"""The room as Dagster runs it: days and ranges, weeks, publishing, checks, failures."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from stats_assets.countme.assets import RAW_HITS, WEEKLY_TOTALS, build_assets
from stats_assets.countme.checks import build_checks
from stats_assets.countme.published_assets import TOTALS_CSV, build_published_assets
from stats_assets.countme.unique_hosts_asset import build_unique_hosts_asset
from tests.countme.world import World, hit_line, noon

MONDAY = date(2024, 3, 4)
SUNDAY_BEFORE = MONDAY - timedelta(days=1)  # its file holds Monday's first minutes
DAYS = [MONDAY + timedelta(days=n) for n in range(14)]
WEEKS = [MONDAY, MONDAY + timedelta(days=7)]


class Runs:
    """Materializes assets of the room on an instance of its own."""

    def __init__(self, world: World) -> None:
        self.world = world.with_config(first_day=SUNDAY_BEFORE)
        self.instance = dg.DagsterInstance.ephemeral()

    def run(
        self, *assets: dg.AssetKey, first: date | None = None, last: date | None = None
    ) -> dg.ExecuteInProcessResult:
        span = {
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last or first),
        }
        return dg.materialize(
            [
                *build_assets(self.world.config),
                build_unique_hosts_asset(self.world.config),
                *build_published_assets(self.world.config),
                *build_checks(self.world.config),
            ],
            selection=dg.AssetSelection.assets(*assets) | dg.AssetSelection.checks_for_assets(*assets),
            instance=self.instance,
            resources={"database": self.world.database, "archive": self.world.archive},
            tags=span if first else {},
            raise_on_error=False,
        )


@pytest.fixture
def runs(world: World) -> Runs:
    """Two weeks of one host, a hit a day more than the day before."""
    world.waive(SUNDAY_BEFORE)
    for number, day in enumerate(DAYS, start=1):
        world.deliver(day, [hit_line(noon(day, n), f"192.0.2.{n}") for n in range(number)])
    return Runs(world)


def metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetKey) -> dict[str | None, dict[str, object]]:
    found = [each for each in result.get_asset_materialization_events() if each.asset_key == asset]
    return {
        each.partition: {name: value.value for name, value in each.materialization.metadata.items()} for each in found
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    return (data.description if data else None) or ""


def test_each_day_of_a_range_has_numbers_of_its_own(runs: Runs):
    result = runs.run(RAW_HITS, first=DAYS[0], last=DAYS[-1])
    rows = {key: found["dagster/row_count"] for key, found in metadata(result, RAW_HITS).items()}
    assert rows == {str(day): number for number, day in enumerate(DAYS, start=1)}


def test_a_range_gives_the_same_tables_as_its_days_one_by_one(runs: Runs):
    runs.run(RAW_HITS, first=DAYS[0], last=DAYS[-1])
    runs.run(WEEKLY_TOTALS, first=WEEKS[0], last=WEEKS[1])
    as_a_range = runs.world.everything()
    with runs.world.database.transaction() as cursor:
        cursor.execute("TRUNCATE countme.sources, countme.raw_hits, countme.weekly_totals, countme.weeks CASCADE")
    for day in reversed(DAYS):
        assert runs.run(RAW_HITS, first=day).success
    for week in reversed(WEEKS):
        assert runs.run(WEEKLY_TOTALS, first=week).success
    assert runs.world.everything() == as_a_range


def test_an_incomplete_week_is_counted_but_left_out_of_what_is_published(runs: Runs):
    runs.run(RAW_HITS, first=DAYS[0], last=DAYS[8])
    counted = runs.run(WEEKLY_TOTALS, first=WEEKS[0], last=WEEKS[1])
    published = metadata(runs.run(TOTALS_CSV), TOTALS_CSV)[None]
    assert "2024-03-13: proxy01 not loaded" in str(published["weeks_left_out"])
    assert published["weeks"] == 1
    check = counted.get_asset_check_evaluations()[0]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2024-03-11 lacks 2024-03-13" in (check.description or "")


def test_each_week_of_a_range_tells_its_state(runs: Runs):
    runs.run(RAW_HITS, first=DAYS[0], last=DAYS[8])
    found = metadata(runs.run(WEEKLY_TOTALS, first=WEEKS[0], last=WEEKS[1]), WEEKLY_TOTALS)
    final, partial = found["2024-03-04"], found["2024-03-11"]
    assert (final["status"], final["coverage"], final["hits"]) == ("final", 1.0, 28)
    assert (partial["status"], partial["coverage"], partial["hits"]) == ("partial", 3 / 8, 17)
    assert partial["sites"]["mirrors.fedoraproject.org"]["revision"] == 1  # type: ignore[index]


def test_a_week_whose_hits_are_gone_keeps_its_totals_and_fails_alone(runs: Runs):
    runs.run(RAW_HITS, first=DAYS[0], last=DAYS[-1])
    runs.run(WEEKLY_TOTALS, first=WEEKS[0], last=WEEKS[1])
    totals = runs.world.totals()
    with runs.world.database.transaction() as cursor:
        cursor.execute("DELETE FROM countme.raw_hits WHERE hit_at < '2024-03-05'")
    result = runs.run(WEEKLY_TOTALS, first=WEEKS[0], last=WEEKS[1])
    message = failure(result)
    assert message.startswith("1 of 2 weeks not counted, the others are done. countme/weekly_totals mirrors.fed")
    assert "2024-03-04: of 28 hits that were loaded 27 are in countme.raw_hits" in message
    assert set(metadata(result, WEEKLY_TOTALS)) == {"2024-03-11"}
    assert runs.world.totals() == totals


def test_a_file_of_garbage_fails_its_check_and_stops_what_comes_after(runs: Runs):
    runs.world.deliver(DAYS[2], [b"garbage\n"] * 50)
    result = runs.run(RAW_HITS, first=DAYS[2])
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.blocking) == (False, True)
    assert "2024-03-06: proxy01, mirrors.fedoraproject.org has 50 of 50 lines rejected, 0 hits" in (
        check.description or ""
    )


def test_a_damaged_copy_fails_its_day_and_no_other(runs: Runs):
    path = runs.world.folder / f"proxy01-{DAYS[1]}.log.gz"
    path.write_bytes(path.read_bytes()[:-9])
    result = runs.run(RAW_HITS, first=DAYS[0], last=DAYS[3])
    assert not result.success
    message = failure(result)
    assert message.startswith("1 of 4 days not loaded, the others are done. countme/raw_hits 2024-03-05: ")
    assert "\n" not in message
    assert runs.instance.get_materialized_partitions(RAW_HITS) == {str(DAYS[0]), str(DAYS[2]), str(DAYS[3])}
