from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
import zstandard

from stats_assets.sandbox import crash_feeds
from stats_assets.sandbox.crash_site import crash_site, late_day, missing_day
from stats_assets.sandbox.planned import planned_failures
from stats_assets.sandbox.sites import SiteRequest
from stats_assets.sandbox.world import World

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = TODAY - timedelta(days=5)


def status(path: str, age: float = 100, late: float = 0) -> int:
    site = crash_site(World(), lambda: NOON, lambda: age, late)
    return int(site(SiteRequest("GET", path, {}, {})).status)


def test_a_day_is_the_same_however_often_it_is_asked_for():
    site = crash_site(World(), lambda: NOON)
    for path in (f"adi/{DAY}.csv.gz", f"reports/{DAY}.jsonl.zst", f"raw/{DAY}.jsonl.gz", "releases.csv"):
        answers = [site(SiteRequest("GET", path, {}, {})) for _ in range(2)]
        assert answers[0].body == answers[1].body
        assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert list(crash_feeds.reports(World(), DAY)) != list(crash_feeds.reports(World(seed=7), DAY))


def test_one_day_lost_its_installs_and_the_last_reports_come_late():
    assert status(f"adi/{missing_day(TODAY)}.csv.gz") == 404
    assert status(f"reports/{missing_day(TODAY)}.jsonl.zst") == 200
    assert status(f"reports/{late_day(TODAY)}.jsonl.zst", age=10, late=45) == 404
    assert status(f"reports/{late_day(TODAY)}.jsonl.zst", age=50, late=45) == 200
    assert planned_failures(TODAY)["crashes/active_daily_installs"] == {str(missing_day(TODAY))}


@pytest.mark.parametrize("path", [f"adi/{TODAY}.csv.gz", "adi/2026-02-30.csv.gz", "maps/none.csv", "../etc/passwd", ""])
def test_there_is_nothing_else(path: str):
    assert status(path) == 404


def test_reports_hold_duplicates_unknown_products_and_a_line_that_is_no_json():
    first, *lines = crash_feeds.reports(World(), DAY, count=1000)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(first)
    documents = [orjson.loads(line) for line in lines]
    assert len({document["uuid"] for document in documents}) == 1000
    attributes = Counter((d["signature"], d["topmost_filenames"], d["version"], d["reason"]) for d in documents)
    assert max(attributes.values()) > 1
    assert {"Torch", "Lantern", "Pocket Lantern"} == {document["product"] for document in documents}
    packed = zstandard.ZstdCompressor(level=1).compress(b"\n".join([first, *lines]))
    assert len(packed) < sum(map(len, lines))


def test_every_version_in_use_has_been_released():
    known = {line.split(",")[3] for line in crash_feeds.releases(DAY).splitlines()[1:]}
    for day in (date(2025, 9, 1), date(2025, 9, 28), DAY):
        assert {version.build for version in crash_feeds.active_versions(day)} <= known
