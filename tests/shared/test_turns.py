"""Every thing has its turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stats_assets.shared.turns import some_of


@given(st.integers(0, 13), st.integers(0, 13))
def test_every_thing_has_its_turn_and_none_comes_twice_in_one(pressing: int, others: int):
    lacking, present = [f"lacking {n}" for n in range(pressing)], [f"present {n}" for n in range(others)]
    seen: set[str] = set()
    for turn in range(100, 120):
        looked_at = some_of(lacking, present, turn, at_most=8)
        assert len(looked_at) == len(set(looked_at)) == min(8, pressing + others)
        seen |= set(looked_at)
    assert seen == {*lacking, *present}


def test_pressing_things_come_first_and_leave_a_quarter_to_the_others():
    assert some_of("abcdefgh", "xyz", turn=0, at_most=4) == ["a", "b", "c", "x"]
    assert some_of("abcdefgh", "xyz", turn=1, at_most=4) == ["d", "e", "f", "y"]
    assert some_of("a", "xyz", turn=0, at_most=4) == ["a", "x", "y", "z"]
