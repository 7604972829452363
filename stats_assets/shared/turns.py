"""Going round: a sensor that may look at some of many things looks at the next ones the next time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def some_of(pressing: Sequence[Thing], others: Sequence[Thing], turn: int, at_most: int) -> list[Thing]:
    """What to look at in this turn, which is counted one by one: pressing things first, and of the others what fits in.

    A quarter is for the others in any case: things that never come must not hide that another has changed. As long as
    there are the same things, every one has its turn.
    """
    pressing = _stretch(pressing, turn, at_most - min(len(others), at_most // 4))
    return pressing + _stretch(others, turn, at_most - len(pressing))


def _stretch(things: Sequence[Thing], turn: int, length: int) -> list[Thing]:
    """The stretch that follows that of the turn before, going round."""
    start = turn * length % len(things) if things else 0
    return [*things[start:], *things[:start]][:length]
