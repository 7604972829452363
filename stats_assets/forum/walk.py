"""The way through a thread's pages: from what a page holds to the next cursor, and what is known to be gone. Pure.

A pass reads pages upwards until one is not full. A first reading and a refresh begin at page 1, a later look at the
tail: the page on which the next new post will be. Posts are in order of their ids, so a page settles a range of ids:
a post we have in that range and do not see is gone.
"""

from __future__ import annotations

from typing import NamedTuple

from stats_assets.forum.page import ThreadPage


class Place(NamedTuple):
    """Where a pass stands: the page to read next, and what it and passes before it have found."""

    next_page: int
    last_pid: int  # newest post of this pass
    pages: int  # read in this pass
    tail_page: int
    tail_pid: int  # first post of the thread's last page with posts
    tail_posts: int  # on tail_page


class Step(NamedTuple):
    """What a page means. `gone` is the range (after, up to) whose unseen posts are gone; empty when 0, 0."""

    place: Place
    is_end: bool
    has_shifted: bool  # posts have moved to other pages: only reading the whole thread helps
    gone: tuple[int, int]
    first_pid: int | None  # of the thread; meant when `starts`
    starts: bool
    n_posts: int | None  # of the thread; meant when `is_known_to_end`
    last_pid: int | None
    is_known_to_end: bool


_NOTHING = (0, 0)
_ALL_LATER = (1 << 31) - 1


def step(place: Place, page: ThreadPage, page_size: int) -> Step:
    """The step that this page, which is `place.next_page`, makes."""
    pids = [post.pid for post in page.posts]
    is_look = place.pages == 0 and page.page > 1
    if is_look and place.tail_posts == 0 and pids:
        return _step_back(place, page)
    if is_look and place.tail_posts and pids[:1] != [place.tail_pid]:
        return _shifted(place)
    is_end = len(pids) < page_size
    newest = pids[-1] if pids else place.last_pid
    tail_pid = pids[0] if pids else place.tail_pid
    after = Place(
        next_page=page.page if is_end else page.page + 1,
        last_pid=newest,
        pages=place.pages + 1,
        tail_page=page.page if is_end else place.tail_page,
        tail_pid=tail_pid,
        tail_posts=len(pids) if is_end else place.tail_posts,
    )
    return Step(
        place=after,
        is_end=is_end,
        has_shifted=False,
        gone=_settled(place, pids, is_look, is_end),
        first_pid=pids[0] if pids else None,
        starts=page.page == 1,
        n_posts=page.offset + len(pids) if is_end else None,
        last_pid=newest or None,
        # An empty tail as it was before tells nothing new of the thread's last post.
        is_known_to_end=is_end and not (is_look and not pids),
    )


def _settled(place: Place, pids: list[int], is_look: bool, is_end: bool) -> tuple[int, int]:
    if pids != sorted(pids):
        return _NOTHING  # not in order of ids: merged threads may be so; nothing can be told of what is missing
    if is_look:
        return (pids[0] - 1, _ALL_LATER if is_end else pids[-1]) if pids else _NOTHING
    return place.last_pid, _ALL_LATER if is_end else pids[-1]


def _step_back(place: Place, page: ThreadPage) -> Step:
    """The thread ended with a full page and has grown: read that page again, to see whether posts have shifted."""
    before = Place(page.page - 1, 0, 0, page.page - 1, place.tail_pid, 1)
    return Step(before, False, False, _NOTHING, None, False, None, None, False)


def _shifted(place: Place) -> Step:
    before = Place(place.tail_page, 0, 0, place.tail_page, place.tail_pid, place.tail_posts)
    return Step(before, True, True, _NOTHING, None, False, None, None, False)
