"""Pictures of the weekly totals: pure drawing, from rows of (week, name, systems) to PNG bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from stats_assets.countme import sql
from stats_assets.shared.charts import OTHER, Labels, draw_lines

_SHOWN_AT_MOST = 10
_UNITS = "requests with countme (one per system, repository and week)"


@dataclass(frozen=True)
class Chart:
    """One picture: its file name (without suffix), its title, and the statement that gives its rows."""

    name: str
    title: str
    statement: str


CHARTS = (
    Chart("systems-by-release", "Systems per week by release", sql.SYSTEMS_BY_RELEASE),
    Chart("systems-by-age", "Systems per week by time since installation", sql.SYSTEMS_BY_AGE),
    Chart("systems-by-architecture", "Systems per week by architecture", sql.SYSTEMS_BY_ARCHITECTURE),
)

Series = dict[str, dict[date, int]]


def series_of(rows: Iterable[tuple[date, str, int]], shown_at_most: int = _SHOWN_AT_MOST) -> Series:
    """The rows by name, the largest of the last week first; names beyond `shown_at_most` are summed up as others."""
    by_name: Series = defaultdict(dict)
    for week, name, systems in rows:
        by_name[name][week] = by_name[name].get(week, 0) + int(systems)
    weeks = sorted({week for points in by_name.values() for week in points})
    ranked = sorted(by_name, key=lambda name: (-by_name[name].get(weeks[-1], 0), name))
    shown = {name: {week: by_name[name].get(week, 0) for week in weeks} for name in ranked[:shown_at_most]}
    if len(ranked) > shown_at_most:
        rest = ranked[shown_at_most:]
        shown[OTHER] = {week: sum(by_name[name].get(week, 0) for name in rest) for week in weeks}
    return shown


def draw(chart: Chart, series: Series, dpi: int = 100) -> bytes:
    """The chart as PNG, 1600 by 900 pixels at 100 dpi; time axis from the data, legend by the last week."""
    return draw_lines(Labels(chart.title, "week (its Monday)", _UNITS, "no complete week yet"), series, dpi)
