"""Counts per month and name as lines of a chart: the most frequent names, the others together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

from stats_assets.shared.charts import OTHER

_SHOWN_AT_MOST = 10


def by_month(rows: Iterable[tuple[date, str, int]], shown_at_most: int = _SHOWN_AT_MOST) -> dict[str, dict[date, int]]:
    """Rows of (month, name, count) by name, the most frequent first; months without a count are 0."""
    counts: dict[str, Counter[date]] = defaultdict(Counter)
    for month, name, count in rows:
        counts[name][month] += int(count)
    months = sorted({month for points in counts.values() for month in points})
    ranked = sorted(counts, key=lambda name: (-counts[name].total(), name))
    shown = {name: {month: counts[name][month] for month in months} for name in ranked[:shown_at_most]}
    if rest := ranked[shown_at_most:]:
        shown[OTHER] = {month: sum(counts[name][month] for name in rest) for month in months}
    return shown
