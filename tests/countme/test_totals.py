"""Counting weeks on a real database: what counts, when a week is complete, what makes it be counted anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from stats_assets.countme.totals import changed_weeks
from tests.countme.world import World, hit_line, noon

MONDAY = date(2024, 3, 4)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]
NEXT_MONDAY = MONDAY + timedelta(days=7)
SUNDAY_BEFORE = MONDAY - timedelta(days=1)
NEEDED = [SUNDAY_BEFORE, *WEEK]
LATER = datetime(2024, 4, 3, tzinfo=UTC)


def deliver_week(world: World) -> None:
    world.deliver(SUNDAY_BEFORE, [])
    for day in WEEK:
        world.deliver(day, [hit_line(noon(day, n), f"192.0.2.{n}", 1 + n % 4) for n in range(8)])


def changed(world: World, now: datetime = LATER) -> list[date]:
    config = world.config.model_copy(update={"first_day": SUNDAY_BEFORE})
    with world.database.transaction() as cursor:
        return changed_weeks(cursor, config, config.counted_sites[0], now)


def test_hits_with_countme_are_counted_by_age_and_addresses_by_day(world: World):
    deliver_week(world)
    world.load(*WEEK)
    world.count(MONDAY)
    ages = world.rows("SELECT sys_age, hits FROM countme.weekly_totals ORDER BY sys_age")
    assert ages == [(-1, 56), (1, 14), (2, 14), (3, 14), (4, 14)]


def test_an_address_counts_once_a_day_however_often_it_asks(world: World):
    world.deliver(MONDAY, [hit_line(noon(MONDAY, n), countme=None) for n in range(5)])
    world.deliver(WEEK[1], [hit_line(noon(WEEK[1]), countme=2)])
    world.load(*WEEK[:2])
    world.count(MONDAY)
    assert world.rows("SELECT sys_age, hits FROM countme.weekly_totals ORDER BY 1") == [(-1, 2), (2, 1)]


def test_weeks_begin_on_monday_midnight_utc(world: World):
    midnight = datetime(2024, 3, 11, tzinfo=UTC)
    world.deliver(WEEK[6], [hit_line(midnight - timedelta(seconds=1)), hit_line(midnight)])
    world.load(WEEK[6])
    assert (world.count(MONDAY).hits, world.count(NEXT_MONDAY).hits) == (1, 1)


def test_a_week_across_new_year_is_one_week(world: World):
    days = [date(2024, 12, 30) + timedelta(days=n) for n in range(7)]
    world.deliver(days[0] - timedelta(days=1), [])
    for day in days:
        world.deliver(day, [hit_line(noon(day))])
    world.load(days[0] - timedelta(days=1), *days)
    report = world.count(days[0])
    assert (report.hits, report.status) == (7, "final")


def test_a_week_is_final_when_every_day_of_every_host_is_loaded(world: World):
    deliver_week(world)
    world.load(*NEEDED)
    report = world.count(MONDAY)
    assert (report.status, report.coverage, report.missing, report.rows, report.hits) == ("final", 1.0, "", 5, 56)


@pytest.mark.parametrize("trouble", ["missing", "not loaded"])
def test_a_week_that_lacks_a_file_says_which(world: World, trouble: str):
    deliver_week(world)
    if trouble == "missing":
        world.fail_to_deliver(WEEK[2])
    world.load(*[day for day in NEEDED if day != WEEK[2]])
    report = world.count(MONDAY)
    found = (report.status, report.coverage, report.missing)
    assert found == ("partial", 7 / 8, f"2024-03-06: proxy01 {trouble}")


def test_a_late_day_makes_its_week_be_counted_anew(world: World):
    deliver_week(world)
    world.load(*WEEK[:6])
    assert world.count(MONDAY).hits == 48
    assert changed(world) == []
    world.load(WEEK[6])
    assert changed(world) == [MONDAY]
    assert world.count(MONDAY).hits == 56
    assert changed(world) == []


def test_a_line_with_a_future_date_closes_no_week_in_strict(world: World):
    deliver_week(world)
    world.deliver(WEEK[2], [hit_line(noon(WEEK[2])), hit_line(noon(MONDAY + timedelta(days=300)))])
    world.load(*WEEK[:3])
    assert world.count(MONDAY).status == "partial"


def test_compat_publishes_a_week_once_something_later_was_seen(world: World):
    compat = world.with_config(policy="compat")
    world.deliver(MONDAY, [hit_line(noon(MONDAY)), hit_line(noon(MONDAY), "192.0.2.2", None)])
    compat.load(MONDAY)
    assert compat.count(MONDAY).rows == 0
    world.deliver(NEXT_MONDAY, [hit_line(noon(NEXT_MONDAY)), hit_line(noon(NEXT_MONDAY), "192.0.2.2", None)])
    compat.load(NEXT_MONDAY)
    assert changed(compat) == [MONDAY, NEXT_MONDAY]
    report = compat.count(MONDAY)
    assert (report.status, report.rows) == ("partial", 2)
    assert "never synchronized" in report.missing


def test_compat_waits_for_the_jitter_of_ten_minutes(world: World):
    compat = world.with_config(policy="compat")
    end = datetime(2024, 3, 11, tzinfo=UTC)
    for late, rows in ((599, 0), (600, 2)):
        at = end + timedelta(seconds=late)
        world.deliver(MONDAY, [hit_line(noon(MONDAY)), hit_line(noon(MONDAY), countme=None)])
        world.deliver(NEXT_MONDAY, [hit_line(at), hit_line(at, countme=None)])
        compat.load(MONDAY, NEXT_MONDAY)
        assert compat.count(MONDAY).rows == rows


def test_compat_makes_each_pass_when_its_own_kind_of_row_came_later(world: World):
    compat = world.with_config(policy="compat")
    world.deliver(MONDAY, [hit_line(noon(MONDAY)), hit_line(noon(MONDAY), countme=None)])
    world.deliver(NEXT_MONDAY, [hit_line(noon(NEXT_MONDAY))])
    compat.load(MONDAY, NEXT_MONDAY)
    compat.count(MONDAY)
    assert compat.rows("SELECT sys_age FROM countme.weekly_totals") == [(1,)]


def test_repeats_do_not_count(world: World):
    compat = world.with_config(policy="compat")
    world.deliver(MONDAY, [hit_line(noon(MONDAY))] * 3)
    world.deliver(NEXT_MONDAY, [hit_line(noon(NEXT_MONDAY))])
    compat.load(MONDAY, NEXT_MONDAY)
    assert compat.count(MONDAY).hits == 1
