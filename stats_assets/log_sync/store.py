"""Rows of log_sync.files, read and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date

from psycopg2.extras import execute_batch

from stats_assets.log_sync import sql
from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.shared.postgres import Cursor, lock_slice, one_row

TABLE = "log_sync.files"

Manifest = dict[tuple[date, str, str], ManifestRow]  # by ManifestRow.key


def rows_of_days(cursor: Cursor, first: date, last: date) -> Manifest:
    """The manifest from `first` to `last`, both included."""
    cursor.execute(sql.ROWS_OF_DAYS, {"first_day": first, "last_day": last})
    return _manifest(cursor)


def lacking_rows(cursor: Cursor) -> Manifest:
    """Every file that is missing or failed, of whatever day."""
    cursor.execute(sql.LACKING_ROWS)
    return _manifest(cursor)


def newest_day(cursor: Cursor) -> date | None:
    """The last day of the manifest; None while it is empty."""
    cursor.execute(sql.NEWEST_DAY)
    (day,) = one_row(cursor)
    return day


def oldest_day(cursor: Cursor) -> date | None:
    """The first day of the manifest; None while it is empty."""
    cursor.execute(sql.OLDEST_DAY)
    (day,) = one_row(cursor)
    return day


def hold_day(cursor: Cursor, day: date) -> None:
    """Waits until no other run works on this day."""
    lock_slice(cursor, TABLE, day.isoformat())


def replace_day(cursor: Cursor, day: date, expected: Sequence[ExpectedFile], rows: Iterable[ManifestRow]) -> None:
    """Writes the day's rows; drops what is no longer expected and was never delivered."""
    execute_batch(cursor, sql.SAVE_ROW, [asdict(row) for row in rows])
    files = {"day": day, "hosts": [file.host for file in expected], "sites": [file.site for file in expected]}
    for statement in (sql.FORGET_UNEXPECTED, sql.NO_LONGER_EXPECTED, sql.ADD_VERSIONS):
        cursor.execute(statement, files)


def _manifest(cursor: Cursor) -> Manifest:
    return {row.key: row for row in (ManifestRow(*values) for values in cursor.fetchall())}
