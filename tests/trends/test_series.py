"""Counts as lines of a chart."""

from __future__ import annotations

from datetime import date

from stats_assets.shared.charts import OTHER
from stats_assets.trends.series import lines_of

MONDAY, TUESDAY = date(2026, 2, 2), date(2026, 2, 3)


def test_a_day_on_which_others_are_counted_is_0_and_no_gap():
    lines = lines_of([(MONDAY, "sixes", 5), (TUESDAY, "sixes", 4), (TUESDAY, "fours", 2)])
    assert lines == {"sixes": {MONDAY: 5, TUESDAY: 4}, "fours": {MONDAY: 0, TUESDAY: 2}}


def test_the_most_frequent_come_first_and_the_rest_is_one_line():
    lines = lines_of([(MONDAY, "a", 1), (MONDAY, "b", 3), (MONDAY, "c", 2)], shown_at_most=1)
    assert lines == {"b": {MONDAY: 3}, OTHER: {MONDAY: 3}}
