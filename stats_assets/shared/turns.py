"""Going round: a sensor that may look at some of many things only looks at others the next time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def beginning_at(turn: int, things: Sequence[Thing]) -> list[Thing]:
    """All of them, from the one whose turn it is on; `turn` counts on for ever."""
    start = turn % len(things) if things else 0
    return [*things[start:], *things[:start]]
