"""Days of log_sync.combined_logs: what each is made of, made, written down, and removed when its time is over."""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from stats_assets.log_sync import sql, store
from stats_assets.log_sync.combine import Combined, HostLog, Names, combine
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake, SourceAway
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row

TABLE = "log_sync.combined_logs"

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class SiteReport:
    """What became of one site's day; `surveyed_lines` is what the manifest says its files hold, None if it does not."""

    site: str
    hosts: Sequence[str]
    missing_hosts: Sequence[str]
    combined: Combined
    surveyed_lines: int | None
    seconds: float

    @property
    def lost_lines(self) -> int:
        written = self.combined.lines + self.combined.undatable_lines
        return 0 if self.surveyed_lines is None else self.surveyed_lines - written


@dataclass(frozen=True)
class CombinedDay:
    """The sites of a day that have any file; `empty_sites` have none."""

    day: date
    sites: Sequence[SiteReport]
    empty_sites: Sequence[str]

    @property
    def metadata(self) -> dict[str, Any]:
        """The numbers an operator asks for; times are ISO 8601, UTC."""
        found = [site.combined for site in self.sites]
        oldest = [each.oldest_line_at for each in found if each.oldest_line_at]
        newest = [each.newest_line_at for each in found if each.newest_line_at]
        return {
            "dagster/row_count": len(self.sites),
            "lines": sum(each.lines for each in found),
            "undatable_lines": sum(each.undatable_lines for each in found),
            "content_bytes": sum(each.content_bytes for each in found),
            "file_bytes": sum(each.file_bytes for each in found),
            "hosts": {site.site: list(site.hosts) for site in self.sites},
            "missing_hosts": {site.site: list(site.missing_hosts) for site in self.sites},
            "sites_without_files": list(self.empty_sites),
            "oldest_line": _shown(min(oldest, default=None)),
            "newest_line": _shown(max(newest, default=None)),
            "seconds": round(sum(site.seconds for site in self.sites), 3),
        }

    def __str__(self) -> str:
        lacking = [f"{site.site} lacks {', '.join(site.missing_hosts)}" for site in self.sites if site.missing_hosts]
        lines = sum(site.combined.lines for site in self.sites)
        hosts = sum(len(site.hosts) for site in self.sites)
        return "; ".join([f"{self.day}: {lines} lines of {hosts} files in order", *lacking])


def replace_combined_day(
    database: StatsDatabase, archive: Archive, config: LogSyncConfig, day: date, today: date
) -> CombinedDay:
    """Makes the files of every site anew from the copies there are, and their rows in one transaction.

    Raises OurMistake for a day without a single copy, with a damaged one, or beyond retention.
    """
    if day < first_kept_day(config, today):
        raise OurMistake(
            f"it is older than log_sync.combined_logs.keep_days ({config.combined_logs.keep_days});"
            " raise that to have it"
        )
    with database.transaction() as cursor:
        lock_slice(cursor, TABLE, day.isoformat())
        rows = sorted(store.rows_of_days(cursor, day, day).values(), key=lambda row: row.host.encode())
        reports, empty = [], []
        for site in config.sites:
            files = [row for row in rows if row.site == site]
            if any(row.state == "fetched" for row in files):
                reports.append(_replace_site(cursor, archive, config, day, site, files))
            else:
                empty.append(site)
    if not reports:
        raise OurMistake("no host's file of that day is here; materialize log_sync/files for it first")
    return CombinedDay(day, reports, empty)


def remove_old_days(database: StatsDatabase, archive: Archive, config: LogSyncConfig, today: date) -> list[date]:
    """Removes files and rows of days beyond retention; the hosts' own files are not touched."""
    with database.transaction() as cursor:
        cursor.execute(sql.REMOVE_COMBINED, {"first_day": first_kept_day(config, today)})
        removed = cursor.fetchall()
        for _, *names in removed:
            _remove(archive, names)
    return sorted({day for day, *_ in removed})


def uncombined_days(cursor: Cursor, config: LogSyncConfig, first_day: date, today: date) -> list[tuple[date, str]]:
    """Days whose files differ from what was combined, with a digest of the files; oldest first."""
    first = max(first_day, first_kept_day(config, today))
    cursor.execute(sql.UNCOMBINED_DAYS, {"sites": config.sites, "first_day": first})
    return cursor.fetchall()


def first_kept_day(config: LogSyncConfig, today: date) -> date:
    keep_days = config.combined_logs.keep_days
    return date.min if keep_days is None else today - timedelta(days=keep_days)


def _replace_site(
    cursor: Cursor, archive: Archive, config: LogSyncConfig, day: date, site: str, files: Sequence[ManifestRow]
) -> SiteReport:
    started = time.monotonic()
    here = [row for row in files if row.state == "fetched"]
    missing = [row.host for row in files if row.state in ("missing", "failed")]
    names = _names(config, day, site)
    key = {"site": site, "day": day}
    cursor.execute(sql.INPUTS, key)
    (inputs,) = one_row(cursor)
    cursor.execute(sql.COMBINED_NAMES, key)
    former = cursor.fetchone() or ()
    spool = Path(config.spool)
    try:
        spool.mkdir(parents=True, exist_ok=True)
        found = combine(archive, [_log(row) for row in here], names, config.combined_logs, spool)
    except OSError as error:
        raise _disk_trouble(error, config) from error
    seconds = time.monotonic() - started
    row = {
        **key,
        **asdict(found),
        "hosts": [row.host for row in here],
        "missing_hosts": missing,
        "archive_name": names.ordered,
        "undatable_name": names.undatable if found.undatable_lines else None,
        "inputs": inputs,
        "seconds": seconds,
    }
    cursor.execute(sql.SAVE_COMBINED, row)
    _remove(archive, [name for name in former if name not in (names.ordered, names.undatable)])
    return SiteReport(site, row["hosts"], missing, found, _surveyed_lines(here), seconds)


def _log(row: ManifestRow) -> HostLog:
    assert row.archive_name, "a fetched row has a copy; the table's CHECK holds it"
    assert row.sha256, "and its checksum"
    return HostLog(row.host, row.archive_name, row.sha256, row.content_bytes or 0, row.step_back_seconds)


def _names(config: LogSyncConfig, day: date, site: str) -> Names:
    folder, suffix = f"combined_logs/{day:%Y/%m/%d}/{site}", config.combined_logs.compression
    return Names(f"{folder}-access.log.{suffix}", f"{folder}-undatable.log.{suffix}")


def _surveyed_lines(rows: Sequence[ManifestRow]) -> int | None:
    counts = [row.lines for row in rows if row.lines is not None]
    return sum(counts) if len(counts) == len(rows) else None


def _remove(archive: Archive, names: Sequence[str | None]) -> None:
    for name in names:
        if name is not None:
            archive.remove(name)


def _disk_trouble(error: OSError, config: LogSyncConfig) -> OurMistake | SourceAway:
    if error.errno in _NO_ROOM:
        return OurMistake(f"there is no room in the archive or in {config.spool} ({error.strerror}); make some")
    return SourceAway(f"the archive or {config.spool} cannot be written to ({error.strerror or error})")


def _shown(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "none"
