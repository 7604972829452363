"""What rsync says, in its words, and what we make of it. Pure."""

from __future__ import annotations

import pytest

from stats_assets.log_sync.plan import Present
from stats_assets.log_sync.transports.limits import SourceRefused
from stats_assets.log_sync.transports.program import Ended
from stats_assets.log_sync.transports.rsync_answers import failure, is_missing, version_told
from stats_assets.shared.failures import SourceAway

URL = "rsync://host/logs/2026-03-09.log.gz"
GONE = 'rsync: [sender] link_stat "/x.gz" (in logs) failed: No such file or directory (2)\n'
SUMMARY = "rsync error: error starting client-server protocol (code 5) at main.c(1863) [Receiver=3.2.7]\n"


@pytest.mark.parametrize("code", [10, 11, 12, 14, 20, 24, 30, 35, 255, -9])
def test_troubles_of_the_network_may_be_over_at_the_next_try(code: int):
    assert isinstance(failure(Ended(code, "", "rsync: trouble\n"), URL), SourceAway)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 25])
def test_troubles_of_another_kind_are_for_people(code: int):
    assert isinstance(failure(Ended(code, "", "rsync: trouble\n"), URL), SourceRefused)


def test_a_daemon_with_all_its_places_taken_is_tried_again():
    full = Ended(5, "", "@ERROR: max connections (4) reached -- try again later\n" + SUMMARY)
    assert isinstance(failure(full, URL), SourceAway)


def test_a_daemon_that_does_not_let_us_in_is_not():
    barred = failure(Ended(5, "", "@ERROR: access denied to logs from us (10.0.0.1)\n" + SUMMARY), URL)
    assert isinstance(barred, SourceRefused)
    assert str(barred) == f"{URL}: rsync ended with 5 (@ERROR: access denied to logs from us (10.0.0.1))"


def test_a_file_we_may_not_read_is_no_missing_file():
    forbidden = Ended(23, "", 'rsync: [sender] send_files failed to open "/x.gz": Permission denied (13)\n')
    assert not is_missing(forbidden)
    assert isinstance(failure(forbidden, URL), SourceRefused)


def test_a_host_without_rsync_is_told_as_such():
    assert "rsync is not installed on that host" in str(failure(Ended(127, "", "sh: rsync: not found\n"), URL))


def test_a_code_without_words_is_told_by_its_summary():
    assert "(code 5)" in str(failure(Ended(5, "", SUMMARY), URL))
    assert "without a word" in str(failure(Ended(5, "", ""), URL))


def test_a_missing_file_is_told_by_its_words():
    assert is_missing(Ended(23, "", GONE))
    assert not is_missing(Ended(12, "", GONE))


def test_words_of_greeting_are_no_version():
    told = Ended(0, "Welcome to 2026/03/09-00:00:00 7\nfile 2026/03/09-01:02:03 70000000000\n", "")
    assert version_told(told) == Present("modified=2026/03/09-01:02:03 bytes=70000000000", 70_000_000_000)
    assert version_told(Ended(0, "skipping directory 09\n", "")) is None
