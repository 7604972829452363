from datetime import UTC, date, datetime

import pytest

from stats_assets.countme.weeks import (
    FIRST_COUNTME_WEEK,
    files_needed,
    monday_of,
    settled_after,
    week_window,
)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("instant", "week"),
    [
        ("2024-03-04T00:00:00", date(2024, 3, 4)),
        ("2024-03-10T23:59:59", date(2024, 3, 4)),
        ("2024-03-11T00:00:00", date(2024, 3, 11)),
        ("1970-01-01T00:00:00", date(1969, 12, 29)),
        ("1969-12-28T23:59:59", date(1969, 12, 22)),
    ],
)
def test_a_week_is_named_by_the_monday_it_begins_on(instant: str, week: date):
    assert monday_of(_seconds(instant)) == week


@pytest.mark.parametrize("week", [date(1969, 12, 29), FIRST_COUNTME_WEEK, date(2024, 12, 30)])
def test_the_window_of_a_week_holds_its_first_second_and_not_its_end(week: date):
    start, end = week_window(week)
    assert (monday_of(start), monday_of(end - 1)) == (week, week)
    assert monday_of(start - 1) != week != monday_of(end)


def test_the_first_countme_week_begins_where_the_established_tool_lets_it_begin():
    assert week_window(FIRST_COUNTME_WEEK)[0] == 1581292800


def test_files_dated_by_their_traffic_are_needed_from_the_sunday_before_to_the_sunday():
    days = files_needed(date(2024, 2, 26), "same_day")
    assert (days[0], days[-1], len(days)) == (date(2024, 2, 25), date(2024, 3, 3), 8)


def test_files_dated_by_their_rotation_are_needed_from_the_monday_to_the_monday_after():
    days = files_needed(date(2024, 12, 30), "previous_day")
    assert (days[0], days[-1], len(days)) == (date(2024, 12, 30), date(2025, 1, 6), 8)


def test_a_week_is_settled_when_the_day_of_its_last_file_is_over():
    assert settled_after(date(2024, 2, 26), "same_day") == date(2024, 3, 4)
    assert settled_after(date(2024, 2, 26), "previous_day") == date(2024, 3, 5)
