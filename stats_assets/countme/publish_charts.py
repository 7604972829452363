"""The pictures of a site as PNG files. Which there are and how they look is in `charts`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stats_assets.countme import published_sql as sql
from stats_assets.countme.charts import CHARTS, Chart, Row, draw
from stats_assets.countme.publications import Contents, PublishedFile, Publisher
from stats_assets.countme.publish_totals import PublishedRows
from stats_assets.shared.charts import PREVIEW_DPI
from stats_assets.shared.postgres import Cursor, plan_for_bulk


@dataclass(frozen=True)
class DrawnChart:
    """A published picture, and a small preview (PNG) for asset metadata."""

    chart: Chart
    file: PublishedFile
    preview: bytes


def publish_charts(publisher: Publisher, rows: PublishedRows) -> list[DrawnChart]:
    """Draws every chart and puts it in place of the last one."""
    return [_publish(publisher, rows, chart) for chart in CHARTS]


def file_of(chart: Chart) -> str:
    return f"{chart.name}.png"


def _publish(publisher: Publisher, rows: PublishedRows, chart: Chart) -> DrawnChart:
    with publisher.database.transaction() as cursor:
        numbers = chart_rows(cursor, rows, chart)
    file = publisher.put(file_of(chart), partial(_write, chart, numbers, publisher.site))
    return DrawnChart(chart, file, draw(chart, numbers, publisher.site, dpi=PREVIEW_DPI))


def _write(chart: Chart, numbers: list[Row], site: str, path: Path) -> Contents:
    path.write_bytes(draw(chart, numbers, site))
    dates = [at for at, *_ in numbers]
    return Contents(len(numbers), min(dates, default=None), max(dates, default=None))


def chart_rows(cursor: Cursor, rows: PublishedRows, chart: Chart) -> list[Row]:
    """What a chart shows, by date and name: published weeks, days that are over."""
    plan_for_bulk(cursor)
    if chart.of == "systems":
        cursor.execute(sql.systems_by(chart.source, rows.suppresses), rows.parameters)
    else:
        cursor.execute(sql.HOSTS_BY_REPOSITORY, rows.parameters | {"pattern": chart.source})
    return cursor.fetchall()
