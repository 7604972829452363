"""What the planner creates, scenario by scenario. Dates: 2016-05-25 is a Wednesday, 2026-05-18 a Monday."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_assets.table_partitions.catalog import Catalog, DefaultRows, Retiring
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.periods import following, period_of
from stats_assets.table_partitions.plan import plan
from tests.table_partitions.made_up import after, at, default, kinds, names, part, planned, policy, table, weeks

WEDNESDAY = at("2016-05-25 12:00")
NOW = at("2026-05-20 12:00")


def bounds(found, name: str) -> tuple[str, str]:
    (step,) = [step for step in found.steps if step.partition == name]
    return step.lower, step.upper


def test_01_first_creation_makes_the_current_week_and_two_ahead_in_utc():
    found = planned(policy(), table(), WEDNESDAY)
    assert names(found) == ["m_20160523", "m_20160530", "m_20160606"]
    assert kinds(found) == ["create"] * 3
    assert bounds(found, "m_20160530") == ("2016-05-30 00:00:00+00", "2016-06-06 00:00:00+00")
    assert planned(policy(), after(table(), found), WEDNESDAY).steps == ()


def test_02_a_row_on_the_boundary_belongs_to_the_later_week_alone():
    monday = at("2016-05-30 00:00")
    assert period_of(policy(), monday).lower == monday
    assert period_of(policy(), monday - timedelta(microseconds=1)).upper == monday


def test_03_weeks_of_dates_have_dates_as_bounds_and_seven_days():
    found = planned(policy(kind="date"), table(kind="date"), WEDNESDAY)
    assert bounds(found, "m_20160523") == ("2016-05-23", "2016-05-30")
    assert period_of(policy(kind="date"), date(2016, 5, 30)).lower == date(2016, 5, 30)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2024-12-30 00:00", ["m_20241230", "m_20250106"]),
        ("2024-12-29 23:59", ["m_20241223", "m_20241230"]),
        ("2026-01-01 00:00", ["m_20251229", "m_20260105"]),
    ],
)
def test_04_weeks_go_on_over_the_change_of_the_year(now: str, expected: list[str]):
    assert names(planned(policy(ahead=1), table(), at(now))) == expected


@pytest.mark.parametrize(
    ("zone", "step", "now", "name", "lower", "upper"),
    [
        ("America/New_York", "day", "2026-11-01 12:00", "m_20261101", "2026-11-01 04:00", "2026-11-02 05:00"),
        ("America/New_York", "week", "2026-10-28 12:00", "m_20261026", "2026-10-26 04:00", "2026-11-02 05:00"),
        ("Europe/Berlin", "week", "2026-03-25 12:00", "m_20260323", "2026-03-22 23:00", "2026-03-29 22:00"),
        ("Europe/Berlin", "month", "2026-03-25 12:00", "m_20260301", "2026-02-28 23:00", "2026-03-31 22:00"),
    ],
)
def test_06_local_periods_keep_to_the_calendar_when_clocks_change(zone, step, now, name, lower, upper):
    found = planned(policy(zone=zone, step=step, ahead=0), table(), at(now))
    assert bounds(found, name) == (f"{lower}:00+00", f"{upper}:00+00")


def test_07_another_zone_than_the_table_was_cut_in_is_refused_by_name():
    existing = table(*weeks("20260518", "20260525"))
    found = planned(policy(zone="America/New_York"), existing, NOW)
    assert found.steps == ()
    (refusal,) = found.refusals
    assert "2026-05-18 04:00:00+00 to 2026-05-25 04:00:00+00 would overlap" in refusal.why
    assert "m_20260518 (2026-05-18 00:00:00+00 to 2026-05-25 00:00:00+00)" in refusal.why


def test_09_a_gap_in_the_middle_is_filled_and_nothing_else_is_made():
    found = planned(policy(ahead=0), table(*weeks("20260504", "20260518")), NOW)
    assert names(found) == ["m_20260511"]


def test_09_what_loaders_and_people_called_otherwise_is_known_by_its_bounds():
    existing = table(part("odd name", at("2026-05-18 00:00"), at("2026-06-15 00:00")))
    assert planned(policy(ahead=3), existing, NOW).steps == ()


def test_09_a_hole_too_long_to_be_a_gap_is_told_and_left():
    found = planned(policy(ahead=0), table(*weeks("20070101", "20260518")), NOW)
    assert names(found) == []
    assert "1010 periods without a table partition, 2007-01-08" in found.refusals[0].why


def test_10_rows_of_the_default_partition_move_to_their_week_and_one_bad_row_stops_no_other():
    rows = DefaultRows(((at("2026-05-26 01:00"), 1000), (at("2027-01-05 00:00"), 10)), 0, "2026-05-26", "2027-01-05")
    existing = table(*weeks("20260518"), default(), default_rows=rows)
    found = planned(policy(), existing, NOW)
    assert [(step.kind, step.partition, step.rows) for step in found.steps] == [
        ("drain", "m_20260525", 1000),
        ("create", "m_20260601", 0),
    ]
    (refusal,) = found.refusals
    assert "m_default keeps 10 rows" in refusal.why and "2026-05-26 to 2027-01-05" in refusal.why
    left = replace(after(existing, found), default_rows=DefaultRows(((at("2027-01-05 00:00"), 10),)))
    assert planned(policy(), left, NOW).steps == ()


def test_12_one_row_in_the_year_9999_creates_nothing_and_is_told():
    rows = DefaultRows(((at("9999-12-31 00:00"), 1),), 0, "9999-12-31", "9999-12-31")
    found = planned(policy(), table(*weeks("20260518"), default(), default_rows=rows), NOW)
    assert names(found) == ["m_20260525", "m_20260601"]
    assert "keeps 1 rows" in found.refusals[0].why


def test_12_a_run_makes_at_most_so_many_and_the_next_goes_on():
    found = planned(policy(step="day", ahead=100), table(), NOW, limits=Limits(max_created=60))
    assert len(found.steps) == 60
    assert found.steps[0].partition == "m_20260520"
    assert "41 more" in found.refusals[0].why
    rest = planned(policy(step="day", ahead=100), after(table(), found), NOW, limits=Limits(max_created=60))
    assert len(rest.steps) == 41


def test_13_rows_without_a_time_stay_in_the_default_partition_and_are_told():
    found = planned(policy(), table(*weeks("20260518"), default(), default_rows=DefaultRows((), 2)), NOW)
    assert "keeps 2 rows" in found.refusals[0].why


def test_15_ids_are_cut_by_number_and_stop_where_their_type_ends():
    ids = policy(kind="int", step=100_000, ahead=2)
    found = planned(ids, table(part("m_20e5", 2_000_000, 2_100_000), kind="int", newest_id=2_050_000), NOW)
    assert names(found) == ["m_2100000", "m_2200000"]
    last = table(kind="int", key_type="integer", newest_id=2**31 - 5)
    ending = planned(ids, last, NOW)
    assert ending.steps == ()
    assert "integer ends at 2147483647" in ending.refusals[0].why


def test_23_a_pending_detach_of_somebody_else_is_ended_and_its_range_not_made_again():
    pending = replace(weeks("20260511")[0], is_pending=True)
    existing = table(*weeks("20260504"), pending, *weeks("20260518", "20260525", "20260601"))
    found = planned(policy(), existing, NOW)
    assert [(step.kind, step.partition) for step in found.steps] == [("finalize", "m_20260511")]
    assert "somebody else" in found.steps[0].why
    standing = replace(existing, partitions=tuple(each for each in existing.partitions if not each.is_pending))
    refused = planned(policy(), standing, NOW)
    assert refused.steps == ()
    assert "the name s.m_20260511 is taken by something that is not its table partition" in refused.refusals[0].why


def test_23_our_own_broken_off_detach_is_ended_and_put_into_the_attic():
    pending = replace(weeks("20250505")[0], is_pending=True, oid=77)
    ours = Retiring(77, "m_20250505", "s", "m_20250505", "a", "b", "drop", "detaching", is_attached=True)
    existing = table(pending, *weeks("20260518", "20260525", "20260601"), retiring=(ours,))
    found = planned(policy(retention="26 weeks", action="drop", confirm=True), existing, NOW)
    assert [(step.kind, step.partition) for step in found.steps] == [
        ("finalize", "m_20250505"),
        ("shelve", "m_20250505"),
    ]


def test_31_a_taken_name_is_refused_by_name_and_the_others_are_made():
    found = planned(policy(), table(names_taken=frozenset({"m_20260525"})), NOW)
    assert names(found) == ["m_20260518", "m_20260601"]
    assert "the name s.m_20260525 is taken by something" in found.refusals[0].why
    odd = table(part("m_20260525", at("2020-01-06 00:00"), at("2020-01-13 00:00")))
    other = planned(policy(retention="8 weeks", action="detach"), odd, NOW)
    assert "taken by a table partition with the bounds 2020-01-06" in " ".join(map(str, other.refusals))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"strategy": ""}, "is partitioned not at all"),
        ({"strategy": "l"}, "by LIST"),
        ({"key": ("other",)}, r"by \(other\), the policy says ts"),
        ({"key": ("ts", "n")}, r"by \(ts, n\)"),
        ({"key_type": "date"}, "type date, which kind timestamptz does not fit"),
        ({"partitions": (part("m_sub", 1, 2, is_plain=False),)}, "m_sub is partitioned itself"),
    ],
)
def test_32_a_policy_that_does_not_fit_its_table_is_refused_and_the_others_are_carried_out(facts, reason):
    bad, good = policy(table="s.bad"), policy()
    found = plan([bad, good], Catalog({"s.bad": replace(table(), **facts), "s.m": table()}), NOW)
    assert {step.table for step in found.steps} == {"s.m"}
    (refusal,) = found.refusals
    assert refusal.table == "s.bad"
    assert __import__("re").search(reason, refusal.why)


def test_32_an_unknown_table_and_two_policies_for_one_are_refused():
    found = plan([policy(table="s.gone"), policy(), policy(ahead=9)], Catalog({"s.m": table()}), NOW)
    assert found.steps == ()
    assert [str(each) for each in found.refusals] == [
        "s.gone: there is no such table",
        "s.m: two policies name it",
        "s.m: two policies name it",
    ]


def test_36_on_a_standby_nothing_is_planned_and_that_is_told():
    found = plan([policy()], Catalog({"s.m": table()}, is_read_only=True), NOW)
    assert found.steps == ()
    assert "takes no changes" in found.refusals[0].why and not found.refusals[0].is_wrong


def test_27d_referenced_tables_come_first_when_creating_and_last_when_retiring():
    old = at("2020-01-06 00:00")
    parts = [part("m_old", old, old + timedelta(days=7)), *weeks("20260518", "20260525")]
    drop = {"retention": "8 weeks", "action": "drop", "confirm": True, "ahead": 2}
    policies = [policy(table="s.child", **drop), policy(table="s.m", **drop)]
    child = replace(table(*parts), name="child", references=frozenset({("s", "m")}))
    found = plan(policies, Catalog({"s.child": child, "s.m": table(*parts)}), NOW)
    order = [(step.kind, step.table) for step in found.steps if step.kind in ("create", "detach")]
    assert order == [("create", "s.m"), ("create", "s.child"), ("detach", "s.child"), ("detach", "s.m")]


def test_names_that_do_not_fit_are_cut_with_a_hash_and_stay_apart():
    long = "ä" * 31  # 62 bytes
    one, other = (
        planned(policy(table=f"s.{name}"), replace(table(), name=name), NOW) for name in (long, long[:-1] + "b")
    )
    assert all(len(step.partition.encode()) <= 63 for step in (*one.steps, *other.steps))
    assert not set(names(one)) & set(names(other))


def test_identifiers_are_quoted_wherever_they_come_from():
    odd = replace(table(), schema='S"x', name="M.y", key=("Ts ",))
    found = planned(policy(table='"S""x"."M.y"', key="Ts "), odd, NOW)
    assert '"S""x"."M.y_20260518" (LIKE "S""x"."M.y" INCLUDING ALL' in found.steps[0].statements[1]
    assert "\"Ts \" >= '2026-05-18 00:00:00+00'" in found.steps[0].statements[1]


@given(
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"]),
    st.sampled_from(["day", "week", "month"]),
    st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_periods_hold_their_value_and_follow_without_hole_or_overlap(zone: str, step: str, value: datetime):
    cut = policy(zone=zone, step=step)
    period = period_of(cut, value)
    assert period.lower <= value < period.upper  # type: ignore[operator]
    assert period_of(cut, period.lower) == period
    assert following(cut, period).lower == period.upper


@given(st.sets(st.integers(0, 25), max_size=20), st.integers(0, 6))
def test_carrying_a_plan_out_leaves_nothing_to_plan(existing: set[int], ahead: int):
    first = at("2026-01-05 00:00")
    parts = [
        part(f"m_{first + timedelta(weeks=n):%Y%m%d}", first + timedelta(weeks=n), first + timedelta(weeks=n + 1))
        for n in existing
    ]
    start = table(*parts)
    found = planned(policy(ahead=ahead), start, NOW)
    assert planned(policy(ahead=ahead), after(start, found), NOW).steps == ()
