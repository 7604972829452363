"""What people read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stats_assets.notifications.incidents import Incident, Thing
from stats_assets.notifications.message import Links, compose

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
LINKS = Links("http://127.0.0.1:3000")
WHY = "its process was killed"


def incident(subject: str, partition: str = "", run_id: str = "a1") -> Incident:
    thing = Thing("run", subject, partition)
    return Incident(1, thing, True, WHY, "docs/runbooks/worker-died.md", run_id, 7, False, NOW, NOW, 1)


def recovered(each: Incident) -> Incident:
    return replace(each, is_open=False, recovered_at=NOW + timedelta(minutes=5), was_told=True)


CRASHES = [
    incident(f"crashes/table_{n:02}", day) for n in range(12) for day in ("2026-05-18", "2026-05-19", "2026-05-20")
] + [incident("crashes/charts")]


def test_all_a_run_should_have_made_is_one_paragraph():
    message = compose(CRASHES, LINKS)
    assert message.title == (
        "[stats] crashes/charts, crashes/table_00, crashes/table_01 and 10 more"
        " 2026-05-18, 2026-05-19, 2026-05-20 failed"
    )
    first, *rest = message.body.splitlines()
    assert first.startswith("crashes/charts, crashes/table_00, crashes/table_01, crashes/table_02")
    assert first.endswith("crashes/table_11 2026-05-18, 2026-05-19, 2026-05-20 failed")
    assert rest == [
        f"why:   {WHY}",
        "since: 2026-05-20 12:00 UTC",
        "look:  http://127.0.0.1:3000/runs/a1",
        "do:    docs/runbooks/worker-died.md",
    ]


def test_what_another_run_did_or_another_reason_is_a_paragraph_of_its_own():
    other_run = incident("forum/pages", run_id="b2")
    other_reason = replace(incident("crashes/reports"), why="disk full")
    message = compose([*CRASHES, other_run, other_reason], LINKS)
    assert message.title == "[stats] 3 wrong"
    assert message.body.count(" failed\n") == 3


def test_what_is_well_again_by_the_same_run_is_one_paragraph_too():
    message = compose([recovered(each) for each in CRASHES], LINKS)
    assert message.body.splitlines()[0].endswith("2026-05-20 is well again")
    assert message.body.count("was:   ") == 1


def test_of_very_many_the_rest_is_a_number():
    message = compose([incident(f"forum/table_{n:03}", f"2026-01-{n % 28 + 1:02}") for n in range(100)], LINKS)
    first = message.body.splitlines()[0]
    assert "forum/table_019 and 80 more 2026-01-01" in first
    assert first.endswith("2026-01-05 and 23 more failed")


def test_jobs_without_assets_and_checks_are_told_apart():
    check = replace(incident("crashes/reports:all_there"), thing=Thing("check", "crashes/reports:all_there"))
    other = replace(check, thing=Thing("check", "crashes/reports:few_odd"))
    assert compose([check, other], LINKS).title == "[stats] 2 wrong"


def test_partitions_of_a_check_that_hold_again_are_one_paragraph_whatever_run_found_them():
    day = Thing("check", "crashes/reports:few_odd", "2026-05-18")
    first = recovered(replace(incident("crashes/reports:few_odd"), thing=day))
    other = replace(first, thing=replace(day, partition="2026-05-19"), run_id="b2", why="9 odd lines")
    message = compose([first, other], LINKS)
    assert message.title == "[stats] crashes/reports: check few_odd 2026-05-18, 2026-05-19 is well again"
