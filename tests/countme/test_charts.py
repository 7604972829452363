from __future__ import annotations

from datetime import date

from stats_assets.countme.charts import CHARTS, OTHER, draw, series_of

OLD, NEW = date(2024, 3, 4), date(2024, 3, 11)


def test_the_largest_of_the_last_week_comes_first_and_the_rest_is_summed_up():
    rows = [(OLD, "a", 900), (OLD, "b", 5), (NEW, "b", 30), (NEW, "c", 20), (NEW, "d", 1), (NEW, "a", 2)]
    assert series_of(rows, shown_at_most=2) == {
        "b": {OLD: 5, NEW: 30},
        "c": {OLD: 0, NEW: 20},
        OTHER: {OLD: 900, NEW: 3},
    }


def test_a_chart_of_nothing_is_still_a_picture_that_says_so():
    assert draw(CHARTS[0], series_of([]), dpi=20).startswith(b"\x89PNG")


def test_a_chart_is_drawn_for_one_week_as_for_many():
    for rows in ([(OLD, "a", 1)], [(OLD, "a", 1), (NEW, "a", 3)]):
        assert draw(CHARTS[0], series_of(rows), dpi=20).startswith(b"\x89PNG")
