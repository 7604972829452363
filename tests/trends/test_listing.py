"""Pages of the listing, and which days are to be listed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stats_assets.shared.failures import SourceAway
from stats_assets.trends.api_pages import list_between
from stats_assets.trends.listing import ListedLog, NoListing, Page, days_to_list, read_page

NOW = datetime(2026, 3, 20, 15, tzinfo=UTC)
TODAY = NOW.date()


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@dataclass
class Listed:
    """A site by its listing alone: ids from 1, one an hour, the newest an hour ago. Uploads and deletions by turn."""

    count: int = 5000
    page_most: int = 1000
    uploads_per_page: int = 0
    deleted: set[int] = field(default_factory=set)
    delete_after_first_page: set[int] = field(default_factory=set)
    asked: int = 0
    source: str = "api:test"

    def uploaded_at(self, logid: int) -> datetime:
        return NOW - timedelta(hours=self.count - logid + 1)

    def page(self, offset: int, limit: int) -> Page:
        self.asked += 1
        assert self.asked < 200, "it does not end"
        ids = [logid for logid in range(self.newest, 0, -1) if logid not in self.deleted]
        chosen = ids[offset : offset + min(limit, self.page_most)]
        if limit > 1:
            self.uploads += self.uploads_per_page
            self.deleted |= self.delete_after_first_page
        return Page(len(ids), tuple(ListedLog(logid, self.uploaded_at(logid)) for logid in chosen), len(chosen))

    uploads: int = 0

    @property
    def newest(self) -> int:
        return self.count + self.uploads


def ids_between(site: Any, start: datetime, end: datetime, page_size: int = 1000) -> list[int]:
    return [log.logid for log in list_between(site, start, end, page_size).logs]


def test_the_newest_days_are_read_from_the_first_page_on():
    site = Listed()
    assert ids_between(site, NOW - timedelta(hours=10), NOW + timedelta(hours=1)) == list(range(4991, 5001))
    assert site.asked == 2


def test_an_old_day_is_found_without_reading_all_pages_before_it():
    site = Listed(count=200_000)
    start = NOW - timedelta(hours=150_000)
    assert len(ids_between(site, start, start + timedelta(days=1))) == 24
    assert site.asked < 25


@pytest.mark.parametrize("page_most", [30, 1000])
def test_uploads_while_we_read_neither_hide_nor_double_a_log(page_most: int):
    site = Listed(count=1500, page_most=page_most, uploads_per_page=5)
    assert ids_between(site, NOW - timedelta(hours=400), NOW) == list(range(1101, 1501))


def test_deletions_while_we_read_hide_no_other_log():
    site = Listed(count=500, page_most=100, delete_after_first_page=set(range(480, 490)))
    found = ids_between(site, NOW - timedelta(hours=300), NOW)
    assert set(range(201, 480)) <= set(found)


def test_a_listing_that_grows_faster_than_we_read_ends():
    with pytest.raises(SourceAway, match="does not end"):
        list_between(Listed(count=500, page_most=30, uploads_per_page=40), NOW - timedelta(hours=400), NOW)  # type: ignore[arg-type]


def test_an_empty_site_has_no_logs():
    assert ids_between(Listed(count=0), NOW - timedelta(days=3), NOW) == []


def test_lines_that_name_no_log_are_counted_and_left_out():
    lines = [
        {"id": 5, "date": 1_700_000_000},
        {"id": 0, "date": 1_700_000_000},
        {"id": "6", "date": 1_700_000_000},
        {"id": 7},
        {"id": 8, "date": 9_999_999_999},
        {"id": 2**40, "date": 1_700_000_000},
        None,
    ]
    page = read_page(json.dumps({"success": True, "total": 7, "logs": lines}).encode(), NOW)
    assert [log.logid for log in page.logs] == [5]
    assert page.unreadable == 6


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"success": false}', b'{"success":true,"total":1}'])
def test_what_is_no_listing_is_told(body: bytes):
    with pytest.raises(NoListing):
        read_page(body, NOW)


def test_at_first_the_last_week_is_listed():
    assert days_to_list(date(2020, 1, 1), {}, [], NOW) == [(days_ago(6), TODAY)]
    assert days_to_list(days_ago(2), {}, [], NOW) == [(days_ago(2), TODAY)]


def test_after_two_days_off_every_day_since_is_listed():
    listed = {days_ago(n): NOW - timedelta(days=2) for n in range(2, 9)}
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(2), TODAY)]


def test_a_day_listed_before_it_was_over_is_listed_again():
    listed = {days_ago(n): NOW - timedelta(hours=16) for n in range(1, 8)}
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(1), TODAY)]


def test_a_long_outage_is_caught_up_month_by_month():
    listed = {days_ago(100): NOW - timedelta(days=98)}
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(99), days_ago(69))]


def test_a_day_that_failed_between_days_that_did_not_is_listed_again():
    """The run that failed goes on to its other days, and those settle."""
    listed = dict.fromkeys((days_ago(6), days_ago(5), days_ago(3), days_ago(2), days_ago(1)), NOW)
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(4), days_ago(4)), (TODAY, TODAY)]
    listed[days_ago(4)] = NOW - timedelta(days=4)  # while it was not over yet
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(4), days_ago(4)), (TODAY, TODAY)]


def test_the_first_days_of_a_first_look_are_listed_again_when_they_failed():
    listed = {days_ago(n): NOW for n in range(1, 5)}
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(days_ago(6), days_ago(5)), (TODAY, TODAY)]


def test_days_before_a_single_old_one_that_people_asked_for_are_left_to_people():
    listed = {days_ago(400): NOW, days_ago(1): NOW}
    assert days_to_list(date(2020, 1, 1), listed, [], NOW) == [(TODAY, TODAY)]


def test_days_with_gaps_are_asked_for_too():
    listed = {days_ago(n): NOW for n in range(1, 8)}
    assert days_to_list(days_ago(50), listed, [days_ago(9), days_ago(60)], NOW) == [
        (days_ago(9), days_ago(9)),
        (TODAY, TODAY),
    ]
