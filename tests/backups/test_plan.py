from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stats_assets.backups.plan import Keep, backup_name, begun_at, retention

NIGHT = datetime(2026, 5, 20, 1, 10, tzinfo=UTC)  # a Wednesday


def nightly(days: int, until: datetime = NIGHT) -> list[str]:
    return [backup_name(until - timedelta(days=n)) for n in range(days)]


def days_of(names) -> list[str]:
    return sorted(name[:10] for name in names)


def test_a_year_of_nights_keeps_seven_days_four_weeks_twelve_months():
    kept = retention(nightly(400), Keep()).kept
    assert days_of(kept) == [
        *("2025-06-30", "2025-07-31", "2025-08-31", "2025-09-30", "2025-10-31", "2025-11-30", "2025-12-31"),
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"),
        *("2026-05-03", "2026-05-10", "2026-05-14", "2026-05-15", "2026-05-16", "2026-05-17"),
        *("2026-05-18", "2026-05-19", "2026-05-20"),
    ]
    assert kept["2026-05-20T011000Z"] == ("newest", "day", "week", "month")
    assert kept["2026-05-17T011000Z"] == ("day", "week")


def test_of_several_backups_of_a_day_the_newest_is_kept():
    names = [backup_name(NIGHT.replace(hour=hour)) for hour in (1, 5, 9)]
    assert list(retention(names, Keep()).kept) == [names[2]]


def test_after_a_long_pause_the_old_backups_are_still_there():
    old = nightly(7, NIGHT - timedelta(days=300))
    assert retention([*old, backup_name(NIGHT)], Keep(daily=7)).removed == (old[6],)


def test_what_is_no_backup_is_neither_kept_nor_removed():
    assert retention(["lost+found", "2026-13-01T000000Z", "2026-5-20T011000Z"], Keep()).kept == {}
    assert begun_at("2026-5-20T011000Z") is None


def test_names_sort_by_time_and_give_it_back():
    assert begun_at(backup_name(NIGHT)) == NIGHT
    assert backup_name(NIGHT) < backup_name(NIGHT + timedelta(seconds=1))


instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)
keeps = st.builds(Keep, st.integers(1, 10), st.integers(0, 6), st.integers(0, 14))


@given(st.lists(instants, max_size=60), keeps)
def test_whatever_there_is_nothing_kept_is_removed_and_a_second_plan_removes_nothing(times, keep):
    names = {backup_name(at) for at in times}
    plan = retention(names, keep)
    assert set(plan.kept) | set(plan.removed) == names
    assert not set(plan.kept) & set(plan.removed)
    assert not names or max(names) in plan.kept
    assert len(plan.kept) <= keep.daily + keep.weekly + keep.monthly
    assert retention(plan.kept, keep).removed == ()


@given(st.lists(instants, min_size=1, max_size=60), keeps)
def test_a_backup_that_goes_has_a_newer_one_of_its_day_or_enough_newer_days(times, keep):
    names = sorted({backup_name(at) for at in times})
    for gone in retention(names, keep).removed:
        newer_days = {name[:10] for name in names if name > gone}
        assert gone[:10] in newer_days or len(newer_days) >= keep.daily
