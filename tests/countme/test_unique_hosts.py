"""Unique hosts per day on a real database: who counts, on which day, under which name; as Dagster runs it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from stats_assets.countme.assets import RAW_HITS, build_assets
from stats_assets.countme.export import export
from stats_assets.countme.unique_hosts import HostDayReport, changed_host_days, replace_host_day
from stats_assets.countme.unique_hosts_asset import DAILY_UNIQUE_HOSTS, build_unique_hosts, build_unique_hosts_asset
from tests.countme.world import SITE, World, hit_line, noon

MONDAY = date(2024, 3, 4)
DAYS = [MONDAY + timedelta(days=n) for n in range(9)]
MIDNIGHT = datetime(2024, 3, 5, tzinfo=UTC)  # from the first day to the second
TODAY = MONDAY + timedelta(days=30)


@pytest.fixture
def hosts(world: World) -> World:
    return world.with_config(first_day=MONDAY)


def count(world: World, *days: date) -> list[HostDayReport]:
    (site,) = world.config.counted_sites
    return [replace_host_day(world.database, site, day) for day in days]


def counted(world: World) -> list[tuple]:
    return world.rows("SELECT day, repository, architecture, hosts FROM countme.daily_unique_hosts ORDER BY 1, 2, 3")


def changed(world: World) -> list[date]:
    with world.database.transaction() as cursor:
        return changed_host_days(cursor, world.config, world.config.counted_sites[0], TODAY)


def deliver_days(world: World) -> None:
    """A host a day more than the day before, each asking for two repositories; a late line in the next day's file."""
    for number, day in enumerate(DAYS, start=1):
        lines = [hit_line(noon(day, n), f"192.0.2.{n}", repo=repo) for n in range(number) for repo in ("f39", "epel-9")]
        world.deliver(day, [hit_line(noon(day - timedelta(days=1)), "198.51.100.7"), *lines])


def test_an_address_counts_once_a_day_however_often_it_asks(hosts: World):
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY, n), countme=n % 2 or None) for n in range(5)])
    hosts.load(MONDAY)
    count(hosts, MONDAY)
    assert counted(hosts) == [(MONDAY, "f39", "x86_64", 1)]


def test_an_address_that_asks_on_two_hosts_counts_once(hosts: World):
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY))], "proxy01")
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY)), hit_line(noon(MONDAY), "192.0.2.2")], "proxy02")
    hosts.load(MONDAY)
    count(hosts, MONDAY)
    assert counted(hosts) == [(MONDAY, "f39", "x86_64", 2)]


def test_tags_and_systems_of_one_name_are_one_repository(hosts: World):
    other = "libdnf (Fedora Linux 39; server; Linux.x86_64)"
    tags = ["fedora-39", "updates-released-f39", "updates%2Dreleased%2Df39"]
    hosts.deliver(MONDAY, [*[hit_line(noon(MONDAY), repo=tag) for tag in tags], hit_line(noon(MONDAY), agent=other)])
    hosts.load(MONDAY)
    count(hosts, MONDAY)
    assert counted(hosts) == [(MONDAY, "f39", "x86_64", 1)]


def test_an_address_counts_for_each_repository_and_architecture(hosts: World):
    asked = [("fedora-40", "x86_64"), ("fedora-40", "armhfp"), ("epel-9", "x86_64")]
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY), repo=repo, arch=arch) for repo, arch in asked])
    hosts.load(MONDAY)
    (report,) = count(hosts, MONDAY)
    assert counted(hosts) == [
        (MONDAY, "epel9", "x86_64", 1),
        (MONDAY, "f40", "arm", 1),
        (MONDAY, "f40", "x86_64", 1),
    ]
    assert report == HostDayReport(SITE, MONDAY, rows=3, hosts=3, unmapped=0, unmapped_tags={})


def test_repositories_without_a_name_are_counted_and_the_largest_are_named(hosts: World):
    tags = ["second-repo"] * 3 + ["a" * 500] * 2 + ["epel-9"]
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY), f"192.0.2.{n}", repo=tag) for n, tag in enumerate(tags)])
    hosts.load(MONDAY)
    (report,) = count(hosts, MONDAY)
    assert counted(hosts) == [(MONDAY, "epel9", "x86_64", 1), (MONDAY, "unmapped", "x86_64", 5)]
    assert list(report.unmapped_tags.items()) == [("second-repo", 3), ("a" * 60, 2)]


def test_a_hit_counts_on_its_utc_day_whatever_the_date_of_its_file(hosts: World):
    second = timedelta(seconds=1)
    hosts.deliver(DAYS[0], [hit_line(MIDNIGHT - second), hit_line(MIDNIGHT, "192.0.2.2")])
    hosts.deliver(DAYS[1], [hit_line(MIDNIGHT - second, "192.0.2.3"), hit_line(MIDNIGHT, "192.0.2.4")])
    hosts.load(*DAYS[:2])
    count(hosts, *DAYS[:2])
    assert counted(hosts) == [(DAYS[0], "f39", "x86_64", 2), (DAYS[1], "f39", "x86_64", 2)]


def test_a_day_without_hits_has_no_row(hosts: World):
    assert count(hosts, MONDAY) == [HostDayReport(SITE, MONDAY, 0, 0, 0, {})]
    assert counted(hosts) == []


def test_another_site_is_not_counted(hosts: World):
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY))])
    hosts.load(MONDAY)
    count(hosts.with_config(site="mirrors.example.org"), MONDAY)
    assert counted(hosts) == []


def test_a_rerun_changes_nothing(hosts: World):
    deliver_days(hosts)
    hosts.load(*DAYS)
    count(hosts, *DAYS)
    first = counted(hosts)
    count(hosts, *DAYS)
    assert counted(hosts) == first
    assert len(first) == 2 * len(DAYS)


def test_the_order_in_which_days_are_loaded_and_counted_does_not_matter(hosts: World):
    deliver_days(hosts)
    hosts.load(*DAYS)
    count(hosts, *DAYS)
    forward = counted(hosts)
    with hosts.database.transaction() as cursor:
        cursor.execute("TRUNCATE countme.sources, countme.raw_hits, countme.daily_unique_hosts CASCADE")
    hosts.load(*reversed(DAYS))
    count(hosts, *reversed(DAYS))
    assert counted(hosts) == forward


def test_days_that_were_never_counted_are_asked_for_up_to_yesterday(hosts: World):
    hosts.deliver(DAYS[1], [hit_line(noon(DAYS[1])), hit_line(noon(DAYS[2]))])
    hosts.load(DAYS[1])
    assert changed(hosts) == DAYS[1:3]
    with hosts.database.transaction() as cursor:
        assert changed_host_days(cursor, hosts.config, hosts.config.counted_sites[0], today=DAYS[2]) == [DAYS[1]]


def test_a_late_line_in_the_next_file_makes_its_day_be_counted_anew(hosts: World):
    hosts.deliver(DAYS[0], [hit_line(noon(DAYS[0]))])
    hosts.load(DAYS[0])
    count(hosts, DAYS[0])
    assert changed(hosts) == []
    hosts.deliver(DAYS[1], [hit_line(noon(DAYS[0]), "192.0.2.2"), hit_line(noon(DAYS[1]))])
    hosts.load(DAYS[1])
    assert changed(hosts) == DAYS[:2]
    count(hosts, *DAYS[:2])
    assert (counted(hosts)[0][3], changed(hosts)) == (2, [])


def test_a_day_that_loses_its_hits_is_counted_anew_once(hosts: World):
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY))])
    hosts.load(MONDAY)
    count(hosts, MONDAY)
    hosts.fail_to_deliver(MONDAY)
    hosts.load(MONDAY)
    assert changed(hosts) == [MONDAY]
    count(hosts, MONDAY)
    assert (counted(hosts), changed(hosts)) == ([], [])


def test_the_export_is_sorted_and_complete(hosts: World, tmp_path: Path):
    deliver_days(hosts)
    hosts.load(*DAYS[:2])
    count(hosts, *reversed(DAYS[:2]))
    assert tmp_path / "out/daily_unique_hosts.csv" in export(hosts.database, tmp_path / "out")
    assert (tmp_path / "out/daily_unique_hosts.csv").read_bytes() == (
        b"day,repository,architecture,hosts\n"
        b"2024-03-04,epel9,x86_64,1\n"
        b"2024-03-04,f39,x86_64,2\n"
        b"2024-03-05,epel9,x86_64,2\n"
        b"2024-03-05,f39,x86_64,2\n"
    )


def materialize(world: World, first: date, last: date, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    span = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
    return dg.materialize(
        [build_unique_hosts_asset(world.config)],
        instance=instance,
        resources={"database": world.database},
        tags=span,
    )


def test_a_range_gives_the_same_table_as_its_days_one_by_one(hosts: World):
    deliver_days(hosts)
    hosts.load(*DAYS)
    instance = dg.DagsterInstance.ephemeral()
    result = materialize(hosts, DAYS[0], DAYS[-1], instance)
    as_a_range = counted(hosts)
    numbers = [event.materialization.metadata["hosts"].value for event in result.get_asset_materialization_events()]
    assert numbers == [3, 5, 7, 9, 11, 13, 15, 17, 18]
    with hosts.database.transaction() as cursor:
        cursor.execute("TRUNCATE countme.daily_unique_hosts")
    for day in reversed(DAYS):
        materialize(hosts, day, day, instance)
    assert counted(hosts) == as_a_range


def test_hits_and_hosts_of_a_range_are_made_in_one_run(hosts: World):
    deliver_days(hosts)
    result = dg.materialize(
        [*build_assets(hosts.config), build_unique_hosts_asset(hosts.config)],
        selection=dg.AssetSelection.assets(RAW_HITS, DAILY_UNIQUE_HOSTS),
        resources={"database": hosts.database, "archive": hosts.archive},
        tags={"dagster/asset_partition_range_start": str(DAYS[0]), "dagster/asset_partition_range_end": str(DAYS[-1])},
    )
    assert result.success
    assert [row[3] for row in counted(hosts) if row[1] == "f39"] == [2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert changed(hosts) == []


@pytest.mark.parametrize(("strangers", "passed"), [(1, True), (2, False)])
def test_the_check_warns_when_more_than_a_twentieth_of_hosts_has_no_name(hosts: World, strangers: int, passed: bool):
    tags = ["epel-9"] * (20 - strangers) + ["second-repo"] * strangers
    hosts.deliver(MONDAY, [hit_line(noon(MONDAY), f"192.0.2.{n}", repo=tag) for n, tag in enumerate(tags)])
    hosts.load(MONDAY)
    result = materialize(hosts, MONDAY, MONDAY, dg.DagsterInstance.ephemeral())
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert ("most for second-repo (2)" in (check.description or "")) is not passed


def test_a_day_depends_on_the_files_of_its_neighbours_as_far_as_they_exist(hosts: World):
    mapping = build_unique_hosts_asset(hosts.config).get_partition_mapping(RAW_HITS)
    assert mapping == dg.TimeWindowPartitionMapping(
        start_offset=-1, end_offset=1, allow_nonexistent_upstream_partitions=True
    )


def test_the_sensor_asks_for_changed_days_as_ranges_and_then_for_none(hosts: World):
    deliver_days(hosts)
    hosts.load(*DAYS[2:4], DAYS[7])
    upstream = dg.Definitions(assets=[dg.AssetSpec(RAW_HITS)], resources={"database": hosts.database})
    repository = dg.Definitions.merge(
        build_unique_hosts(hosts.config, sensor_is_running=True), upstream
    ).get_repository_def()
    sensor = repository.get_sensor_def("countme_changed_host_days")
    resources, instance = {"database": hosts.database}, dg.DagsterInstance.ephemeral()
    context = dg.build_sensor_context(instance=instance, repository_def=repository, resources=resources)

    spans = [
        (run.tags["dagster/asset_partition_range_start"], run.tags["dagster/asset_partition_range_end"])
        for run in sensor.evaluate_tick(context).run_requests or ()
    ]
    assert spans == [(str(DAYS[1]), str(DAYS[3])), (str(DAYS[6]), str(DAYS[7]))]
    count(hosts, *DAYS)
    assert sensor.evaluate_tick(context).skip_message == "every day's hosts are counted from the hits there are now"
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_the_asset_is_named_like_its_table():
    assert DAILY_UNIQUE_HOSTS.path == ["countme", "daily_unique_hosts"]
