from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from stats_assets.countme.charts import CHARTS, OTHER, Chart, averages, draw, series_of
from stats_assets.countme.publish_charts import chart_rows
from stats_assets.countme.publish_totals import PublishedRows
from tests.countme.counted import SITE, Counted

OLD, NEW = date(2024, 3, 4), date(2024, 3, 11)
DAYS = [OLD + timedelta(days=n) for n in range(9)]


def test_the_largest_at_the_end_comes_first_and_what_never_was_large_is_summed_up():
    rows = [(OLD, "a", 900), (OLD, "b", 5), (NEW, "b", 30), (NEW, "c", 20), (NEW, "d", 1), (NEW, "a", 2)]
    series = series_of(rows, step_days=7, shown_at_most=2)
    assert series == {"b": {OLD: 5, NEW: 30}, "a": {OLD: 900, NEW: 2}, OTHER: {OLD: 0, NEW: 21}}
    assert list(series) == ["b", "a", OTHER]


def test_a_week_of_which_nothing_is_known_breaks_the_lines():
    later = NEW + timedelta(weeks=1)
    (points,) = series_of([(OLD, "a", 1), (later, "a", 2)], step_days=7).values()
    assert list(points) == [OLD, NEW, later]
    assert math.isnan(points[NEW])


def test_a_mean_needs_seven_known_days():
    means = averages({"a": dict(zip(DAYS, [*range(7), 7, math.nan], strict=True))})
    assert [value for value in means["a"].values() if not math.isnan(value)] == [3.0, 4.0]
    assert math.isnan(means["a"][DAYS[8]])


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_is_drawn_of_nothing_of_one_date_and_of_many(chart: Chart):
    several = [(OLD + timedelta(weeks=n) if chart.of == "systems" else DAYS[n], "a", n) for n in range(9)]
    for rows in ([], several[:1], several):
        assert draw(chart, rows, SITE, dpi=20).startswith(b"\x89PNG")


def shown(counted: Counted, name: str, **settings: object) -> list[tuple]:
    """The rows of the chart of this name."""
    (chart,) = [chart for chart in CHARTS if chart.name == name]
    with counted.database.transaction() as cursor:
        return chart_rows(cursor, PublishedRows(SITE, "strict", "previous_day", **settings), chart)  # type: ignore[arg-type]


def test_systems_are_those_that_asked_for_their_commonest_repository(counted: Counted):
    counted.week(OLD, (50, "A", 1, "fedora-39"), (70, "A", 1, "updates"), (8, "A", 2, "updates"), (9, "A", -1))
    counted.week(NEW, (60, "A", 1), status="provisional")
    assert shown(counted, "systems-by-release") == [(OLD, "A 39", 78)]
    assert shown(counted, "systems-by-age") == [(OLD, "first week", 70), (OLD, "weeks 2 to 4", 8)]
    assert shown(counted, "systems-by-variant") == [(OLD, "workstation", 78)]
    assert shown(counted, "systems-by-architecture", unfinished=True) == [(OLD, "x86_64", 78), (NEW, "x86_64", 60)]


def test_small_counts_are_not_named_in_pictures(counted: Counted):
    counted.week(OLD, (50, "A", 1), (3, "odd", 1))
    assert shown(counted, "systems-by-release", suppress_below=5) == [(OLD, "A 39", 50), (OLD, "other", 3)]


def test_hosts_by_version_leave_other_repositories_and_the_unfinished_day_out(counted: Counted):
    for day in DAYS[:3]:
        counted.hosts(day, f39=2, f45=3, rawhide=1, epel9=5, epel10=4, epel_next9=7, modular_f38=6)
        counted.loaded(day)
    fedora = [("f39", 2), ("f45", 3), ("rawhide", 1)]
    assert shown(counted, "hosts-fedora") == [(day, *hosts) for day in DAYS[:2] for hosts in fedora]
    epel = [("epel10", 4), ("epel9", 5)]
    assert shown(counted, "hosts-epel") == [(day, *hosts) for day in DAYS[:2] for hosts in epel]


def test_a_picture_of_the_same_numbers_is_the_same_file():
    rows = [(OLD, "a", 1), (NEW, "b", 3)]
    assert draw(CHARTS[0], rows, SITE, dpi=20) == draw(CHARTS[0], rows, SITE, dpi=20)
