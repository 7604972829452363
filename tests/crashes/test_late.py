"""Which feeds the sensor asks for, and what of them is to be loaded."""

from __future__ import annotations

from datetime import date, timedelta

from stats_assets.crashes.late import days_to_load, feeds_to_ask, ranges

LAST = date(2026, 5, 20)
DAYS = [LAST - timedelta(days=n) for n in range(27, -1, -1)]
INPUTS = ("reports", "installs")


def loaded(*days: date) -> dict[tuple[str, date], str]:
    return {(name, day): "v1" for name in INPUTS for day in days}


def test_a_missing_day_before_all_that_is_loaded_is_asked_for():
    """The run of the first days may have failed for the earliest of them."""
    asked = feeds_to_ask(INPUTS, DAYS, loaded(*DAYS[1:]), turn=0, at_most=60)
    assert {feed for feed in asked if feed[1] == DAYS[0]} == {("reports", DAYS[0]), ("installs", DAYS[0])}


def test_the_newest_missing_feeds_are_asked_for_first():
    asked = feeds_to_ask(INPUTS, DAYS, {}, turn=0, at_most=4)
    assert [day for _, day in asked] == [LAST, LAST, LAST - timedelta(days=1), LAST - timedelta(days=1)]


def test_feeds_that_never_come_do_not_hide_that_one_has_changed_and_every_one_has_its_turn():
    there = loaded(*DAYS[-7:])
    asked = [feeds_to_ask(INPUTS, DAYS, there, turn, at_most=8) for turn in range(20)]
    assert {feed for feeds in asked for feed in feeds} == {(name, day) for name in INPUTS for day in DAYS}


def test_days_are_loaded_whose_feed_is_there_and_is_not_what_is_loaded():
    found = {("reports", LAST): "v2", ("installs", DAYS[0]): None, ("reports", DAYS[1]): "v1"}
    assert days_to_load(found, loaded(LAST)) == {LAST, DAYS[1]}
    assert ranges({DAYS[0], DAYS[1], LAST}) == [(DAYS[0], DAYS[1]), (LAST, LAST)]
