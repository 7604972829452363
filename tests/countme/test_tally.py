"""Counting hits and addresses from what PostgreSQL gathers, against counting them one by one."""

from __future__ import annotations

import struct
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stats_assets.countme.tally import NO_COUNTME, WeekTally

Hit = tuple[int, int, int, int]  # day, client, countme value, address key

# Few values, so that addresses meet again; the ends of the range, because they are compared as numbers.
hits = st.tuples(
    st.integers(0, 2), st.integers(1, 3), st.sampled_from([-1, 1, 4]), st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1])
)


def sent(keys: list[int]) -> memoryview:
    """An array of bigint as PostgreSQL's array_send writes it."""
    header = struct.pack(">5i", 1, 0, 20, len(keys), 1)
    return memoryview(header + b"".join(struct.pack(">iq", 8, key) for key in keys))


def midnight(day: int) -> datetime:
    return datetime(2024, 3, 4 + day, tzinfo=UTC)


def tally(found: list[Hit]) -> WeekTally:
    groups: dict[tuple[int, int, int], list[int]] = {}
    for day, client, age, key in found:
        groups.setdefault((day, client, age), []).append(key)
    counted = WeekTally()
    for (day, client, age), keys in groups.items():
        counted.add(midnight(day), client, age, midnight(day) + timedelta(seconds=len(keys)), sent(keys))
    return counted


@given(st.lists(hits, max_size=60))
def test_hits_are_counted_by_client_and_value_and_addresses_once_a_day(found: list[Hit]):
    counted = tally(found)
    assert counted.rows == len(found)
    assert counted.countme_hits() == Counter((client, age) for _, client, age, _ in found if age >= 0)
    seen = {(day, client, key) for day, client, _, key in found}
    assert counted.addresses() == Counter((client, NO_COUNTME) for _, client, _ in seen)
    first_days = {(client, NO_COUNTME): min(d for d, c, *_ in found if c == client) for _, client, *_ in found}
    assert counted.first_days() == {row: midnight(day) for row, day in first_days.items()}


def test_the_first_hit_of_a_client_and_value_is_the_first_of_its_days_and_of_those_that_count():
    counted = tally([(1, 1, 1, 5), (0, 1, 1, 5), (0, 1, 1, 6), (1, 2, 4, 5), (0, 3, -1, 5)])
    assert counted.first_hits() == {
        (1, 1): midnight(0) + timedelta(seconds=2),
        (2, 4): midnight(1) + timedelta(seconds=1),
    }
    counted.drop(2, 4, 1)
    assert list(counted.first_hits()) == [(1, 1)]


def test_repeats_do_not_count_as_hits():
    counted = tally([(0, 1, 1, 5), (0, 1, 1, 5), (0, 2, 4, 5)])
    counted.drop(1, 1, 1)
    counted.drop(2, 4, 1)
    assert counted.countme_hits() == {(1, 1): 1}
    assert counted.addresses() == {(1, NO_COUNTME): 1, (2, NO_COUNTME): 1}
