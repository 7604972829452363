"""Keys of finished weeks and old samples are destroyed in time, and what a reload does after that."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import dagster as dg
import pytest

from stats_assets.countme.automation import changed_days
from stats_assets.countme.load import SealedWeekDiffers
from stats_assets.countme.retention import delete_old_samples, destroy_week_keys
from stats_assets.countme.retention_assets import QUARANTINE, WEEK_KEYS, build_retention_assets
from stats_assets.countme.totals import UncountableWeek, changed_weeks
from stats_assets.countme.unique_hosts import IncomparableDay, replace_host_day
from stats_assets.countme.unique_hosts_asset import DAILY_UNIQUE_HOSTS, build_unique_hosts_asset
from tests.countme.world import World, hit_line, noon

MONDAY = date(2024, 3, 4)
SUNDAY_BEFORE = MONDAY - timedelta(days=1)
NEXT_MONDAY = MONDAY + timedelta(days=7)
DAYS = [SUNDAY_BEFORE + timedelta(days=n) for n in range(15)]  # what two weeks need
WEDNESDAY = DAYS[3]
OTHERS = [day for day in DAYS[:8] if day != WEDNESDAY]
LONG_AFTER = datetime.now(UTC) + timedelta(days=36)  # counted_at is the server's clock


def lines(day: date, addresses: int) -> list[bytes]:
    """Hits at noon, and one in the first minutes of the next day, from an address that asks every day."""
    early = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, minutes=2)
    return [*(hit_line(noon(day, n), f"192.0.2.{n}") for n in range(addresses)), hit_line(early, "192.0.2.0")]


@pytest.fixture
def sealed(world: World) -> World:
    """Two final weeks whose keys are destroyed."""
    hashed = world.with_config(keep_addresses=False, first_day=SUNDAY_BEFORE)
    for day in DAYS:
        hashed.deliver(day, lines(day, 3))
    hashed.load(*DAYS)
    assert [hashed.count(week).status for week in (MONDAY, NEXT_MONDAY)] == ["final", "final"]
    destroyed = destroy_week_keys(hashed.database, hashed.config, LONG_AFTER)
    assert destroyed.weeks == [MONDAY, NEXT_MONDAY]
    return hashed


def asked_for(world: World) -> list[date]:
    with world.database.transaction() as cursor:
        return changed_days(cursor, world.config, world.config.counted_sites[0])


def totals(world: World, week: date) -> list[tuple]:
    return world.rows(f"SELECT sys_age, hits FROM countme.weekly_totals WHERE week = '{week}' ORDER BY 1")


def test_keys_stay_until_their_week_has_been_final_for_a_while(world: World):
    hashed = world.with_config(keep_addresses=False)
    destroy = partial(destroy_week_keys, hashed.database, hashed.config)
    for day in DAYS[:8]:
        hashed.deliver(day, lines(day, 1))
    hashed.load(*DAYS[:7])
    assert hashed.count(MONDAY).status == "partial"
    assert destroy(LONG_AFTER).weeks == []
    hashed.load(DAYS[7])
    assert hashed.count(MONDAY).status == "final"
    assert destroy(LONG_AFTER - timedelta(days=2)).weeks == []
    assert destroy(LONG_AFTER).weeks == [MONDAY]
    assert destroy(LONG_AFTER).weeks == []
    assert hashed.rows("SELECT week, key IS NULL FROM countme.week_keys ORDER BY 1") == [
        (MONDAY - timedelta(days=7), False),
        (MONDAY, True),
        (NEXT_MONDAY, False),
    ]


def test_keys_stay_where_addresses_are_kept(world: World):
    for day in DAYS[:8]:
        world.deliver(day, lines(day, 1))
    world.load(*DAYS[:8])
    world.count(MONDAY)
    assert destroy_week_keys(world.database, world.config, LONG_AFTER).weeks == []


def test_a_key_stays_until_the_week_is_final_for_every_site(world: World):
    both = world.with_config(keep_addresses=False, sites=world.sections("mirrors.example.org"))
    for day in DAYS[:8]:
        both.deliver(day, lines(day, 1))
        both.deliver(day, lines(day, 1), site="mirrors.example.org")
    both.load(*DAYS[:8])
    both.count(MONDAY, "mirrors.example.org")
    assert destroy_week_keys(both.database, both.config, LONG_AFTER).weeks == []
    both.count(MONDAY, "mirrors.fedoraproject.org")
    assert destroy_week_keys(both.database, both.config, LONG_AFTER).weeks == [MONDAY]


def test_reloading_unchanged_files_keeps_their_hits_and_totals(sealed: World):
    before = sealed.everything()
    keys = sealed.rows("SELECT address_key FROM countme.raw_hits ORDER BY 1")
    sealed.load(*DAYS)
    assert sealed.everything() == before
    assert sealed.rows("SELECT address_key FROM countme.raw_hits ORDER BY 1") == keys
    assert sealed.rows("SELECT count(*) FROM countme.week_keys WHERE generation > 1") == [(0,)]
    assert sealed.count(MONDAY).revision == 1


def test_a_changed_file_is_counted_when_the_others_of_its_week_are_loaded_by_the_new_key(sealed: World):
    next_week = totals(sealed, NEXT_MONDAY)
    sealed.deliver(WEDNESDAY, lines(WEDNESDAY, 4))
    assert asked_for(sealed) == [WEDNESDAY]
    sealed.load(WEDNESDAY)
    with pytest.raises(
        UncountableWeek, match=r"2024-03-04: .* materialize countme/raw_hits for 2024-03-03, 2024-03-04,"
    ):
        sealed.count(MONDAY)
    assert totals(sealed, MONDAY) == [(-1, 21), (1, 28)]
    assert asked_for(sealed) == OTHERS
    sealed.load(*OTHERS)
    assert asked_for(sealed) == []
    report = sealed.count(MONDAY)
    assert (report.status, report.revision) == ("final", 2)
    assert totals(sealed, MONDAY) == [(-1, 22), (1, 29)]
    sealed.count(NEXT_MONDAY)
    assert totals(sealed, NEXT_MONDAY) == next_week


def test_weeks_and_days_that_do_not_compare_are_not_asked_for_and_not_counted(sealed: World):
    sealed.deliver(WEDNESDAY, lines(WEDNESDAY, 4))
    sealed.load(WEDNESDAY)
    site = sealed.config.counted_sites[0]
    with sealed.database.transaction() as cursor:
        assert MONDAY not in changed_weeks(cursor, sealed.config, site, datetime(2024, 4, 1, tzinfo=UTC))
    thursday = WEDNESDAY + timedelta(days=1)  # its first minutes are in Wednesday's file
    with pytest.raises(IncomparableDay, match=r"2024-03-07: .* materialize countme/raw_hits for 2024-03-07"):
        replace_host_day(sealed.database, site, thursday)
    result = dg.materialize(
        [build_unique_hosts_asset(sealed.config)],
        resources={"database": sealed.database},
        instance=(instance := dg.DagsterInstance.ephemeral()),
        tags={"dagster/asset_partition_range_start": "2024-03-05", "dagster/asset_partition_range_end": "2024-03-08"},
        raise_on_error=False,
    )
    assert not result.success
    assert instance.get_materialized_partitions(DAILY_UNIQUE_HOSTS) == {"2024-03-05", "2024-03-08"}


def test_an_unchanged_file_that_reads_otherwise_now_is_refused(sealed: World):
    with sealed.database.transaction() as cursor:
        cursor.execute(f"DELETE FROM countme.raw_hits WHERE hit_at = '{noon(WEDNESDAY)}'")
    before = sealed.everything()
    with pytest.raises(SealedWeekDiffers, match="nothing was changed"):
        sealed.load(WEDNESDAY)
    assert sealed.everything() == before


def test_old_samples_are_deleted_and_their_counts_stay(world: World):
    world.deliver(MONDAY, [b"garbage\n"] * 3)
    world.load(MONDAY)
    now = datetime.now(UTC)
    assert delete_old_samples(world.database, world.config, now + timedelta(days=89)).left == {"malformed_line": 3}
    deleted = delete_old_samples(world.database, world.config, now + timedelta(days=91))
    assert (deleted.deleted, deleted.left) == (3, {})
    assert world.rows("SELECT verdict, lines FROM countme.verdicts") == [("malformed_line", 3)]


def test_the_assets_tell_what_is_left(sealed: World):
    result = dg.materialize(
        build_retention_assets(sealed.config),
        resources={"database": sealed.database},
        instance=dg.DagsterInstance.ephemeral(),
        selection=[WEEK_KEYS, QUARANTINE],
    )
    (keys,) = [event for event in result.get_asset_materialization_events() if event.asset_key == WEEK_KEYS]
    assert keys.materialization.metadata["keys_left"].value == 2  # of the weeks before and after
