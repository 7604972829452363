"""A row of log_sync.files as a value, and how it changes. Pure; reading and writing it is `store.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Literal

from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.verify import Verified

State = Literal["fetched", "missing", "failed", "waived"]


@dataclass(frozen=True)
class ManifestRow:
    """What became of one expected file. Times are aware UTC; columns are described where the table is made."""

    day: date
    host: str
    site: str
    state: State
    source_url: str
    source_version: str | None
    archive_name: str | None
    file_bytes: int | None
    content_bytes: int | None
    sha256: str | None
    fetched_at: datetime | None
    checked_at: datetime
    attempts: int
    last_error: str | None
    version: int = 0
    lines: int | None = None
    undatable_lines: int | None = None
    oldest_line_at: datetime | None = None
    newest_line_at: datetime | None = None
    step_back_seconds: int | None = None

    @property
    def key(self) -> tuple[date, str, str]:
        return self.day, self.host, self.site


def fetched(file: ExpectedFile, version: str, copy: Verified, at: datetime) -> ManifestRow:
    """A new verified copy is in the archive."""
    return ManifestRow(
        *file.key,
        state="fetched",
        source_url=file.source.shown,
        source_version=version,
        archive_name=file.archive_name,
        file_bytes=copy.file_bytes,
        content_bytes=copy.content_bytes,
        sha256=copy.sha256,
        fetched_at=at,
        checked_at=at,
        attempts=1,
        last_error=None,
        **asdict(copy.survey),
    )


def still_good(row: ManifestRow, at: datetime, note: str | None = None) -> ManifestRow:
    """The copy we have stays; `note` says why the source was of no help, if it was not."""
    return replace(row, checked_at=at, last_error=note)


def without_copy(
    file: ExpectedFile,
    state: Literal["missing", "failed", "waived"],
    at: datetime,
    error: str,
    damaged: str | None = None,
) -> ManifestRow:
    """Nothing usable has been delivered so far; a damaged version is remembered, to be fetched once only."""
    return ManifestRow(
        *file.key,
        state=state,
        source_url=file.source.shown,
        source_version=damaged,
        archive_name=None,
        file_bytes=None,
        content_bytes=None,
        sha256=None,
        fetched_at=None,
        checked_at=at,
        attempts=1,
        last_error=error,
    )


def numbered(row: ManifestRow, former: ManifestRow | None) -> ManifestRow:
    """The row with the version of its copy: one more than the former's where the content is another."""
    version = former.version if former else 0
    is_new = row.state == "fetched" and (former is None or row.sha256 != former.sha256)
    return replace(row, version=version + is_new)
