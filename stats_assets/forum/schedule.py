"""When a thread is read again as a whole: soon after it changed, then at doubling distances. Pure."""

from __future__ import annotations

SHORTEST_DAYS = 1
LONGEST_DAYS = 64
_LONGEST_DAYS_OF_PINNED = 2  # their place in the listing says nothing of new posts


def next_refresh_days(days_before: int, has_changed: bool, is_closed: bool, is_pinned: bool) -> int:
    """Days until the next reading. `days_before` is the distance of the last two, 0 for the first reading.

    A closed thread changes rarely and starts at 4 days; sticky and global threads never wait long.
    """
    first = 4 * SHORTEST_DAYS if is_closed else SHORTEST_DAYS
    days = first if has_changed or not days_before else max(first, 2 * days_before)
    return min(days, _LONGEST_DAYS_OF_PINNED if is_pinned else LONGEST_DAYS)


def retry_seconds(attempts: int, first_seconds: float, share: float) -> float:
    """Waiting time after the so-many-th failure: doubling, at most an hour, spread by `share` in 0..1 (jitter)."""
    return min(3600.0, first_seconds * 2 ** min(attempts - 1, 20)) * (0.5 + 0.5 * share)
