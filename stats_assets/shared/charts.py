"""Line charts and grids of states as PNG bytes, all in one look: pure drawing, no data is fetched here."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The series drawn as background to the named ones.
OTHER = "all others"

PREVIEW_DPI = 45  # previews travel in the event log: about 20 kB each

_CELL = 0.94  # of the room a cell has: the rest is the line between cells

Series = Mapping[str, Mapping[date, float]]


# More points than this on a line need no markers to be seen.
_MARKED_AT_MOST = 60


@dataclass(frozen=True)
class Labels:
    """What is written on a chart: axes with their units, a note below the title, what stands there without data."""

    title: str
    x: str
    y: str
    empty: str = "nothing yet"
    note: str = ""


def draw_lines(labels: Labels, series: Series, dpi: int = 100, faint: Series | None = None) -> bytes:
    """The chart as PNG, 1600 by 900 pixels at 100 dpi; ranges from the data, legend in the order of the series.

    A value that is not a number breaks the line. `faint`: series behind those of the same name, in their colour.
    """
    # Imported here: drawing is rare, and every run would pay for the import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9), dpi=dpi, layout="constrained")
    axes = figure.add_subplot()
    _plot(axes, series, faint or {}, labels.empty)
    axes.set_title(labels.title, fontsize=20, loc="left", pad=30 if labels.note else None)
    axes.text(0, 1.012, labels.note, transform=axes.transAxes, fontsize=12, color="0.35")
    axes.set_xlabel(labels.x, fontsize=13)
    axes.set_ylabel(labels.y, fontsize=13)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


@dataclass(frozen=True)
class State:
    """What a cell of a grid can be: its word in the legend, and a colour of matplotlib."""

    word: str
    color: str


def draw_grid(labels: Labels, cells: Mapping[str, Mapping[date, State]], dpi: int = 100) -> bytes:
    """States by row and day as PNG, 16 inches wide, a row 0.3 high; days without a state stay white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, max(3.0, 1.8 + 0.3 * len(cells))), dpi=dpi, layout="constrained")
    axes = figure.add_subplot()
    _fill(axes, cells, labels.empty)
    axes.set_title(labels.title, fontsize=20, loc="left")
    axes.set_xlabel(labels.x, fontsize=13)
    axes.set_ylabel(labels.y, fontsize=13)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def largest(series: Series, count: int) -> dict[str, Mapping[date, float]]:
    """The `count` series with the highest values, highest first; the others added up as one behind them."""
    ranked = sorted(series, key=lambda name: (-max(series[name].values(), default=0), name))
    shown = {name: series[name] for name in ranked[:count]}
    rest: defaultdict[date, float] = defaultdict(float)
    for name in ranked[count:]:
        for day, value in series[name].items():
            rest[day] += value
    return shown | ({OTHER: dict(sorted(rest.items()))} if rest else {})


def as_markdown(pictures: Mapping[str, bytes]) -> str:
    """PNG pictures by title, inside a Markdown text, for asset metadata."""
    return "\n\n".join(
        f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})" for title, png in pictures.items()
    )


def _plot(axes: Axes, series: Series, faint: Series, empty: str) -> None:
    colours = _colours()
    for number, (name, points) in enumerate(series.items()):
        style = {"color": "0.6", "linestyle": "--"} if name == OTHER else {"color": colours[number % len(colours)]}
        days: list = list(points)
        marker = "o" if len(days) <= _MARKED_AT_MOST else None
        axes.plot(days, list(points.values()), marker=marker, markersize=4, linewidth=1.8, label=name, **style)  # type: ignore[arg-type]
        if name in faint:
            behind: list = list(faint[name])
            axes.plot(behind, list(faint[name].values()), linewidth=0.8, alpha=0.35, **style)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_with_thousands)
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=12)
    if series:
        days = [day for points in (*series.values(), *faint.values()) for day in points]
        axes.set_xlim(*_limits(days))
        axes.set_xticks(_ticks(days))  # type: ignore[arg-type]
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=12)
    else:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, empty, ha="center", va="center", transform=axes.transAxes, fontsize=20)


def _colours() -> list[Any]:
    """Ten that are told apart by most eyes, also those that see no red or green, then the same in lighter."""
    from matplotlib import colormaps

    strong = [colormaps["tab10"](number) for number in range(10)]
    return strong + [colormaps["tab20"](2 * number + 1) for number in range(10)]


def _with_thousands(value: float, _position: float) -> str:
    return f"{value:,.10g}"


def _limits(days: Sequence[date]) -> tuple[float, float]:
    """In matplotlib's days: a margin of a hundredth on both sides; a single day stands in the middle."""
    from matplotlib.dates import date2num

    first, last = (float(date2num(day)) for day in (min(days), max(days)))
    margin = max((last - first) / 100, 0.5) if last > first else 3
    return first - margin, last + margin


def _ticks(days: Sequence[date], at_most: int = 10) -> list[date]:
    """Some of the days, evenly spaced and the last among them."""
    distinct = sorted(set(days))
    step = -(-len(distinct) // at_most)
    return distinct[::-1][::step][::-1]


def _fill(axes: Axes, cells: Mapping[str, Mapping[date, State]], empty: str) -> None:
    days = sorted({day for row in cells.values() for day in row})
    states = list(dict.fromkeys(state for row in cells.values() for state in row.values()))
    for state in states:
        places = [
            (days.index(day), y) for y, row in enumerate(cells.values()) for day, each in row.items() if each == state
        ]
        left, rows = [x - _CELL / 2 for x, _ in places], [y for _, y in places]
        axes.barh(rows, _CELL, left=left, height=_CELL - 0.06, color=state.color, label=state.word)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(labelsize=12, length=0)
    if not states:
        axes.text(0.5, 0.5, empty, ha="center", va="center", transform=axes.transAxes, fontsize=20)
        return
    shown = _ticks(days, at_most=8)
    axes.set_xticks([days.index(day) for day in shown], [f"{day}" for day in shown])
    axes.set_yticks(range(len(cells)), list(cells))
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=12)
