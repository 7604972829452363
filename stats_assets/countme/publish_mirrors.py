"""The mirrors report of a site as files: hosts per day, and their means over seven days. Columns are in `mirrors`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from stats_assets.countme import published_sql as sql
from stats_assets.countme.mirrors import MirrorsReport, mirrors_report, mirrors_rules
from stats_assets.countme.publications import Contents, PublishedFile, Publisher
from stats_assets.countme.publish_totals import PublishedRows
from stats_assets.shared.postgres import StatsDatabase

MIRRORS_CSV = "mirrors.csv"
MIRRORS_AVERAGES = "mirrors-7-day-average.csv"


def publish_mirrors(publisher: Publisher, rows: PublishedRows) -> tuple[list[PublishedFile], MirrorsReport]:
    """mirrors.csv and mirrors-7-day-average.csv, and the report they show."""
    with publisher.database.transaction() as cursor:
        cursor.execute(sql.HOST_ROWS, rows.parameters)
        report = mirrors_report(mirrors_rules(), rows.policy, cursor.fetchall())
    header = mirrors_rules().header(rows.policy)
    averaged, means = report.averages()
    files = [
        publisher.put(MIRRORS_CSV, lambda path: _write(path, header, report.days, report.hosts.tolist())),
        publisher.put(MIRRORS_AVERAGES, lambda path: _write(path, header, averaged, np.round(means, 1).tolist())),
    ]
    return files, report


def held_back_days(database: StatsDatabase, rows: PublishedRows) -> list[date]:
    """Days with hosts that are not published because a file they need is not loaded."""
    with database.transaction() as cursor:
        cursor.execute(sql.HELD_BACK_DAYS, rows.parameters)
        return [day for (day,) in cursor.fetchall()]


def _write(path: Path, header: Sequence[str], days: Sequence[date], rows: Iterable[Sequence[float]]) -> Contents:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([day, *row] for day, row in zip(days, rows, strict=True))
    return Contents(len(days), min(days, default=None), max(days, default=None))
