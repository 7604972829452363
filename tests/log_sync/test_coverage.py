"""What the manifest lacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from stats_assets.log_sync.coverage import coverage, unusually_small
from tests.log_sync.sources import DAY
from tests.log_sync.test_late import files, missing, rows
from tests.log_sync.test_plan import COPY


def test_all_files_there_is_complete():
    assert coverage(files(), rows()).is_complete


def test_a_missing_file_is_a_gap_with_its_reason():
    found = coverage(files(), rows(d3=missing(3)))
    assert found.gaps == {"2026-03-03 web1 mirrors.example.org": "404"}
    assert not found.is_complete


def test_a_day_nobody_asked_for_is_told_apart_from_a_gap():
    found = coverage(files(), rows(d3=None))
    assert (found.gaps, [day.day for day in found.unasked]) == ({}, [3])


def test_the_chart_shows_a_line_per_host_and_a_mark_per_day():
    assert coverage(files(), rows(d2=missing(2), d4=None)).chart == "■□■·■■■■■ web1 mirrors.example.org"


def test_a_file_far_below_its_hosts_usual_size_is_told():
    days = [replace(COPY, day=DAY - timedelta(days=n), content_bytes=1000) for n in range(7)]
    small = replace(COPY, day=DAY + timedelta(days=1), content_bytes=199)
    assert unusually_small([*days, small], share=0.2) == {
        "2026-03-10 web1 mirrors.example.org": "199 bytes, usual are 1000"
    }


def test_a_few_files_are_not_enough_to_know_what_is_usual():
    days = [replace(COPY, day=DAY - timedelta(days=n), content_bytes=1000) for n in range(5)]
    assert unusually_small([*days, replace(COPY, day=DAY, content_bytes=1)], share=0.2) == {}


def test_a_waived_file_is_no_gap():
    excused = replace(missing(3), state="waived")
    assert coverage(files(), rows(d3=excused)).is_complete
    assert coverage(files(), rows(d3=excused)).chart.startswith("■■w■")


def test_the_picture_has_a_row_per_host_and_a_state_per_day():
    (row,) = coverage(files(), rows(d2=missing(2), d4=None)).cells.values()
    assert [state.word for state in row.values()][:4] == ["here", "missing", "here", "not asked for"]
