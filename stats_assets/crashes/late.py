"""Which days are to be asked for again: feeds that have come or changed since, aggregates of other inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from stats_assets.shared.days import contiguous
from stats_assets.shared.turns import beginning_at

Loaded = Mapping[tuple[str, date], str]  # version of the feed by input and day
RANGES_AT_ONCE = 10


def feeds_to_ask(
    inputs: Sequence[str], days: Sequence[date], loaded: Loaded, turn: int, at_most: int
) -> list[tuple[str, date]]:
    """The feeds to look at now: those that are missing, and of the others some, both going round by `turn`.

    A quarter is for the others in any case: feeds that will never come must not hide that one has changed.
    """
    feeds = [(name, day) for day in reversed(days) for name in inputs]
    missing = beginning_at(turn, [feed for feed in feeds if feed not in loaded])
    others = beginning_at(turn, [feed for feed in feeds if feed in loaded])
    asked = missing[: at_most - min(len(others), at_most // 4)]
    return asked + others[: at_most - len(asked)]


def days_to_load(found: Mapping[tuple[str, date], str | None], loaded: Loaded) -> set[date]:
    """Days with a feed that is there (it has a version) and is not what is loaded."""
    return {feed[1] for feed, version in found.items() if version and version != loaded.get(feed)}


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """The newest ranges of days without a hole."""
    return contiguous(days, 1)[-RANGES_AT_ONCE:]
