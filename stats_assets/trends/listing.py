"""The game-log site's listing: what a page says, and which days it has to be read for. Nothing is fetched here.

Format: GET {api_url}/log?offset=&limit= gives {"success": true, "total": n, "logs": [{"id": n, "date": Unix seconds,
...}]}, newest first. `total` counts every log there is; ids are sparse; new uploads shift the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from stats_assets.shared.days import contiguous, days_between, midnight

# A log turns up in the listing when its upload is done; the last of a day have come by then.
SETTLES_AFTER = timedelta(hours=3)
_FIRST_LOOK_DAYS = 7
_DAYS_PER_RUN = 31
_LARGEST_ID = 2**31 - 1


class NoListing(Exception):
    """The answer is not what the site lists with."""


@dataclass(frozen=True, slots=True)
class ListedLog:
    """A log the site names, and when it was uploaded (UTC)."""

    logid: int
    uploaded_at: datetime

    @property
    def day(self) -> date:
        return self.uploaded_at.date()


@dataclass(frozen=True)
class Page:
    """A piece of the listing; `unreadable` counts lines that name no log."""

    total: int
    logs: tuple[ListedLog, ...]
    lines: int

    @property
    def unreadable(self) -> int:
        return self.lines - len(self.logs)


def read_page(body: bytes, now: datetime) -> Page:
    """The page an answer holds. Raises NoListing."""
    try:
        answer = orjson.loads(body)
        lines, total = answer["logs"], answer["total"]
        is_listing = answer["success"] is True and isinstance(lines, list) and isinstance(total, int) and total >= 0
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise NoListing(f"not a listing: {error}") from error
    if not is_listing:
        raise NoListing(f"not a listing: {body[:120]!r}")
    found = [_listed(line, now) for line in lines]
    return Page(total, tuple(log for log in found if log), len(lines))


def _listed(line: Any, now: datetime) -> ListedLog | None:
    """None for a line without a usable id and date, or from the future."""
    if not isinstance(line, Mapping):
        return None
    logid, uploaded = line.get("id"), line.get("date")
    if type(logid) is not int or type(uploaded) is not int or not 0 < logid <= _LARGEST_ID:
        return None
    if not 0 < uploaded <= now.timestamp() + 86_400:
        return None
    return ListedLog(logid, datetime.fromtimestamp(uploaded, UTC))


def days_to_list(
    first_day: date, listed: Mapping[date, datetime], gaps: Iterable[date], now: datetime
) -> list[tuple[date, date]]:
    """The ranges of days a run should list and fetch: what is not settled since the newest settled day, and gaps.

    After an outage of any length that is every day of it, a month per run. At first it is the last week: what lies
    before is a backfill, to be asked for by people.
    """
    today = now.date()
    settled = {day for day, at in listed.items() if at >= midnight(day + timedelta(days=1)) + SETTLES_AFTER}
    first_look = today - timedelta(days=_FIRST_LOOK_DAYS - 1)
    begin = max(settled) + timedelta(days=1) if settled else first_look
    open_days = days_between(max(begin, first_day), today)[:_DAYS_PER_RUN]
    # What a first look left out, too, as long as there is nothing before.
    early_days = days_between(first_look, min(listed)) if listed else []
    asked = {*open_days, *((listed.keys() | set(early_days)) - settled), *_left_out(listed), *gaps}
    return contiguous((day for day in asked if first_day <= day <= today), 1)


def _left_out(listed: Iterable[date]) -> list[date]:
    """Days between listed ones, as a run leaves them when some of its days fail.

    Where more than a month lies between two listed days, people have asked for the older one alone.
    """
    days = sorted(listed)
    holes = (days_between(one + timedelta(days=1), other - timedelta(days=1)) for one, other in pairwise(days))
    return [day for hole in holes if len(hole) <= _DAYS_PER_RUN for day in hole]
