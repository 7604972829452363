"""Forums of any size: one that grows with the calendar for `./stats up`, and still ones for tests and measurements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random

from stats_assets.sandbox.forum import Forum, Post, Thread, written

FIRST_DAY = date(2026, 7, 1)

_BOARDS = (14, 25, 38, 41, 57)
_CLOSED_BOARD = 99
_DAYS_AHEAD = 30
_THREADS_A_DAY = 2


def growing_forum(seed: int, now: Callable[[], datetime]) -> Forum:
    """Posts have been coming since FIRST_DAY; those of the next days are there and appear at their time."""
    today = now().date()
    forum = _with_boards(seed)
    begins = int(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC).timestamp())
    taken: set[int] = set()
    for number in range((today - FIRST_DAY).days + _DAYS_AHEAD):
        # Each day has its own generator: what is there already stays the same as days are added.
        random = Random(f"{seed} {FIRST_DAY + timedelta(days=number)}")  # noqa: S311 - not for secrets
        for nth in range(_THREADS_A_DAY):
            thread = Thread(1000 + 10 * number + nth, random.choice(_BOARDS), f"Day {number}, topic {nth}")
            forum.threads[thread.tid] = thread
            at = begins + 86_400 * number + random.randrange(86_400)
            for _ in range(min(80, int(random.expovariate(1 / 9)) + 1)):
                while at in taken:
                    at += 1
                taken.add(at)
                user = forum.add_user(100 + random.randrange(60))
                thread.posts.append(Post(1_200_000_000 + at - begins, user, at, written(random, thread, user)))
                at += int(random.expovariate(1 / 20_000)) + 30
    forum.now = lambda: int(now().timestamp())
    return forum


def still_forum(seed: int, threads: int, mean_posts: int, largest_pages: int = 0) -> Forum:
    """A forum in which nothing happens: `threads` of about `mean_posts`, one with `largest_pages` full pages."""
    forum = _with_boards(seed)
    random = Random(seed)  # noqa: S311 - not for secrets
    for number in range(threads):
        count = min(50 * mean_posts, int(random.expovariate(1 / mean_posts)) + 1)
        forum.add_thread(1000 + number, random.choice(_BOARDS), count, subtitle="of a still forum")
    if largest_pages:
        forum.add_thread(1000 + threads, _BOARDS[0], 30 * largest_pages)
    return forum


def _with_boards(seed: int) -> Forum:
    forum = Forum(seed=seed)
    for bid in _BOARDS:
        forum.add_board(bid, cid=1 + bid % 2)
    forum.add_board(_CLOSED_BOARD, is_closed_to_us=True)
    return forum
