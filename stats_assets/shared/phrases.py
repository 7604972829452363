"""Words for people that several rooms put together alike."""

from __future__ import annotations

from collections.abc import Mapping

_NAMED = 5


def named(problems: Mapping[str, str]) -> str:
    """`what: why` of each, the first five; the number of the others. Whole lists belong into metadata."""
    told = "; ".join(f"{what}: {why}" for what, why in list(problems.items())[:_NAMED])
    more = len(problems) - _NAMED
    return f"{told}; and {more} more" if more > 0 else told
