"""Line charts as PNG bytes, all in one look: pure drawing, no data is fetched here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The series drawn as background to the named ones.
OTHER = "all others"

PREVIEW_DPI = 45  # previews travel in the event log: about 20 kB each

Series = Mapping[str, Mapping[date, float]]


@dataclass(frozen=True)
class Labels:
    """What is written on a chart: axes with their units, and what stands there while there is no data."""

    title: str
    x: str
    y: str
    empty: str = "nothing yet"


def draw_lines(labels: Labels, series: Series, dpi: int = 100) -> bytes:
    """The chart as PNG, 1600 by 900 pixels at 100 dpi; ranges from the data, legend in the order of the series."""
    # Imported here: drawing is rare, and every run would pay for the import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9), dpi=dpi, layout="constrained")
    axes = figure.add_subplot()
    _plot(axes, series, labels.empty)
    axes.set_title(labels.title, fontsize=20, loc="left")
    axes.set_xlabel(labels.x, fontsize=13)
    axes.set_ylabel(labels.y, fontsize=13)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def as_markdown(pictures: Mapping[str, bytes]) -> str:
    """PNG pictures by title, inside a Markdown text, for asset metadata."""
    return "\n\n".join(
        f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})" for title, png in pictures.items()
    )


def _plot(axes: Axes, series: Series, empty: str) -> None:
    for name, points in series.items():
        style = {"color": "0.6", "linestyle": "--"} if name == OTHER else {}
        axes.plot(list(points), list(points.values()), marker="o", markersize=4, label=name, **style)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=12)
    if series:
        axes.set_xticks(_ticks([day for points in series.values() for day in points]))  # type: ignore[arg-type]
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=12)
    else:
        axes.text(0.5, 0.5, empty, ha="center", va="center", transform=axes.transAxes, fontsize=20)


def _ticks(days: Sequence[date], at_most: int = 12) -> list[date]:
    """Some of the days, evenly spaced and the last among them."""
    distinct = sorted(set(days))
    step = -(-len(distinct) // at_most)
    return distinct[::-1][::step][::-1]
