"""What goes wrong with days and clocks, each with the totals that are right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from stats_assets.countme.totals import changed_weeks
from tests.countme.world import World, hit_line, noon

MONDAY = date(2024, 3, 4)
NEXT_MONDAY = MONDAY + timedelta(days=7)
DAYS = [MONDAY + timedelta(days=n) for n in range(-1, 7)]  # what the week needs


def deliver(world: World, *days: date, hits: int = 8, host: str = "proxy01") -> None:
    for day in days:
        world.deliver(day, [hit_line(noon(day, n), f"192.0.2.{n}", 1 + n % 4) for n in range(hits)], host)


def week(world: World, monday: date = MONDAY) -> dict[int, int]:
    """The totals by countme value."""
    return dict(
        world.rows(f"SELECT sys_age, sum(hits)::int FROM countme.weekly_totals WHERE week = '{monday}' GROUP BY 1")
    )


def is_changed(world: World) -> bool:
    with world.database.transaction() as cursor:
        config = world.config.model_copy(update={"first_day": DAYS[0]})
        return MONDAY in changed_weeks(cursor, config, config.counted_sites[0], datetime(2024, 4, 3, tzinfo=UTC))


def stamped(text: str, address: str = "192.0.2.1") -> bytes:
    """A hit whose time is written just so."""
    return hit_line(noon(MONDAY), address).replace(b"04/Mar/2024:12:00:00 +0000", text.encode())


def test_a_late_day_makes_the_week_final_as_a_new_revision(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS[:7])
    first = world.count(MONDAY)
    assert (first.status, first.hits, first.revision) == ("partial", 48, 1)
    world.load(DAYS[7])
    assert is_changed(world)
    second = world.count(MONDAY)
    assert (second.status, second.hits, second.revision) == ("final", 56, 2)
    assert week(world) == {-1: 56, 1: 14, 2: 14, 3: 14, 4: 14}


def test_a_late_host_is_added_and_its_addresses_are_told_from_the_others(world: World):
    deliver(world, *DAYS)
    deliver(world, *DAYS[:7], hits=2, host="proxy02")
    world.load(*DAYS)
    world.fail_to_deliver(DAYS[7], "proxy02")
    partial = world.count(MONDAY)
    assert (partial.status, partial.hits, partial.missing) == ("partial", 68, "2024-03-10: proxy02 missing")
    world.deliver(
        DAYS[7], [hit_line(noon(DAYS[7], 9), "192.0.2.1"), hit_line(noon(DAYS[7], 9), "192.0.2.99")], "proxy02"
    )
    assert is_changed(world)
    world.load(DAYS[7])
    report = world.count(MONDAY)
    assert (report.status, report.coverage, report.hits, report.revision) == ("final", 1.0, 70, 2)
    assert week(world)[-1] == 57  # 192.0.2.1 asked both hosts


def test_a_waived_host_does_not_hold_the_week_back(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS)
    world.fail_to_deliver(DAYS[3], "proxy02")
    assert world.count(MONDAY).status == "partial"
    world.waive(DAYS[3], "proxy02")
    assert is_changed(world)
    report = world.count(MONDAY)
    assert (report.status, report.coverage, report.revision) == ("final", 1.0, 1)


def test_a_day_of_waived_and_fetched_files_is_loaded(world: World):
    deliver(world, MONDAY)
    world.waive(MONDAY, "proxy02")
    assert [day.verdicts["hit"] for day in world.load(MONDAY)] == [8]


def test_a_changed_file_is_counted_instead_of_the_old_one(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS)
    world.count(MONDAY)
    deliver(world, DAYS[4], hits=10)
    assert not is_changed(world)  # nothing is loaded of it yet
    world.load(DAYS[4])
    assert is_changed(world)
    report = world.count(MONDAY)
    assert (report.hits, report.revision) == (58, 2)
    assert week(world)[-1] == 58


def test_a_week_that_loses_all_its_hits_is_counted_once_more_and_is_empty_then(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS)
    world.count(MONDAY)
    for day in DAYS:
        world.deliver(day, [])
    world.load(*DAYS)
    assert is_changed(world)
    report = world.count(MONDAY)
    assert (report.status, report.rows, report.revision) == ("final", 0, 2)
    assert not is_changed(world)


def test_a_recount_that_changes_nothing_is_no_revision(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS)
    world.count(MONDAY)
    world.load(*DAYS)
    assert is_changed(world)
    assert world.count(MONDAY).revision == 1


def test_a_line_with_a_future_date_changes_nothing_but_its_verdict(world: World):
    world = world.with_config(max_rejected_share=0.2)  # it is one line of nine
    deliver(world, *DAYS)
    world.load(*DAYS)
    world.count(MONDAY)
    before = week(world)
    future = hit_line(noon(MONDAY + timedelta(days=300)))
    world.deliver(DAYS[3], [*(hit_line(noon(DAYS[3], n), f"192.0.2.{n}", 1 + n % 4) for n in range(8)), future])
    world.load(DAYS[3])
    report = world.count(MONDAY)
    assert (week(world), report.status, report.revision) == (before, "final", 1)
    assert world.rows("SELECT sum(lines)::int FROM countme.verdicts WHERE verdict = 'outside_window'") == [(1,)]


def test_a_line_with_a_future_date_makes_no_week_final_in_compat_and_adds_nothing_to_its_own(world: World):
    compat = world.with_config(policy="compat")
    deliver(compat, MONDAY)
    compat.deliver(DAYS[2], [hit_line(noon(MONDAY + timedelta(days=300)))])
    compat.load(MONDAY, DAYS[2])
    report = compat.count(MONDAY)
    assert (report.status, week(compat)) == ("partial", {1: 2, 2: 2, 3: 2, 4: 2})


@pytest.mark.parametrize(("jump", "counted"), [(timedelta(hours=-30), 7), (timedelta(days=-5), 6)])
def test_after_a_clock_jump_hits_count_by_their_time_if_it_can_be_true(world: World, jump: timedelta, counted: int):
    """A host whose clock is set back writes on with earlier times: within two days they are believed."""
    tuesday = DAYS[2]
    lines = [hit_line(noon(tuesday, n), f"192.0.2.{n}") for n in range(6)]
    world.deliver(tuesday, [*lines, hit_line(noon(tuesday, 7) + jump, "192.0.2.7")])
    world.load(tuesday)
    world.count(MONDAY)
    assert week(world) == {1: counted, -1: counted}


def test_a_week_across_new_year_is_one_week_of_eight_files(world: World):
    days = [date(2024, 12, 29) + timedelta(days=n) for n in range(8)]
    deliver(world, *days)
    world.load(*days)
    report = world.count(date(2024, 12, 30))
    assert (report.status, report.hits) == ("final", 56)
    assert week(world, date(2024, 12, 30))[-1] == 56


def test_a_leap_second_belongs_to_the_day_it_ends(world: World):
    """2016-12-31, a Saturday, had one; so may a Sunday, where the week would be another with the next day."""
    world.deliver(DAYS[7], [stamped("10/Mar/2024:23:59:60 +0000")])
    world.load(DAYS[7])
    world.count(MONDAY)
    world.count(NEXT_MONDAY)
    assert (week(world), week(world, NEXT_MONDAY)) == ({1: 1, -1: 1}, {})
    compat = world.with_config(policy="compat")
    assert [day.verdicts["bad_time"] for day in compat.load(DAYS[7])] == [1]  # as in the established tool


def test_times_count_by_their_offset_also_when_it_changes_in_a_file(world: World):
    """US Eastern time changed on Sunday, 2024-03-10, 02:00 -0500, which is 03:00 -0400."""
    world.deliver(
        DAYS[7],
        [
            stamped("10/Mar/2024:01:59:59 -0500", "192.0.2.1"),
            stamped("10/Mar/2024:03:00:00 -0400", "192.0.2.2"),  # a second later
            stamped("10/Mar/2024:19:59:59 -0400", "192.0.2.3"),  # the week's last second
            stamped("10/Mar/2024:20:00:00 -0400", "192.0.2.4"),  # the next week's first
            stamped("11/Mar/2024:00:59:59 +0100", "192.0.2.5"),  # the week's last second, too
        ],
    )
    world.load(DAYS[7])
    world.count(MONDAY)
    world.count(NEXT_MONDAY)
    assert week(world) == {1: 4, -1: 4}
    assert week(world, NEXT_MONDAY) == {1: 1, -1: 1}
    hits = world.rows("SELECT hit_at FROM countme.hits ORDER BY hit_at")
    assert hits[1][0] - hits[0][0] == timedelta(seconds=1)


def test_files_dated_by_their_rotation_need_the_monday_after(world: World):
    rotated = world.with_config(covers="previous_day")
    for day in [*DAYS[1:], NEXT_MONDAY]:
        rotated.deliver(day, [hit_line(noon(day - timedelta(days=1)))])
    rotated.load(*DAYS[1:])
    report = rotated.count(MONDAY)
    assert (report.status, report.missing, report.hits) == ("partial", "2024-03-11: proxy01 not loaded", 6)
    rotated.load(NEXT_MONDAY)
    tuesday = datetime(2024, 3, 12, tzinfo=UTC)
    assert rotated.count(MONDAY, now=tuesday).status == "provisional"
    final = rotated.count(MONDAY, now=tuesday + timedelta(minutes=10))
    assert (final.status, final.hits) == ("final", 7)


def test_a_week_is_asked_for_once_more_when_its_jitter_has_passed(world: World):
    deliver(world, *DAYS)
    world.load(*DAYS)
    over = datetime(2024, 3, 11, 0, 10, tzinfo=UTC)
    early = over - timedelta(seconds=1)
    assert world.count(MONDAY, now=early).status == "provisional"
    config = world.config.model_copy(update={"first_day": DAYS[0]})
    with world.database.transaction() as cursor:
        assert changed_weeks(cursor, config, config.counted_sites[0], early) == [MONDAY - timedelta(days=7)]
        assert MONDAY in changed_weeks(cursor, config, config.counted_sites[0], over)
