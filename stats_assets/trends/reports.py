"""What is said of days and blocks: numbers per Dagster partition, charts, the report of gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg2 import sql as composed

from stats_assets.shared.charts import PREVIEW_DPI, Labels, as_markdown, draw_lines
from stats_assets.shared.postgres import Cursor, StatsDatabase
from stats_assets.trends import report_sql
from stats_assets.trends.series import lines_of
from stats_assets.trends.tables import SILVER

_MOST_BLOCKS = 60


@dataclass(frozen=True)
class RawDay:
    """What we have of one upload day before parsing."""

    logs: int
    content_bytes: int
    stored_bytes: int
    quarantined: int
    missing: int
    oldest: datetime | None
    newest: datetime | None

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "logs": self.logs,
            "bytes": self.content_bytes,
            "stored_bytes": self.stored_bytes,
            "quarantined": self.quarantined,
            "missing": self.missing,
            "oldest": str(self.oldest),
            "newest": str(self.newest),
        }


def raw_days(cursor: Cursor, days: Collection[date]) -> dict[date, RawDay]:
    """Numbers of trends.raw_logs by day of upload; days without any have none."""
    cursor.execute(report_sql.RAW_DAYS, {"first": min(days), "last": max(days)})
    return {day: RawDay(*values) for day, *values in cursor.fetchall()}


def row_counts(cursor: Cursor, days: Collection[date]) -> dict[str, dict[date, int]]:
    """Rows by silver table and day."""
    counts = {}
    for table in SILVER:
        statement = composed.SQL(report_sql.ROWS_OF_DAYS).format(table=composed.Identifier("trends", table.name))
        cursor.execute(statement, {"days": list(days)})
        counts[table.name] = dict(cursor.fetchall())
    return counts


def block_report(database: StatsDatabase) -> str:
    """Gaps per block of 100,000 logids, as a Markdown table, newest first."""
    with database.transaction() as cursor:
        cursor.execute(report_sql.BLOCKS)
        rows = cursor.fetchmany(_MOST_BLOCKS)
    head = "| block | imported | quarantined | missing | never asked for | newest id |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_block_line(row) for row in rows)]) if rows else "no log was asked for yet"


def _block_line(row: Sequence[Any]) -> str:
    block, imported, quarantined, missing, unasked, newest = row
    return f"| {block}e5 | {imported:,} | {quarantined:,} | {missing:,} | {unasked:,} | {newest} |"


def charts(database: StatsDatabase, check_days: int) -> str:
    """Logs per day by format, and how long after their upload logs came, as Markdown with pictures."""
    with database.transaction() as cursor:
        cursor.execute(report_sql.FORMATS_PER_DAY, {"days": check_days})
        formats = lines_of(cursor.fetchall())
        cursor.execute(report_sql.LAG_PER_DAY, {"days": check_days})
        lag = {"median of the day": dict(cursor.fetchall())}
    return as_markdown(
        {
            "logs per day": draw_lines(Labels("Logs per day, by format", "upload, UTC", "logs"), formats, PREVIEW_DPI),
            "import lag": draw_lines(Labels("Hours from upload to import", "upload, UTC", "hours"), lag, PREVIEW_DPI),
        }
    )
