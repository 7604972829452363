"""The simulated log lines: reproducible, and with all that real logs surprise us with."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from stats_assets.sandbox.access_log import day_log
from stats_assets.sandbox.world import World

WORLD = World(seed=7, lines=3000)
MONDAY = date(2026, 11, 16)
LINE = re.compile(rb'(?P<address>\S+) - - \[(?P<time>[^]]+)\] "(?P<request>[^"]*)" \d{3} \d+ "-" "(?P<agent>[^"]*)"')


def lines_of(day: date = MONDAY, host: str = "proxy01", world: World = WORLD) -> list[bytes]:
    return day_log(world, host, day).splitlines()


def times_of(day: date) -> list[datetime]:
    stamps = (LINE.fullmatch(line) for line in lines_of(day))
    found = []
    for match in filter(None, stamps):
        try:
            found.append(datetime.strptime(match["time"].decode(), "%d/%b/%Y:%H:%M:%S %z"))
        except ValueError:
            continue  # a damaged line
    return found


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return lines_of()


def count(lines: list[bytes], pattern: bytes) -> int:
    return sum(1 for line in lines if re.search(pattern, line))


def test_the_same_seed_host_and_day_give_the_same_lines(lines: list[bytes]):
    assert lines_of(world=World(seed=7, lines=3000)) == lines


@pytest.mark.parametrize(
    "other",
    [
        lambda: lines_of(world=World(seed=8, lines=3000)),
        lambda: lines_of(host="proxy02"),
        lambda: lines_of(MONDAY + timedelta(days=7)),
    ],
    ids=["seed", "host", "day"],
)
def test_another_seed_host_or_day_gives_other_lines(lines: list[bytes], other):
    assert not set(other()) & set(lines[:100])


def test_the_order_in_which_days_are_asked_for_changes_nothing(lines: list[bytes]):
    lines_of(MONDAY - timedelta(days=100), "proxy04")
    assert lines_of() == lines


def test_a_week_has_about_the_lines_that_were_asked_for_and_mondays_are_heavier():
    week = [len(lines_of(MONDAY + timedelta(days=n))) for n in range(7)]
    assert sum(week) == pytest.approx(7 * 3000, rel=0.01)
    assert max(week) == week[0]


def test_a_file_runs_from_one_log_rotation_to_the_next():
    rotation = datetime(2026, 11, 16, 0, 4, tzinfo=UTC)
    times = times_of(MONDAY)
    assert min(times) >= rotation
    assert max(times) < rotation + timedelta(days=1)
    assert max(times).date() == MONDAY + timedelta(days=1)


def test_lines_after_midnight_are_not_repeated_in_the_next_file():
    assert max(times_of(MONDAY)) < min(times_of(MONDAY + timedelta(days=1)))


def test_every_countme_value_occurs_and_most_requests_have_none(lines: list[bytes]):
    values = Counter(match[1] for line in lines if (match := re.search(rb"countme=(\d)[ &]", line)))
    assert {b"1", b"2", b"3", b"4"} <= set(values)
    assert values.total() < len(lines) / 2


@pytest.mark.parametrize(
    "pattern",
    [
        rb'"libdnf \(Fedora Linux 44; workstation; Linux.x86_64\)"',
        rb'"rpm-ostree \(Fedora Linux \d+; coreos; Linux.\w+\)"',
        rb"repo=epel-9&arch=aarch64",
        rb"CentOS Stream 10",
        rb"urlgrabber/",
        rb"wp-login|favicon|robots",
        rb"^2a\w+:\w+:\w+::\w+ ",
        rb"\\x16\\x03\\x01",
        rb"\[31/Feb",
        rb"[\x80-\xff]{40}",
        rb"countme=always",
        rb"countme=\d\d",
    ],
)
def test_the_mix_holds(lines: list[bytes], pattern: bytes):
    assert count(lines, pattern) > 0


def test_damaged_lines_are_few(lines: list[bytes]):
    assert 0 < sum(1 for line in lines if not LINE.fullmatch(line)) < len(lines) * 0.02


def test_some_lines_are_equal_as_from_many_systems_behind_one_address(lines: list[bytes]):
    assert 0 < len(lines) - len(set(lines)) < len(lines) * 0.02


def test_some_addresses_stand_for_many_systems(lines: list[bytes]):
    addresses = Counter(line.split(b" ")[0] for line in lines)
    assert addresses.most_common(1)[0][1] > 8


def test_a_new_release_takes_over_within_half_a_year():
    def share(day: date, release: int) -> float:
        agents = count(lines_of(day), rb'"(libdnf|rpm-ostree) \(Fedora')
        return count(lines_of(day), rb"\(Fedora Linux %d;" % release) / agents

    spring, autumn = date(2026, 5, 4), date(2026, 10, 5)
    assert share(spring, 43) > share(spring, 44)
    assert share(autumn, 44) > share(autumn, 43)
