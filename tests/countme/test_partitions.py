from __future__ import annotations

from datetime import date

from stats_assets.countme.partitions import weekly
from stats_assets.shared.days import contiguous


def test_a_hole_splits_a_range():
    days = [date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 5), date(2024, 2, 29)]
    assert contiguous(days, 1) == [(date(2024, 2, 29), date(2024, 3, 2)), (date(2024, 3, 5), date(2024, 3, 5))]


def test_weeks_step_by_seven_days():
    assert contiguous([date(2024, 3, 4), date(2024, 3, 11)], 7) == [(date(2024, 3, 4), date(2024, 3, 11))]


def test_the_first_week_is_the_one_that_holds_the_first_day():
    assert weekly(date(2024, 2, 28)).get_first_partition_key() == "2024-02-26"


def test_every_week_begins_on_a_monday_across_new_year():
    keys = weekly(date(2024, 12, 20)).get_partition_keys()[:4]
    assert [date.fromisoformat(key).weekday() for key in keys] == [0, 0, 0, 0]
    assert keys == ["2024-12-16", "2024-12-23", "2024-12-30", "2025-01-06"]
