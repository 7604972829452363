"""The files people outside read, in the archive's published/countme/: totals.csv and pictures of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from stats_assets.countme import sql
from stats_assets.countme.charts import CHARTS, draw, series_of
from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import PREVIEW_DPI
from stats_assets.shared.postgres import StatsDatabase, one_row

FOLDER = "published/countme"
TOTALS_NAME = f"{FOLDER}/totals.csv"


@dataclass(frozen=True)
class Publication:
    """What was published: complete weeks only; `left_out` tells the others and what they lack."""

    name: str
    rows: int
    size_bytes: int
    weeks: int
    oldest: date | None
    newest: date | None
    left_out: dict[date, str]


def publish_totals(database: StatsDatabase, archive: Archive) -> Publication:
    """Writes totals.csv (CRLF, as its readers know it) in place of the last one; readers never see a half."""
    with database.transaction() as cursor, archive.replacing(TOTALS_NAME) as file:
        lines = _CrLf(file)
        cursor.copy_expert(sql.PUBLISH_TOTALS, lines)
        cursor.execute(sql.PUBLISHED_WEEKS)
        weeks, oldest, newest = one_row(cursor)
        cursor.execute(sql.INCOMPLETE_WEEKS)
        left_out = dict(cursor.fetchall())
    return Publication(TOTALS_NAME, max(lines.lines - 1, 0), lines.size_bytes, weeks, oldest, newest, left_out)


@dataclass(frozen=True)
class DrawnCharts:
    """The published pictures: their size together, and small previews (PNG) by title."""

    size_bytes: int
    previews: dict[str, bytes]


def publish_charts(database: StatsDatabase, archive: Archive) -> DrawnCharts:
    """Draws every chart from the complete weeks and puts it in place of the last one."""
    size_bytes, previews = 0, {}
    for chart in CHARTS:
        with database.transaction() as cursor:
            cursor.execute(chart.statement)
            series = series_of(cursor.fetchall())
        with archive.replacing(f"{FOLDER}/{chart.name}.png") as file:
            size_bytes += file.write(draw(chart, series))
        previews[chart.title] = draw(chart, series, dpi=PREVIEW_DPI)
    return DrawnCharts(size_bytes, previews)


class _CrLf(io.RawIOBase):
    """Turns COPY's LF line ends into the CRLF this file has always had. COPY hands over whole lines."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.lines = 0
        self.size_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        # A line feed inside a quoted field belongs to the field; COPY never splits a row over two calls.
        row = bytes(data)
        self.lines += 1
        self.size_bytes += self._file.write(row[:-1] + b"\r\n" if row.endswith(b"\n") else row)
        return len(data)
