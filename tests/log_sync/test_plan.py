"""What is done with a file, from what we have and what its source says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.log_sync.plan import Absent, Fetch, KeepCopy, Missing, Present, UpToDate, decide, good_copy
from tests.log_sync.sources import DAY, NOW, SITE

COPY = ManifestRow(
    day=DAY,
    host="web1",
    site=SITE,
    state="fetched",
    source_url="file:///x",
    source_version="v1",
    archive_name="a.gz",
    file_bytes=10,
    content_bytes=100,
    sha256="00",
    fetched_at=NOW,
    checked_at=NOW,
    attempts=1,
    last_error=None,
)


def test_what_we_do_not_have_is_fetched():
    assert decide(None, Present("v1")) == Fetch(Present("v1"))


def test_an_unchanged_file_is_not_fetched_again():
    assert decide(COPY, Present("v1")) == UpToDate(COPY)


def test_a_changed_file_is_fetched_again():
    assert decide(COPY, Present("v2")) == Fetch(Present("v2"))


def test_a_file_nobody_has_is_missing():
    assert decide(None, Absent("404 at x")) == Missing("404 at x")


def test_a_file_its_source_has_no_more_is_kept():
    assert decide(COPY, Absent("404 at x")) == KeepCopy(COPY, "404 at x")


def test_a_copy_is_good_when_the_archive_still_holds_it():
    assert good_copy(COPY, "a.gz", size_bytes={"a.gz": COPY.file_bytes}.get) == COPY


@pytest.mark.parametrize(
    ("row", "size_bytes"),
    [
        (None, 10),
        (COPY, None),
        (replace(COPY, state="failed"), 10),
        (replace(COPY, archive_name="a.xz"), 10),
    ],
    ids=["never fetched", "gone from the archive", "failed", "kept in another compression"],
)
def test_anything_else_is_no_good_copy(row: ManifestRow | None, size_bytes: int | None):
    assert good_copy(row, "a.gz", size_bytes=lambda name: size_bytes) is None
