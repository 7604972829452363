"""Loading days: the same rows whatever the order, batching, reruns or crashes."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from stats_assets.shared.failures import OurMistake
from tests.countme.world import FEDORA, World, hit_line, noon

MONDAY = date(2024, 3, 4)
DAYS = [MONDAY + timedelta(days=n) for n in range(3)]


def fill(world: World) -> None:
    """Three days of two hosts, with twins, bad lines, other traffic and lines past midnight."""
    for day, host in itertools.product(DAYS, ("proxy01", "proxy02")):
        number = DAYS.index(day) * 2 + (host == "proxy02")
        lines = [hit_line(noon(day, second), f"192.0.2.{number}", 1 + second % 4) for second in range(40)]
        lines += [hit_line(noon(day), "2001:db8::1", None, "epel-9", "curl/8")] * 2
        lines += [b"garbage\n", b'192.0.2.9 - - [x] "GET /metalink?repo=a HTTP/1.1" 200 1 "-" "-"\n']
        lines += [hit_line(noon(day), "192.0.2.1").replace(b"/metalink", b"/favicon.ico")]
        lines += [hit_line(noon(day, 12 * 3600 + number), "198.51.100.1")]  # after midnight, in this day's file
        world.deliver(day, lines, host)


@pytest.fixture(params=["strict", "compat"])
def filled(world: World, request: pytest.FixtureRequest) -> World:
    fill(world)
    return world.with_config(policy=request.param)


def test_every_line_has_one_verdict(filled: World):
    for report in filled.load(*DAYS):
        for source in report.sources:
            assert source.lines == 46
    assert filled.rows(
        """SELECT count(*) FROM countme.sources s
           WHERE lines <> (SELECT sum(v.lines) FROM countme.verdicts v WHERE v.source_id = s.source_id)
              OR hits <> (SELECT count(*) FROM countme.raw_hits r WHERE r.source_id = s.source_id)"""
    ) == [(0,)]


def test_a_rerun_changes_nothing(filled: World):
    filled.load(*DAYS)
    filled.count(MONDAY)
    before = filled.everything()
    filled.load(*DAYS)
    filled.count(MONDAY)
    assert filled.everything() == before


def test_any_order_of_days_gives_the_same_rows(filled: World):
    filled.load(*DAYS)
    expected = filled.everything()
    for order in itertools.permutations(DAYS):
        for day in order:  # a loader of its own each: nothing may depend on what it has learned
            filled.load(day)
        assert filled.everything() == expected


def test_a_load_killed_in_the_middle_leaves_the_old_rows(filled: World, monkeypatch: pytest.MonkeyPatch):
    filled.load(*DAYS)
    before = filled.everything()
    calls = itertools.count()

    def killed(*_: object) -> None:
        if next(calls) == 1:  # the second file of the day: the first is already copied
            raise KeyboardInterrupt

    monkeypatch.setattr("stats_assets.countme.load.finish_source", killed)
    with pytest.raises(KeyboardInterrupt):
        filled.load(DAYS[1])
    monkeypatch.undo()
    assert filled.everything() == before
    filled.load(DAYS[1])
    assert filled.everything() == before


def test_a_changed_file_replaces_its_rows_and_no_others(filled: World):
    filled.load(*DAYS)
    before = filled.hits()
    filled.deliver(DAYS[1], [hit_line(noon(DAYS[1]), "203.0.113.7", 3)], "proxy02")
    filled.load(DAYS[1])
    changed = set(filled.hits()) - set(before)
    assert {row[1] for row in changed} == {"203.0.113.7"}
    assert filled.rows("SELECT count(*) FROM countme.sources WHERE day = '2024-03-05'") == [(2,)]


def test_a_day_without_files_has_no_rows(filled: World):
    filled.load(DAYS[0])
    for host in ("proxy01", "proxy02"):
        filled.fail_to_deliver(DAYS[0], host)
    filled.load(DAYS[0])
    assert filled.hits() == []
    assert filled.everything()["spans"] == []


def test_strict_keeps_twins_behind_one_address_and_compat_counts_them_once(world: World):
    fill(world)
    world.load(DAYS[0])
    assert len([row for row in world.hits() if row[1] == "2001:db8::1"]) == 4
    compat = world.with_config(policy="compat")
    compat.load(DAYS[0])
    assert len([row for row in compat.hits() if row[1] == "2001:db8::1"]) == 1


def test_compat_sees_a_repeat_in_the_file_of_another_day(world: World):
    compat = world.with_config(policy="compat")
    past_midnight = hit_line(noon(DAYS[0], 12 * 3600 + 30), "192.0.2.7")
    world.deliver(DAYS[0], [hit_line(noon(DAYS[0])), past_midnight])
    world.deliver(DAYS[1], [past_midnight, hit_line(noon(DAYS[1]))])
    for order in (DAYS[:2], DAYS[1::-1]):
        compat.load(*order)
        assert len(compat.hits()) == 3
    world.deliver(DAYS[0], [hit_line(noon(DAYS[0]))])  # the first copy goes: the second must count again
    compat.load(DAYS[0])
    assert len(compat.hits()) == 3


def test_rejected_lines_are_sampled_with_reason_and_place(world: World):
    fill(world)
    world.load(DAYS[0])
    samples = world.rows("SELECT DISTINCT verdict, line FROM countme.quarantine ORDER BY verdict")
    assert any(line == "garbage" for _, line in samples)
    assert all(verdict != "hit" for verdict, _ in samples)


def test_without_keep_addresses_no_table_holds_one(world: World):
    fill(world)
    world.deliver(DAYS[0], [hit_line(noon(DAYS[0])), b"192.0.2.77 broken line\n", b"2001:db8::77 broken too\n"])
    hidden = world.with_config(keep_addresses=False)
    hidden.load(DAYS[0])
    assert hidden.rows("SELECT count(*) FROM countme.addresses") == [(0,)]
    assert hidden.rows("SELECT count(*) FROM countme.quarantine WHERE line ~ '192|db8'") == [(0,)]
    hosts = [host for (host,) in hidden.rows("SELECT DISTINCT host FROM countme.hits")]
    assert len(hosts) == 3
    assert all(set(host) <= set("0123456789abcdef") for host in hosts)


def test_one_address_has_one_key_within_a_week_and_another_in_the_next(world: World):
    for day in (MONDAY, MONDAY + timedelta(days=6), MONDAY + timedelta(days=7)):
        world.deliver(day, [hit_line(noon(day)), hit_line(noon(day, 1))])
        world.load(day)
    keys = world.rows(
        "SELECT count(*), count(DISTINCT hit_at::date) FROM countme.raw_hits GROUP BY address_key ORDER BY 1"
    )
    assert keys == [(2, 1), (4, 2)]


def test_a_damaged_copy_stops_the_day_with_one_line_and_keeps_its_rows(filled: World):
    filled.load(*DAYS)
    before = filled.everything()
    file = filled.folder / f"proxy02-{DAYS[1]}.log.gz"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(OurMistake, match=r"countme/raw_hits 2024-03-05: .*proxy02.*rerun log_sync/files") as raised:
        filled.load(DAYS[1])
    assert "\n" not in str(raised.value)
    assert filled.everything() == before


def test_a_file_of_garbage_loads_as_rejected_lines(world: World):
    noise = bytes(n * 7919 % 251 for n in range(50_000))
    world.deliver(MONDAY, [noise])
    (report,) = world.load(MONDAY)
    (source,) = report.sources
    assert source.hits == 0
    assert source.lines == noise.count(b"\n") + (not noise.endswith(b"\n"))
    assert source.rejected > source.lines * 0.9


def test_an_empty_file_loads_as_no_lines(world: World):
    world.deliver(MONDAY, [])
    (report,) = world.load(MONDAY)
    assert [source.lines for source in report.sources] == [0]


def test_a_far_off_time_counts_in_compat_and_is_rejected_in_strict(world: World):
    far = datetime(2023, 7, 1, 12, tzinfo=UTC)
    world.deliver(MONDAY, [hit_line(noon(MONDAY)), hit_line(far)])
    world.load(MONDAY)
    assert len(world.hits()) == 1
    assert ("outside_window", 1) in world.rows("SELECT verdict, lines FROM countme.verdicts")
    compat = world.with_config(policy="compat")
    compat.load(MONDAY)
    assert [row[0] for row in compat.hits()] == [far, noon(MONDAY)]
    compat.load(MONDAY)
    assert len(compat.hits()) == 2


def test_clients_are_named_once(world: World):
    fill(world)
    world.load(*DAYS)
    world.load(DAYS[0])
    names = world.rows("SELECT os_name, os_version, repo_tag FROM countme.clients ORDER BY repo_tag")
    assert names == [("", "", "epel-9"), ("Fedora Linux", "39", "fedora-39")]
    assert FEDORA.startswith("libdnf")
