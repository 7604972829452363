"""The feeds of the simulated crash collector over HTTP, and which of them are there at a given moment.

GET /crashes/adi/<day>.csv.gz  /crashes/reports/<day>.jsonl.zst  /crashes/raw/<day>.jsonl.gz
    /crashes/releases.csv  /crashes/maps/<name>.csv
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus

import zstandard
from isal import igzip

from stats_assets.sandbox import crash_feeds, crash_maps
from stats_assets.sandbox.sites import Site, SiteAnswer, SiteRequest
from stats_assets.sandbox.world import World

# What goes wrong on purpose, counted in days before today.
MISSING_DAYS_AGO, LATE_DAYS_AGO = 9, 1

_DAILY = re.compile(r"(?P<feed>adi|reports|raw)/(?P<day>\d{4}-\d\d-\d\d)\.(?:csv|jsonl)\.(?:gz|zst)")


def missing_day(today: date) -> date:
    """The day whose installs were lost; they turn up when the calendar has moved on."""
    return today - timedelta(days=MISSING_DAYS_AGO)


def late_day(today: date) -> date:
    """The day whose reports come late."""
    return today - timedelta(days=LATE_DAYS_AGO)


def crash_site(
    world: World,
    now: Callable[[], datetime],
    age_seconds: Callable[[], float] = lambda: 0.0,
    late_seconds: float = 0,
) -> Site:
    """The site; `age_seconds` is how old the world is, `late_seconds` how old it must be for the late feed."""

    def answer(request: SiteRequest) -> SiteAnswer:
        today = now().date()
        body = _body(request.path, world, today, is_late=age_seconds() < late_seconds)
        if body is None:
            return SiteAnswer(HTTPStatus.NOT_FOUND, b"there is no such feed\n")
        tag = hashlib.sha256(body).hexdigest()[:16]
        return SiteAnswer(body=body, content_type="application/octet-stream", headers={"ETag": f'"{tag}"'})

    return answer


def _body(path: str, world: World, today: date, is_late: bool) -> bytes | None:
    if path == "releases.csv":
        return crash_feeds.releases(today).encode()
    if path.startswith("maps/"):
        text = crash_maps.MAPS.get(path.removeprefix("maps/"))
        return text.encode() if text else None
    match = _DAILY.fullmatch(path)
    day = _day(match["day"]) if match else None
    if match is None or day is None or not crash_feeds.OLDEST_DAY <= day < today:
        return None
    if match["feed"] == "adi":
        content = crash_feeds.installs(world, day).encode()
        return None if day == missing_day(today) else igzip.compress(content, compresslevel=1, mtime=0)
    if match["feed"] == "raw":
        return igzip.compress(b"\n".join(crash_feeds.raw_crashes(world, day)), compresslevel=1, mtime=0)
    if is_late and day == late_day(today):
        return None
    return zstandard.ZstdCompressor(level=1).compress(b"\n".join(crash_feeds.reports(world, day)))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
