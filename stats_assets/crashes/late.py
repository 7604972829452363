"""Which days are to be asked for again: feeds that have come or changed since, aggregates of other inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from stats_assets.shared.days import contiguous
from stats_assets.shared.turns import some_of

Loaded = Mapping[tuple[str, date], str]  # version of the feed by input and day
RANGES_AT_ONCE = 10


def feeds_to_ask(
    inputs: Sequence[str], days: Sequence[date], loaded: Loaded, turn: int, at_most: int
) -> list[tuple[str, date]]:
    """The feeds to look at now, as `some_of` has it: the missing ones, and some of the others; the newest first."""
    feeds = [(name, day) for day in reversed(days) for name in inputs]
    missing = [feed for feed in feeds if feed not in loaded]
    return some_of(missing, [feed for feed in feeds if feed in loaded], turn, at_most)


def days_to_load(found: Mapping[tuple[str, date], str | None], loaded: Loaded) -> set[date]:
    """Days with a feed that is there (it has a version) and is not what is loaded."""
    return {feed[1] for feed, version in found.items() if version and version != loaded.get(feed)}


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """The newest ranges of days without a hole."""
    return contiguous(days, 1)[-RANGES_AT_ONCE:]
