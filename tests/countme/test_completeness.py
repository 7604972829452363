from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from stats_assets.countme.completeness import (
    Completeness,
    WeekFile,
    completeness,
    is_over,
    is_unreadable,
    status_of,
    summary,
)
from stats_assets.countme.weeks import Covers, files_needed

MONDAY = date(2024, 3, 4)
LONG_AGO = date(2020, 2, 10)
WEEK = [
    WeekFile(day, host, "fetched", is_loaded=True, lines=100, hits=80, rejected=2)
    for day in files_needed(MONDAY, "same_day")
    for host in ("proxy01", "proxy02")
]


def found(files: Sequence[WeekFile], covers: Covers = "same_day", first_day: date = LONG_AGO) -> Completeness:
    return completeness(MONDAY, covers, files, 0.1, first_day)


def with_file(place: int, **changes: object) -> list[WeekFile]:
    return [*WEEK[:place], replace(WEEK[place], **changes), *WEEK[place + 1 :]]  # type: ignore[arg-type]


def test_a_week_whose_files_are_all_there_lacks_nothing():
    assert found(WEEK) == Completeness([], 1.0)


def test_a_missing_host_is_named_with_its_day_and_lowers_the_coverage():
    assert found(with_file(5, state="missing")) == Completeness(["2024-03-05: proxy02 missing"], 15 / 16)


def test_a_waived_file_counts_as_there():
    assert found(with_file(5, state="waived", is_loaded=False, lines=0, hits=0, rejected=0)) == Completeness([], 1.0)


def test_a_day_nobody_asked_for_is_a_gap_as_large_as_other_days():
    assert found(WEEK[:2] + WEEK[4:]) == Completeness(["2024-03-04: never synchronized"], 14 / 16)


def test_the_file_that_holds_the_first_minutes_is_needed():
    assert found(WEEK[2:]).gaps == ["2024-03-03: never synchronized"]


def test_a_week_that_begins_before_the_logs_is_never_final():
    cut = found(WEEK[4:], first_day=date(2024, 3, 5))
    first = "before the first day (2024-03-05)"
    assert cut.gaps == [f"2024-03-03: {first}", f"2024-03-04: {first}"]
    assert status_of(True, cut.gaps) == "partial"


def test_files_dated_by_their_rotation_are_needed_a_day_later():
    assert found(WEEK, "previous_day").gaps == ["2024-03-11: never synchronized"]


def test_a_file_that_is_fetched_but_not_loaded_is_a_gap():
    assert found(with_file(2, is_loaded=False)).gaps == ["2024-03-04: proxy01 not loaded"]


def test_a_file_of_mostly_rejected_lines_is_a_gap():
    assert found(with_file(2, rejected=11)).gaps == ["2024-03-04: proxy01 has 11 of 100 lines rejected, 80 hits"]


def test_a_file_without_one_hit_is_a_gap_but_an_empty_one_is_not():
    assert is_unreadable(lines=100, hits=0, rejected=2, max_rejected_share=0.1)
    assert found(with_file(2, lines=0, hits=0, rejected=0)).gaps == []


def test_a_week_that_nothing_is_known_of_is_covered_by_nothing():
    assert found([]).coverage == 0.0


@pytest.mark.parametrize(
    ("over", "gaps", "status"),
    [(False, [], "provisional"), (False, ["x"], "provisional"), (True, ["x"], "partial"), (True, [], "final")],
)
def test_a_week_is_provisional_while_it_runs_then_partial_or_final(over: bool, gaps: list[str], status: str):
    assert status_of(over, gaps) == status


@pytest.mark.parametrize(("covers", "end"), [("same_day", date(2024, 3, 11)), ("previous_day", date(2024, 3, 12))])
def test_a_week_is_over_ten_minutes_after_its_last_file_is_closed(covers: Covers, end: date):
    closed = datetime(end.year, end.month, end.day, tzinfo=UTC)
    assert not is_over(MONDAY, covers, closed + timedelta(seconds=599))
    assert is_over(MONDAY, covers, closed + timedelta(seconds=600))


def test_a_long_list_of_gaps_is_cut_but_counted():
    assert summary([f"gap {n}" for n in range(7)]) == "gap 0; gap 1; gap 2; gap 3; gap 4; and 2 more"
    assert summary([]) == ""
