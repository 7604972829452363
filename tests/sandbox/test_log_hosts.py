"""What the simulated hosts have at a given moment, and what fails on purpose."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from stats_assets.sandbox.log_hosts import (
    HOSTS,
    LogHost,
    days_ahead,
    has_file,
    host_named,
    is_unfinished,
    late_day,
    missing_day,
)
from stats_assets.sandbox.planned import planned_failures

TODAY = date(2026, 11, 22)


def named(name: str) -> LogHost:
    host = host_named(name)
    assert host is not None
    return host


def offers(name: str, day: date) -> bool:
    return has_file(named(name), day, TODAY)


def test_there_are_folders_and_http_in_both_compressions():
    assert {(host.offered, host.suffix) for host in HOSTS} == {
        (offered, suffix) for offered in ("folder", "http") for suffix in (".gz", ".xz")
    }


@pytest.mark.parametrize("name", [host.name for host in HOSTS])
def test_a_day_is_offered_when_it_is_over(name: str):
    assert not offers(name, TODAY)
    assert offers(name, TODAY - timedelta(days=400))


def test_exactly_one_host_lacks_one_day_of_the_last_four_weeks():
    month = [TODAY - timedelta(days=n) for n in range(1, 29)]
    lacking = [(host.name, day) for host in HOSTS for day in month if not offers(host.name, day)]
    assert lacking == [("proxy03", missing_day(TODAY))]


def test_the_missing_file_turns_up_when_the_calendar_has_moved_on():
    assert has_file(named("proxy03"), missing_day(TODAY), TODAY + timedelta(days=1))


def test_the_last_lines_of_one_file_come_late():
    for age_seconds, unfinished in ((89, [("proxy04", late_day(TODAY))]), (90, [])):
        assert [
            (host.name, day)
            for host in HOSTS
            for day in days_ahead(TODAY, weeks=4)
            if is_unfinished(host, day, TODAY, age_seconds, late_seconds=90)
        ] == unfinished


def test_the_missing_day_is_the_only_planned_failure_of_the_log_hosts():
    assert planned_failures(TODAY)["log_sync/files"] == {"2026-11-10"}


def test_folders_are_made_newest_day_first():
    days = list(days_ahead(TODAY, weeks=2))
    assert (len(days), days[0], days[-1]) == (14, date(2026, 11, 21), date(2026, 11, 8))
