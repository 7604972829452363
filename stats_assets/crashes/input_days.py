"""A loaded day of one input: the transaction that replaces it, and what became of it in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from stats_assets.crashes import sql
from stats_assets.crashes.feeds import FeedFile, version_of
from stats_assets.crashes.quarantine import Rejects, Sample
from stats_assets.crashes.windows import day_window
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row

Input = Literal["active_daily_installs", "reports", "raw_crashes"]


@dataclass
class InputReport:
    """One loaded day of one input, in numbers. `read` are lines or documents; times are UTC."""

    input: Input
    day: date
    files: Sequence[FeedFile]
    rejects: Rejects
    read: int = 0
    rows: int = 0
    unknown_product: int = 0
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    seconds: float = 0.0

    @property
    def quarantined(self) -> int:
        return sum(self.rejects.reasons.values())

    @property
    def feed_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def metadata(self) -> dict[str, object]:
        return {
            "dagster/row_count": self.rows,
            "read": self.read,
            "quarantined": self.quarantined,
            "quarantined_by_reason": self.rejects.reasons,
            "unknown_product": self.unknown_product,
            "files": len(self.files),
            "feed_bytes": self.feed_bytes,
            "oldest": self.oldest_at.isoformat() if self.oldest_at else "none",
            "newest": self.newest_at.isoformat() if self.newest_at else "none",
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        told = f"{self.rows} rows of {self.read} read in {self.seconds:.1f} s"
        if not self.quarantined:
            return told
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejects.reasons.items())
        return f"{told}, {self.quarantined} quarantined ({reasons})"


@contextmanager
def replacing(database: StatsDatabase, report: InputReport, deletes: Sequence[str]) -> Iterator[Cursor]:
    """A transaction that begins by deleting the day's rows and ends by writing what became of the day."""
    with database.transaction() as cursor:
        lock_slice(cursor, f"crashes.{report.input}", f"{report.day}")
        for statement in (*deletes, sql.DELETE_QUARANTINE):
            cursor.execute(statement, {**day_window(report.day), "input": report.input})
        yield cursor
        _keep_samples(cursor, report)
        _keep_day(cursor, report)


def _keep_samples(cursor: Cursor, report: InputReport) -> None:
    columns = ("input", "day", *Sample._fields)
    rows = ((report.input, report.day, *sample) for sample in report.rejects.samples)
    copy_text(cursor, ("crashes", "quarantine"), columns, rows)


def _keep_day(cursor: Cursor, report: InputReport) -> None:
    cursor.execute(sql.SPANS[report.input], day_window(report.day))
    report.oldest_at, report.newest_at = one_row(cursor)
    state = {
        "input": report.input,
        "day": report.day,
        "read_count": report.read,
        "row_count": report.rows,
        "quarantined": report.quarantined,
        "unknown_product": report.unknown_product,
        "oldest_at": report.oldest_at,
        "newest_at": report.newest_at,
        "feed_bytes": report.feed_bytes,
        "feed_version": version_of(report.files),
    }
    cursor.execute(sql.KEEP_INPUT_DAY, state)
