"""The files people outside read, in the archive's published/crashes/: top_crashers.csv and pictures of the rates."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from stats_assets.crashes import publish_sql
from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import PREVIEW_DPI, Labels, draw_lines
from stats_assets.shared.days import days_between
from stats_assets.shared.postgres import StatsDatabase, one_row

FOLDER = "published/crashes"
TOP_CRASHERS_NAME = f"{FOLDER}/top_crashers.csv"
_TOP = 50
_SHOWN = 10
_SHOWN_CHARACTERS = 80
_CHART_DAYS = 90
_VERSIONS_PER_CHART = 8
_COLUMNS = (
    *("product_name", "channel", "rank", "signature", "crashes", "percent", "crashes_before", "startup_crashes"),
    "hangs",
)


@dataclass(frozen=True)
class TopCrashers:
    """The published list: its rows, the days it sums up, and the first ranks as a Markdown table."""

    rows: int
    first_day: date | None
    last_day: date | None
    preview: str


@dataclass(frozen=True)
class DrawnCharts:
    """The published pictures: their size together, and small previews (PNG) by title."""

    size_bytes: int
    previews: dict[str, bytes]


def publish_top_crashers(database: StatsDatabase, archive: Archive) -> TopCrashers:
    """The signatures that crash most, per product and channel, over the last seven counted days."""
    with database.transaction() as cursor:
        cursor.execute(publish_sql.TOP_CRASHERS, {"at_most": _TOP})
        rows = cursor.fetchall()
        cursor.execute(publish_sql.TOP_CRASHERS_SPAN)
        first, last = one_row(cursor)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    with archive.replacing(TOP_CRASHERS_NAME) as file:
        file.write(text.getvalue().encode())
    return TopCrashers(len(rows), first, last, _markdown(rows))


def publish_charts(database: StatsDatabase, archive: Archive) -> DrawnCharts:
    """A picture per product: crashes per 100 installs of its versions, day by day."""
    with database.transaction() as cursor:
        cursor.execute(publish_sql.CRASH_RATES, {"days": _CHART_DAYS, "at_most": _VERSIONS_PER_CHART})
        rows = cursor.fetchall()
    products: dict[str, dict[str, dict[date, float]]] = defaultdict(lambda: defaultdict(dict))
    for product, version, day, rate in rows:
        products[product][version][day] = math.nan if rate is None else rate
    size_bytes, previews = 0, {}
    for product, versions in products.items():
        series = {version: _with_gaps(rates) for version, rates in versions.items()}
        labels = Labels(f"{product}: crashes per 100 active daily installs", "day (UTC)", "crashes per 100 installs")
        with archive.replacing(f"{FOLDER}/crash-rates-{_file_name(product)}.png") as file:
            size_bytes += file.write(draw_lines(labels, series))
        previews[labels.title] = draw_lines(labels, series, dpi=PREVIEW_DPI)
    return DrawnCharts(size_bytes, previews)


def _with_gaps(rates: dict[date, float]) -> dict[date, float]:
    """Every day from the first to the last; one without a rate breaks the line."""
    return {day: rates.get(day, math.nan) for day in days_between(min(rates), max(rates))}


def _markdown(rows: list[tuple]) -> str:
    """The first ranks. Signatures come from clients: nothing in them may be taken for markup."""
    lines = ["| product | channel | rank | signature | crashes | % | week before |", "|---|---|---|---|---|---|---|"]
    for product, channel, rank, signature, crashes, percent, before, *_ in rows:
        if rank <= _SHOWN:
            plain = re.sub(r"[^\w .:,()@~+/-]", "?", signature)[:_SHOWN_CHARACTERS] or "(none)"
            lines.append(f"| {product} | {channel} | {rank} | `{plain}` | {crashes} | {percent} | {before} |")
    return "\n".join(lines)


def _file_name(product: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", product.lower()).strip("-") or "product"
