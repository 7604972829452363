from __future__ import annotations

import numpy as np

from stats_assets.countme.repeats import HitSigns

OLDEST = 1_700_000_000


def signs_of(*blocks: list[tuple[int, int, int, int]]) -> HitSigns:
    """Blocks of (second, address key, client id, countme value)."""
    signs = HitSigns(OLDEST)
    for rows in blocks:
        seconds, keys, clients, ages = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        signs.add(seconds, keys, clients.astype(np.int32), ages)
    return signs


def test_equal_hits_are_suspicious_within_a_block_and_across_blocks():
    row, other = (OLDEST + 5, -7, 3, 1), (OLDEST + 9, 8, 3, -1)
    assert signs_of([row, row, other]).suspicious_seconds() == [OLDEST + 5]
    assert signs_of([row, other], [other]).suspicious_seconds() == [OLDEST + 9]


def test_a_difference_in_any_column_is_no_repeat():
    row = (OLDEST, 7, 3, 1)
    others = [(OLDEST + 1, 7, 3, 1), (OLDEST, 8, 3, 1), (OLDEST, 7, 4, 1), (OLDEST, 7, 3, 2), (OLDEST, 7, 3, -1)]
    assert signs_of([row, *others]).suspicious_seconds() == []


def test_many_different_hits_of_one_second_are_not_suspicious():
    rows = [(OLDEST, key, client, age) for key in range(40) for client in range(10) for age in (-1, 1, 2, 3, 4)]
    assert signs_of(rows).suspicious_seconds() == []


def test_the_ends_of_what_the_columns_hold_fit_in():
    rows = [(OLDEST + 2**32 - 1, -(2**63), 2**31 - 1, 2**63 - 1)] * 2
    assert signs_of(rows).suspicious_seconds() == [OLDEST + 2**32 - 1]


def test_no_hit_is_no_suspicion():
    assert HitSigns(OLDEST).suspicious_seconds() == []
