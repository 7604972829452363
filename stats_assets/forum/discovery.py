"""Which listed threads are read, and whether the next page of the listing is needed. Pure.

A listing is ordered by last post, newest first (globals and stickies before). If a thread has got no new post, none
listed behind it has. So a look at a listing ends at the first ordinary thread that seems unchanged, the guard; the
guard is read as well, and should it have new posts after all, the listing is looked at once more, for the next one.
Counters are hints only: the forum's number of replies is wrong in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stats_assets.forum.page import Thread


class Known(NamedTuple):
    """What is stored of a thread when it is listed again."""

    est_replies: int
    is_live: bool
    is_read: bool  # read to its end at least once
    is_fresh: bool = False  # read since the look that this one repeats


class Choice(NamedTuple):
    """Threads to read, and the guard among them, if this page has one."""

    tids: list[int]
    guard: int | None


def choose(listed: Sequence[Thread], known: Mapping[int, Known]) -> Choice:
    """The threads of a page of a listing that are to be read, as far as a guard or to the end of the page."""
    chosen: list[int] = []
    guard: int | None = None
    for thread in listed:
        before = known.get(thread.tid)
        has_changed = before is None or before.est_replies != thread.est_replies
        if has_changed or (before is not None and before.is_live and not before.is_read):
            chosen.append(thread.tid)
        elif guard is None and before is not None and _can_guard(thread, before):
            guard = thread.tid
            chosen.append(thread.tid)
    return Choice(chosen, guard)


def _can_guard(thread: Thread, before: Known) -> bool:
    return before.is_live and not before.is_fresh and not (thread.is_sticky or thread.is_global)
