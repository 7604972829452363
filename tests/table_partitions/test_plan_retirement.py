"""What the planner takes away, scenario by scenario."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stats_assets.table_partitions.catalog import Catalog, InboundKey, Retiring
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.plan import plan
from tests.table_partitions.made_up import at, default, kinds, names, part, planned, policy, table, weeks

NOW = at("2026-05-20 12:00")
FORTNIGHT = {"retention": "14 days", "ahead": 0}


def ids(first: int, last: int):
    return [part(f"m_{n}e5", n * 100_000, (n + 1) * 100_000) for n in range(first, last + 1)]


def test_15_ids_expire_by_the_highest_there_is():
    drop = policy(kind="int", step=100_000, retention=300_000, action="detach", ahead=0)
    found = planned(drop, table(*ids(20, 26), kind="int", newest_id=2_650_000), NOW)
    assert names(found, "detach") == ["m_20e5", "m_21e5", "m_22e5"]


def test_16_a_week_that_holds_the_cutoff_stays():
    existing = table(*weeks("20260427", "20260504", "20260511", "20260518"))
    assert names(planned(policy(action="detach", **FORTNIGHT), existing, NOW), "detach") == ["m_20260427"]


def test_16_a_week_that_ends_at_the_cutoff_expires():
    existing = table(*weeks("20260427", "20260504", "20260511", "20260518"))
    on_the_bound = at("2026-05-18 00:00")
    assert names(planned(policy(action="detach", **FORTNIGHT), existing, on_the_bound), "detach") == ["m_20260427"]
    assert names(planned(policy(action="detach", **FORTNIGHT), existing, on_the_bound - timedelta(seconds=1))) == []


@pytest.mark.parametrize(
    ("action", "steps"),
    [
        ("keep", []),
        ("detach", ["detach", "shelve"]),
        ("truncate", ["truncate"]),
        ("archive", ["archive", "detach", "shelve"]),
        ("drop", ["detach", "shelve"]),
    ],
)
def test_18_each_action_has_its_steps(action: str, steps: list[str]):
    existing = table(*(replace(each, is_empty=False) for each in weeks("20260413", "20260420", "20260427", "20260518")))
    # Without gaps: what is asked here is only what leaves.
    found = planned(policy(action=action, confirm=True, **FORTNIGHT), existing, NOW)
    assert [kind for kind in kinds(found) if kind != "create"] == steps * 3


def test_18_the_newest_the_current_and_those_to_come_never_leave():
    drop = policy(action="drop", confirm=True, retention="1 week", ahead=0)
    alone = table(*weeks("20200106"))
    assert names(planned(drop, alone, NOW), "detach") == []
    ahead = table(*weeks("20260518", "20260525", "20260601"))
    soon = drop.model_copy(update={"retention": "0 days"})
    assert names(planned(soon, ahead, NOW)) == []


def test_18_an_emptied_table_partition_is_not_emptied_again():
    existing = table(replace(weeks("20260427")[0], is_empty=True), *weeks("20260504", "20260511", "20260518"))
    assert planned(policy(action="truncate", confirm=True, **FORTNIGHT), existing, NOW).steps == ()


def test_nothing_is_taken_away_before_the_policy_is_confirmed():
    existing = table(*weeks("20260427", "20260504", "20260511", "20260518"))
    found = planned(policy(action="archive", **FORTNIGHT), existing, NOW)
    assert found.steps == ()
    assert "1 table partitions are beyond 14 days; action archive needs confirm: true" in found.refusals[0].why


def test_a_run_takes_away_only_so_much_the_oldest_first():
    mondays = [f"{at('2025-01-06 00:00') + timedelta(weeks=n):%Y%m%d}" for n in range(73)]
    drop = policy(action="drop", confirm=True, **FORTNIGHT)
    found = planned(drop, table(*weeks(*mondays)), NOW, limits=Limits(max_retired=5))
    assert names(found, "detach") == [f"m_{monday}" for monday in mondays[:5]]
    assert any("more have expired; a run takes at most 5 away" in each.why for each in found.refusals)


def test_nothing_is_taken_away_while_the_clock_looks_wrong_but_room_is_made():
    existing = table(*weeks("20260427", "20260504", "20260511"))
    catalog = Catalog({"s.m": existing}, clock_trouble="the clock is 3 days behind the last run")
    found = plan([policy(action="drop", confirm=True, **FORTNIGHT)], catalog, NOW)
    assert names(found) == ["m_20260518"] and kinds(found) == ["create"]
    assert "nothing is taken away: the clock is 3 days behind" in found.refusals[0].why


def test_24_beside_a_default_partition_the_detach_is_an_ordinary_one_under_lock_timeout():
    existing = table(*weeks("20260427", "20260504", "20260511", "20260518"), default())
    (step, _) = planned(policy(action="detach", **FORTNIGHT), existing, NOW).steps
    assert step.is_transaction
    assert step.lock == "ACCESS EXCLUSIVE on the table"
    assert not any("CONCURRENTLY" in statement for statement in step.statements)


def test_27_a_referenced_table_partition_stays_and_who_needs_it_is_named():
    old = weeks("20260427")[0]
    existing = table(
        old, *weeks("20260504", "20260511", "20260518"), inbound=(InboundKey("child_fk", "s.child", {old.oid: 12}),)
    )
    found = planned(policy(action="detach", **FORTNIGHT), existing, NOW)
    assert found.steps == ()
    assert "m_20260427 stays: 12 rows of s.child (child_fk) reference it" in found.refusals[0].why
    free = replace(existing, inbound=(InboundKey("child_fk", "s.child", {old.oid: 0}),))
    assert kinds(planned(policy(action="detach", **FORTNIGHT), free, NOW)) == ["detach", "shelve"]


def kept(action: str = "drop", drop_after: str = "2026-05-20 11:00", archive: str | None = None) -> Retiring:
    return Retiring(5, "m_20260101", "attic", "m_20260101_5", "a", "b", action, "kept", False, at(drop_after), archive)


def test_the_attic_is_emptied_when_the_time_of_grace_is_over():
    drop = policy(action="drop", confirm=True, **FORTNIGHT)
    for each, expected in ((kept(), ["drop"]), (kept(drop_after="2026-05-20 13:00"), [])):
        assert kinds(planned(drop, table(*weeks("20260518"), retiring=(each,)), NOW)) == expected


def test_what_is_to_be_archived_is_not_dropped_without():
    archive = policy(action="archive", confirm=True, **FORTNIGHT)
    without = table(*weeks("20260518"), retiring=(kept("archive"),))
    assert kinds(planned(archive, without, NOW)) == ["archive"]
    has = table(*weeks("20260518"), retiring=(kept("archive", archive="s.m_20260101-abc"),))
    assert kinds(planned(archive, has, NOW)) == ["drop"]


@pytest.mark.parametrize("now_says", [{"action": "keep"}, {"action": "drop"}, {"action": "detach"}])
def test_a_policy_that_no_longer_says_so_drops_nothing_from_the_attic(now_says: dict):
    existing = table(*weeks("20260518"), retiring=(kept(),))
    assert planned(policy(**FORTNIGHT, **now_says), existing, NOW).steps == ()


def test_without_a_policy_nothing_is_planned_for_a_table():
    assert plan([], Catalog({"s.m": table(*weeks("20200106"), retiring=(kept(),))}), NOW).steps == ()


def test_what_was_restored_stays_until_its_day():
    existing = table(*weeks("20260427", "20260504", "20260511", "20260518"))
    held = replace(existing, held={"2026-04-27 00:00:00+00": at("2026-06-01 00:00")})
    detach = policy(action="detach", **FORTNIGHT)
    assert planned(detach, held, NOW).steps == ()
    assert names(planned(detach, held, at("2026-06-02 00:00")), "detach")[0] == "m_20260427"


def test_33_a_plan_says_what_where_and_under_which_lock():
    big = replace(weeks("20260427")[0], rows=1_000_000, bytes=2**30)
    found = planned(policy(action="detach", **FORTNIGHT), table(big, *weeks("20260504", "20260511", "20260518")), NOW)
    step = found.as_json(NOW)["steps"][0]
    assert step["statements"] == ('ALTER TABLE "s"."m" DETACH PARTITION "s"."m_20260427" CONCURRENTLY',)
    assert (step["rows"], step["bytes"], step["lower"]) == (1_000_000, 2**30, "2026-04-27 00:00:00+00")
    assert step["lock"] == "SHARE UPDATE EXCLUSIVE on the table"
    assert "| detach | s.m | m_20260427 | 2026-04-27 00:00:00+00" in found.as_markdown()
