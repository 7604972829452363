from __future__ import annotations

from stats_assets.shared.phrases import named


def test_a_few_problems_are_all_named():
    assert named({"a": "gone", "b": "cut"}) == "a: gone; b: cut"


def test_of_many_problems_five_are_named_and_the_others_counted():
    assert named({str(n): "gone" for n in range(7)}).endswith("4: gone; and 2 more")
