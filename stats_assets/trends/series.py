"""Counts per day or month and name as lines of a chart: the most frequent names, the others together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

from stats_assets.shared.charts import OTHER

_SHOWN_AT_MOST = 10


def lines_of(rows: Iterable[tuple[date, str, int]], shown_at_most: int = _SHOWN_AT_MOST) -> dict[str, dict[date, int]]:
    """Rows of (day or month, name, count) by name, the most frequent first; where others are counted it is 0."""
    counts: dict[str, Counter[date]] = defaultdict(Counter)
    for at, name, count in rows:
        counts[name][at] += int(count)
    every = sorted({at for points in counts.values() for at in points})
    ranked = sorted(counts, key=lambda name: (-counts[name].total(), name))
    shown = {name: {at: counts[name][at] for at in every} for name in ranked[:shown_at_most]}
    if rest := ranked[shown_at_most:]:
        shown[OTHER] = {at: sum(counts[name][at] for name in rest) for at in every}
    return shown
