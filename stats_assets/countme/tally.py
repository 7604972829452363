"""Counting the hits of a week: how often each client sent each countme value, and how many addresses it had.

Pure, in numpy: PostgreSQL gathers the address keys by day, client and value in one pass, here they are sorted and
told apart, exactly. An address key is comparable inside a week. Memory: eight bytes a hit of the week, and as much
again for the day and client with most hits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import numpy as np

NO_COUNTME = -1

# array_send, for an array of bigint: five integers (dimensions, flags, type, length, lower bound), then per element
# its length and its value, all big-endian.
_HEADER_BYTES = 20
_ELEMENT = np.dtype([("length", ">i4"), ("key", ">i8")])


class WeekTally:
    """Takes the hits of a week in, in any order, and counts them."""

    def __init__(self) -> None:
        self.rows = 0
        self._hits: Counter[tuple[int, int]] = Counter()  # by client and countme value
        self._first_at: dict[tuple[int, int], datetime] = {}  # likewise
        self._keys: dict[tuple[datetime, int], list[np.ndarray]] = defaultdict(list)  # by day and client

    def add(self, day: datetime, client_id: int, sys_age: int, first_at: datetime, sent_keys: memoryview) -> None:
        """Hits of one day (its beginning), client and countme value, by their address keys as array_send gives them.

        `first_at`: the time of the first of them.
        """
        keys = np.frombuffer(sent_keys, dtype=_ELEMENT, offset=_HEADER_BYTES)["key"].astype(np.int64)
        self.rows += len(keys)
        self._hits[client_id, sys_age] += len(keys)
        self._first_at[client_id, sys_age] = min(first_at, self._first_at.get((client_id, sys_age), first_at))
        self._keys[day, client_id].append(keys)

    def drop(self, client_id: int, sys_age: int, repeats: int) -> None:
        """Hits that were taken in but do not count. They cannot take from a distinct count: each has an equal."""
        self._hits[client_id, sys_age] -= repeats

    def countme_hits(self) -> dict[tuple[int, int], int]:
        """Hits with countme, by client and value."""
        return {counted: hits for counted, hits in self._hits.items() if counted[1] >= 0 and hits > 0}

    def first_hits(self) -> dict[tuple[int, int], datetime]:
        """The time of the first of the countme hits, by client and value."""
        return {counted: self._first_at[counted] for counted in self.countme_hits()}

    def first_days(self) -> dict[tuple[int, int], datetime]:
        """The first day with an address, by client and NO_COUNTME."""
        days: dict[tuple[int, int], datetime] = {}
        for day, client_id in self._keys:
            days[client_id, NO_COUNTME] = min(day, days.get((client_id, NO_COUNTME), day))
        return days

    def addresses(self) -> dict[tuple[int, int], int]:
        """Addresses, countme or not, distinct per day and summed up, by client and NO_COUNTME."""
        found: Counter[tuple[int, int]] = Counter()
        for (_, client_id), keys in self._keys.items():
            found[client_id, NO_COUNTME] += _distinct(np.concatenate(keys))
        return dict(found)


def _distinct(keys: np.ndarray) -> int:
    keys.sort()
    return 1 + int(np.count_nonzero(keys[1:] != keys[:-1]))
