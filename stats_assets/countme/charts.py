"""Pictures of the weekly totals: pure drawing, from rows of (week, name, systems) to PNG bytes."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from stats_assets.countme import sql

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN_AT_MOST = 10
OTHER = "all others"


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
    # Imported here: drawing is rare, and every run would pay for the import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9), dpi=dpi, layout="constrained")
    axes = figure.add_subplot()
    _plot(axes, series)
    axes.set_title(chart.title, fontsize=20, loc="left")
    axes.set_xlabel("week (its Monday)", fontsize=13)
    axes.set_ylabel("requests with countme (one per system, repository and week)", fontsize=13)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def as_markdown(pictures: dict[str, bytes]) -> str:
    """PNG pictures by title, inside a Markdown text, for asset metadata."""
    return "\n\n".join(
        f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})" for title, png in pictures.items()
    )


def _plot(axes: Axes, series: Series) -> None:
    for name, points in series.items():
        style = {"color": "0.6", "linestyle": "--"} if name == OTHER else {}
        axes.plot(list(points), list(points.values()), marker="o", markersize=4, label=name, **style)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=12)
    if series:
        axes.set_xticks(_ticks([week for points in series.values() for week in points]))  # type: ignore[arg-type]
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=12)
    else:
        axes.text(0.5, 0.5, "no complete week yet", ha="center", va="center", transform=axes.transAxes, fontsize=20)


def _ticks(weeks: Sequence[date], at_most: int = 12) -> list[date]:
    """Some of the weeks, evenly spaced and the last among them."""
    distinct = sorted(set(weeks))
    step = -(-len(distinct) // at_most)
    return distinct[::-1][::step][::-1]
