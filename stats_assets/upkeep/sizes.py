"""How large Dagster's own tables and files are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from stats_assets.shared.charts import PREVIEW_DPI, Labels, as_markdown, draw_lines, largest
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.upkeep import compute_logs, sql
from stats_assets.upkeep.instance_database import transaction

COMPUTE_LOGS = "compute_logs"
_DRAWN = 10  # parts with a line of their own
_LABELS = Labels("Dagster's own records", x="day (UTC)", y="MB")


@dataclass(frozen=True)
class Size:
    """Of a table, with its indexes, or of the compute logs. `rows` is an estimate; of logs, files."""

    part: str
    rows: int
    bytes: int


def measure(instance: dg.DagsterInstance) -> list[Size]:
    """Every table of Dagster's database, and the compute logs on a local disk."""
    with transaction(instance) as cursor:
        cursor.execute(sql.SIZES)
        tables = [Size(*row) for row in cursor.fetchall()]
    return [*tables, Size(COMPUTE_LOGS, *compute_logs.size(instance))]


def write(database: StatsDatabase, sizes: list[Size], now: datetime) -> None:
    """Replaces the day's sizes."""
    day = now.astimezone(UTC).date()
    with database.transaction() as cursor:
        cursor.execute(sql.DELETE_SIZES, {"day": day})
        for size in sizes:
            values = {"part": size.part, "rows": size.rows, "bytes": size.bytes}
            cursor.execute(sql.INSERT_SIZE, {"day": day, "measured_at": now, **values})


def chart(database: StatsDatabase, day: date) -> str:
    """The largest parts over the last year, the others as one, as a picture in Markdown."""
    series: defaultdict[str, dict[date, float]] = defaultdict(dict)
    with database.transaction() as cursor:
        cursor.execute(sql.SIZES_BY_DAY, {"day": day})
        for part, seen_on, size_bytes in cursor.fetchall():
            series[part][seen_on] = size_bytes / 1e6
    picture = draw_lines(_LABELS, largest(series, _DRAWN), PREVIEW_DPI)
    return as_markdown({"size": picture})
