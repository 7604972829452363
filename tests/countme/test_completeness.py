from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from stats_assets.countme.completeness import WeekFile, gaps, summary

MONDAY = date(2024, 3, 4)
WEEK = [
    WeekFile(MONDAY + timedelta(days=day), host, "fetched", is_loaded=True, lines=100, hits=80, rejected=2)
    for day in range(7)
    for host in ("proxy01", "proxy02")
]


def with_file(place: int, **changes: object) -> list[WeekFile]:
    return [*WEEK[:place], replace(WEEK[place], **changes), *WEEK[place + 1 :]]  # type: ignore[arg-type]


def test_a_week_whose_files_are_all_there_lacks_nothing():
    assert gaps(MONDAY, WEEK, 0.1) == []


def test_a_missing_host_is_named_with_its_day():
    assert gaps(MONDAY, with_file(3, state="missing"), 0.1) == ["2024-03-05: proxy02 missing"]


def test_a_day_nobody_asked_for_is_a_gap():
    assert gaps(MONDAY, WEEK[2:], 0.1) == ["2024-03-04: never synchronized"]


def test_a_file_that_is_fetched_but_not_loaded_is_a_gap():
    assert gaps(MONDAY, with_file(0, is_loaded=False), 0.1) == ["2024-03-04: proxy01 not loaded"]


def test_a_file_of_mostly_rejected_lines_is_a_gap():
    assert gaps(MONDAY, with_file(0, rejected=11), 0.1) == ["2024-03-04: proxy01 has 11 of 100 lines rejected, 80 hits"]


def test_a_file_without_one_hit_is_a_gap_but_an_empty_one_is_not():
    assert gaps(MONDAY, with_file(0, hits=0), 0.1) == ["2024-03-04: proxy01 has 2 of 100 lines rejected, 0 hits"]
    assert gaps(MONDAY, with_file(0, lines=0, hits=0, rejected=0), 0.1) == []


def test_a_long_list_of_gaps_is_cut_but_counted():
    assert summary([f"gap {n}" for n in range(7)]) == "gap 0; gap 1; gap 2; gap 3; gap 4; and 2 more"
    assert summary([]) == ""
