"""The room's books: backups and drills. What a restore needs is not here but beside the backups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from stats_assets.backups import sql
from stats_assets.backups.manifest import Manifest
from stats_assets.shared.postgres import Cursor, one_row


@dataclass(frozen=True)
class LastDrills:
    """The last drill, and when the last good one ended."""

    ended_at: datetime | None = None
    is_good: bool = False
    backup: str = ""
    problem: str | None = None
    last_good_at: datetime | None = None


def keep_backup(cursor: Cursor, manifest: Manifest) -> None:
    row = {
        "name": manifest.name,
        "day": datetime.fromisoformat(manifest.began_at).date(),
        "method": manifest.method,
        "began_at": manifest.began_at,
        "ended_at": manifest.ended_at,
        "server_version": manifest.server_version,
        "recover_to": manifest.recover_to or None,
        "database_bytes": manifest.database_bytes,
        "stored_bytes": manifest.stored_bytes,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
    }
    cursor.execute(sql.KEEP_BACKUP, row)


def note_removed(cursor: Cursor, present: Sequence[str]) -> None:
    """Backups that are not there any more, by whoever's hand."""
    cursor.execute(sql.REMOVED, {"present": list(present)})


def sizes_by_day(cursor: Cursor) -> list[tuple[date, int, int]]:
    """Day, bytes stored, bytes of the databases."""
    cursor.execute(sql.SIZES_BY_DAY)
    return cursor.fetchall()


def keep_drill(
    cursor: Cursor, week: date, name: str, began_at: datetime, problem: str | None, manifest: Manifest | None
) -> None:
    row = {
        "week": week,
        "name": name,
        "began_at": began_at,
        "is_good": problem is None,
        "problem": problem,
        "bytes": manifest.database_bytes if manifest else None,
        "tables": len(manifest.tables) if manifest else None,
        "rows": manifest.rows if manifest else None,
    }
    cursor.execute(sql.KEEP_DRILL, row)


def last_drills(cursor: Cursor) -> LastDrills:
    cursor.execute(sql.LAST_DRILLS)
    last = cursor.fetchone()
    if last is None:
        return LastDrills()
    cursor.execute(sql.LAST_GOOD_DRILL)
    ended_at, is_good, backup, problem = last
    return LastDrills(ended_at, is_good, backup, problem, one_row(cursor)[0])
