"""Reads the listing for a span of time: finds where it begins by halving, then reads page by page to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stats_assets.shared.failures import SourceAway
from stats_assets.trends.api_client import GameLogApi
from stats_assets.trends.listing import ListedLog, Page

# Ids order the listing, not times of upload; the two differ by minutes.
_SLACK = timedelta(hours=2)
# Lines read again at a page's edge, for logs that are deleted while we read: those behind move up.
_OVERLAP = 20


@dataclass(frozen=True)
class Listing:
    """What was uploaded in a span of time, oldest id first."""

    logs: tuple[ListedLog, ...]
    pages: int
    unreadable: int


def list_between(api: GameLogApi, start: datetime, end: datetime, page_size: int = 1000) -> Listing:
    """Every log listed as uploaded from `start` to before `end`. Raises SourceAway; always ends."""
    found: dict[int, ListedLog] = {}
    offset, pages, unreadable = _first_offset(api, end + _SLACK), 0, 0
    most_pages: int | None = None
    while most_pages is None or pages < most_pages:
        page = api.page(offset, page_size)
        pages, unreadable = pages + 1, unreadable + page.unreadable
        # A site whose total grows as we read must not keep us for ever.
        most_pages = most_pages or 2 + 2 * page.total // max(page.lines - _OVERLAP, 1)
        found |= {log.logid: log for log in page.logs if start <= log.uploaded_at < end}
        if _is_last(page, offset, start):
            return Listing(tuple(found[logid] for logid in sorted(found)), pages, unreadable)
        offset += max(page.lines - _OVERLAP, 1)
    raise SourceAway(f"{api.source}: the listing does not end: {pages} pages read down to offset {offset}")


def _first_offset(api: GameLogApi, end: datetime) -> int:
    """An offset before which everything was uploaded at or after `end`."""
    newest = api.page(0, 1)
    if not newest.logs or newest.logs[0].uploaded_at < end:
        return 0
    later, earlier = 0, newest.total
    while earlier - later > _OVERLAP:
        middle = (later + earlier) // 2
        page = api.page(middle, 1)
        if page.logs and page.logs[0].uploaded_at >= end:
            later = middle
        else:
            earlier = middle
    return later


def _is_last(page: Page, offset: int, start: datetime) -> bool:
    """Whether nothing of the span can follow."""
    is_end = offset + page.lines >= page.total
    return is_end or not page.lines or all(log.uploaded_at < start - _SLACK for log in page.logs[-_OVERLAP:])
