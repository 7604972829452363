"""The plan of runs: order, ranges, and what a failure upstream leaves out. Dates are 2026-11-01 (a Sunday) onward."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_assets.local.run_plan import (
    ONLY,
    Asset,
    Days,
    Outcome,
    Partition,
    Run,
    Together,
    levels,
    runnable,
    runs,
    still_to_do,
    wanted,
)

FIRST = date(2026, 11, 1)


def day(number: int) -> str:
    return f"2026-11-{number:02}"


def days(first: int, last: int) -> Days:
    return Days(date(2026, 11, first), date(2026, 11, last))


def daily(key: str, *upstream: str, count: int = 20) -> Asset:
    dates = [FIRST + timedelta(days=n) for n in range(count)]
    return Asset(key, frozenset(upstream), "day", tuple(Partition(f"{each}", each, each) for each in dates))


def weekly(key: str, *upstream: str, mondays: tuple[int, ...] = (2, 9)) -> Asset:
    starts = [date(2026, 11, monday) for monday in mondays]
    weeks = (Partition(f"{start}", start, start + timedelta(days=6)) for start in starts)
    return Asset(key, frozenset(upstream), "week", tuple(weeks))


def names(ordered: list[list[Together]]) -> list[list[str]]:
    return [[asset.key for together in level for asset in together] for level in ordered]


def test_upstream_assets_come_in_earlier_levels():
    ordered = levels(
        [weekly("totals", "hits"), daily("hits", "files"), daily("files"), Asset("csv", frozenset({"totals"}))]
    )
    assert names(ordered) == [
        ["files"],
        ["hits"],
        ["totals"],
        ["csv"],
    ]


def test_assets_that_do_not_need_each_other_share_a_level():
    ordered = levels([Asset("b", frozenset({"a"})), Asset("c", frozenset({"a"})), Asset("a")])
    assert names(ordered) == [["a"], ["b", "c"]]


def test_assets_of_one_step_share_a_run_even_where_they_need_each_other():
    raw = replace(daily("raw"), step="logs")
    games = replace(daily("games", "raw"), step="logs")
    ordered = levels([games, raw, daily("cube", "games")])
    assert ordered == [[(games, raw)], [(daily("cube", "games"),)]]
    assert runs(ordered[0][0], {day(3), day(4)}) == [Run(("games", "raw"), day(3), day(4), (day(3), day(4)))]


def test_an_upstream_outside_of_the_selection_is_not_waited_for():
    assert levels([daily("hits", "files")]) == [[(daily("hits", "files"),)]]


def test_assets_that_need_each_other_are_refused_by_name():
    with pytest.raises(ValueError, match="a, b"):
        levels([Asset("a", frozenset({"b"})), Asset("b", frozenset({"a"}))])


def test_days_are_wanted_from_the_first_to_the_last():
    assert wanted(daily("files"), days(3, 5), None) == {day(3), day(4), day(5)}


def test_a_week_is_wanted_when_one_of_its_days_is():
    assert wanted(weekly("totals"), days(8, 9), None) == {day(2), day(9)}


def test_a_week_that_has_not_ended_does_not_exist_and_is_not_wanted():
    assert wanted(weekly("totals"), days(16, 18), None) == set()


def test_days_after_the_last_partition_are_not_wanted():
    assert wanted(daily("files", count=4), days(3, 20), None) == {day(3), day(4)}


def test_of_partitions_without_days_all_are_wanted_when_no_days_are_given():
    boards = Asset("posts", cadence="boards", partitions=(Partition("14"), Partition("25")))
    assert wanted(boards, None, None) == wanted(boards, days(3, 5), None) == {"14", "25"}
    assert wanted(boards, None, "25") == {"25"}


def test_an_unpartitioned_asset_is_always_wanted():
    assert wanted(Asset("csv"), days(3, 5), None) == {ONLY}


def test_without_days_only_the_latest_partition_is_wanted():
    assert wanted(daily("files"), None, None) == {day(20)}
    assert wanted(weekly("totals"), None, None) == {day(9)}


def test_a_partition_of_no_time_is_wanted_on_all_days():
    boards = Asset("threads", cadence="board", partitions=(Partition("general"), Partition("help")))
    assert wanted(boards, days(3, 3), None) == {"general", "help"}


def test_one_partition_by_key_leaves_out_assets_that_do_not_have_it():
    assert wanted(daily("files"), None, day(9)) == {day(9)}
    assert wanted(weekly("totals"), None, day(9)) == {day(9)}
    assert wanted(weekly("totals"), None, day(10)) == set()
    assert wanted(Asset("csv"), None, day(9)) == set()


def test_an_unbroken_range_is_a_single_run():
    assert runs((daily("files"),), {day(3), day(5), day(4)}) == [
        Run(("files",), day(3), day(5), (day(3), day(4), day(5)))
    ]


def test_each_gap_begins_another_run():
    planned = runs((daily("files"),), {day(1), day(3), day(4), day(20)})
    assert [(run.first, run.last) for run in planned] == [(day(1), day(1)), (day(3), day(4)), (day(20), day(20))]


def test_consecutive_weeks_are_a_single_run():
    assert runs((weekly("totals"),), {day(2), day(9)}) == [Run(("totals",), day(2), day(9), (day(2), day(9)))]


def test_an_unpartitioned_asset_is_a_run_without_a_range():
    assert runs((Asset("csv"),), {ONLY}) == [Run(("csv",), None, None, (ONLY,))]


def test_nothing_wanted_is_no_run():
    assert runs((daily("files"),), set()) == []
    assert runs((Asset("csv"),), set()) == []


@given(st.sets(st.integers(1, 20)))
def test_runs_hold_exactly_the_wanted_partitions_once(numbers: set[int]):
    planned = runs((daily("files"),), {day(number) for number in numbers})
    assert sorted(key for run in planned for key in run.partitions) == sorted(map(day, numbers))


@given(st.sets(st.integers(1, 20)))
def test_between_two_runs_there_is_always_a_day_left_out(numbers: set[int]):
    planned = runs((daily("files"),), {day(number) for number in numbers})
    for before, after in pairwise(planned):
        assert date.fromisoformat(str(after.first)) - date.fromisoformat(str(before.last)) > timedelta(days=1)


def test_a_day_that_failed_upstream_is_left_out_downstream():
    assets = {asset.key: asset for asset in (daily("files"), daily("hits", "files"))}
    outcome = Outcome(failed={"files": {day(4): "no such file"}})
    assert runnable(assets["hits"], {day(3), day(4), day(5)}, assets, outcome) == {day(3), day(5)}


def test_a_day_left_out_upstream_is_left_out_further_down_as_well():
    assets = {asset.key: asset for asset in (daily("hits", "files"), daily("hosts", "hits"))}
    outcome = Outcome(not_run={"hits": {day(4)}})
    assert runnable(assets["hosts"], {day(3), day(4)}, assets, outcome) == {day(3)}


def test_a_week_runs_although_one_of_its_days_failed():
    assets = {asset.key: asset for asset in (daily("hits"), weekly("totals", "hits"))}
    outcome = Outcome(failed={"hits": {day(2): "killed"}})
    assert runnable(assets["totals"], {day(2)}, assets, outcome) == {day(2)}


def test_an_unpartitioned_asset_runs_although_an_unpartitioned_upstream_failed():
    assets = {asset.key: asset for asset in (Asset("csv"), Asset("charts", frozenset({"csv"})))}
    outcome = Outcome(failed={"csv": {ONLY: "disk full"}})
    assert runnable(assets["charts"], {ONLY}, assets, outcome) == {ONLY}


def test_what_is_there_is_not_made_again():
    assert still_to_do(daily("files"), {day(3), day(4)}, {day(3)}, []) == {day(4)}


def test_what_was_made_from_something_newer_is_made_again():
    todo = still_to_do(weekly("totals"), {day(2), day(9)}, {day(2), day(9)}, [days(10, 10)])
    assert todo == {day(9)}


def test_an_unpartitioned_asset_is_made_again_only_when_its_inputs_were():
    assert still_to_do(Asset("csv"), {ONLY}, {ONLY}, []) == set()
    assert still_to_do(Asset("csv"), {ONLY}, {ONLY}, [days(3, 3)]) == {ONLY}
    assert still_to_do(Asset("csv"), {ONLY}, set(), []) == {ONLY}
