"""Pictures of the counts: pure drawing, from rows of (week or day, name, number) to PNG bytes.

Systems per week come from the totals, hosts per day from the unique hosts. Fetching and publishing: `publish_charts`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from stats_assets.countme import published_sql as sql
from stats_assets.shared.charts import OTHER, Labels, draw_lines

_SHOWN_AT_MOST = 12
_AVERAGED_DAYS = 7

_SYSTEMS = "systems that asked for their commonest repository"
_HOSTS = "addresses per day"


@dataclass(frozen=True)
class Chart:
    """One picture: its file name (without suffix) and title, and where its numbers come from.

    `source`: an expression of `published_sql` that names a system, or a pattern of repositories of the unique hosts.
    """

    name: str
    title: str
    of: Literal["systems", "hosts"]
    source: str


CHARTS = (
    Chart("systems-by-release", "Systems per week by release", "systems", sql.BY_RELEASE),
    Chart("systems-by-variant", "Systems per week by variant", "systems", sql.BY_VARIANT),
    Chart("systems-by-architecture", "Systems per week by architecture", "systems", sql.BY_ARCHITECTURE),
    Chart("systems-by-age", "Systems per week by time since installation", "systems", sql.BY_AGE),
    Chart("hosts-fedora", "Hosts per day by version of Fedora", "hosts", "^(f[0-9]{2}|rawhide|eln)$"),
    Chart("hosts-epel", "Hosts per day by version of EPEL", "hosts", "^epel[0-9]+$"),
)

Row = tuple[date, str, int]
Series = dict[str, dict[date, float]]


def series_of(rows: Iterable[Row], step_days: int, shown_at_most: int = _SHOWN_AT_MOST) -> Series:
    """The rows by name, the largest at the end first. Names beyond `shown_at_most` that never were as large as those
    shown are summed up as others.

    A date that no row has is not a number: nothing is known of it. A name that others have rows beside has none: 0.
    """
    by_name: dict[str, dict[date, int]] = defaultdict(dict)
    for at, name, number in rows:
        by_name[name][at] = by_name[name].get(at, 0) + int(number)
    counted = {at for points in by_name.values() for at in points}
    dates = _without_holes(counted, step_days)
    by_peak = sorted(by_name, key=lambda name: (-max(by_name[name].values()), name))
    largest, others = by_peak[:shown_at_most], by_peak[shown_at_most:]
    largest.sort(key=lambda name: (-by_name[name].get(dates[-1], 0), name))
    shown = {name: _filled(dates, counted, [by_name[name]]) for name in largest}
    if others:
        shown[OTHER] = _filled(dates, counted, [by_name[name] for name in others])
    return shown


def averages(series: Series, days: int = _AVERAGED_DAYS) -> Series:
    """The mean of the days that end with each; not a number where one of them is not known."""
    return {name: _averaged(points, days) for name, points in series.items()}


def draw(chart: Chart, rows: Iterable[Row], site: str, dpi: int = 100) -> bytes:
    """The chart as PNG, 1600 by 900 pixels at 100 dpi; time axis from the data, legend by its last date."""
    if chart.of == "systems":
        series = series_of(rows, step_days=7)
        labels = Labels(chart.title, "week (its Monday)", _SYSTEMS, "no week is published yet", _note(site, series))
        return draw_lines(labels, series, dpi)
    daily = series_of(rows, step_days=1)
    means = averages(daily)
    has_means = any(not math.isnan(value) for points in means.values() for value in points.values())
    shown = f"mean of {_AVERAGED_DAYS} days, behind it each day" if has_means else "each day"
    labels = Labels(chart.title, "day (UTC)", _HOSTS, "no day is counted yet", _note(site, daily, shown))
    return draw_lines(labels, means, dpi, faint=daily) if has_means else draw_lines(labels, daily, dpi)


def _note(site: str, series: Series, shown: str = "") -> str:
    dates = [at for points in series.values() for at in points]
    ends = [str(at) for at in sorted({min(dates), max(dates)})] if dates else []
    return ", ".join(filter(None, (site, " to ".join(ends), shown)))


def _without_holes(dates: Iterable[date], step_days: int) -> list[date]:
    found = sorted(dates)
    if not found:
        return []
    return [found[0] + timedelta(days=n) for n in range(0, (found[-1] - found[0]).days + 1, step_days)]


def _filled(dates: Sequence[date], counted: set[date], parts: Sequence[Mapping[date, int]]) -> dict[date, float]:
    return {at: sum(part.get(at, 0) for part in parts) if at in counted else math.nan for at in dates}


def _averaged(points: Mapping[date, float], days: int) -> dict[date, float]:
    dates, values = list(points), list(points.values())
    means = (sum(values[n - days + 1 : n + 1]) / days if n + 1 >= days else math.nan for n in range(len(values)))
    return dict(zip(dates, means, strict=True))
