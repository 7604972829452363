"""The folder (or bucket) others put logs and batches into: which files are new or changed, and their import."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import report_sql, store
from stats_assets.trends.files import is_of_logs, read_file
from stats_assets.trends.intake import import_files
from stats_assets.trends.load import Importer, ImportReport

# A file that changed this short ago may still be written.
_SETTLED = timedelta(seconds=10)


@dataclass(frozen=True)
class WatchedFile:
    """A file of the folder; `version` changes with its contents."""

    name: str
    version: str
    file_bytes: int


def new_files(database: StatsDatabase, folder: str, now: datetime) -> list[WatchedFile]:
    """Files never imported in their present version, by name. Raises SourceAway when the folder cannot be listed."""
    with database.transaction() as cursor:
        cursor.execute(report_sql.FILES_KNOWN)
        known: dict[str, str] = dict(cursor.fetchall())
    return [file for file in _listed(folder, now) if known.get(file.name) != file.version]


def digest(files: list[WatchedFile]) -> str:
    """Changes when a file comes or changes."""
    return hashlib.sha256("\n".join(f"{file.name} {file.version}" for file in files).encode()).hexdigest()[:16]


def import_file(database: StatsDatabase, importer: Importer, folder: str, file: WatchedFile) -> ImportReport:
    """Imports one file and notes that this version of it was; a damaged batch goes to quarantine as a whole."""
    with _local(folder, file.name) as path:
        try:
            report = import_files(database, importer, read_file(path, file.name))
        except OurMistake as error:
            data = path.read_bytes()[:500]
            source = f"file:{file.name}"
            store.quarantine_file(database, source, "not_json", str(error), "", hashlib.sha256(data).digest())
            report = ImportReport(quarantined=1)
    values = {"logs": report.logs, "quarantined": report.quarantined}
    with database.transaction() as cursor:
        cursor.execute(report_sql.SET_IMPORTED, vars(file) | values)
    return report


def _listed(folder: str, now: datetime) -> Iterator[WatchedFile]:
    fs, root = url_to_fs(folder)
    try:
        fs.invalidate_cache()
        found: Mapping[str, Mapping[str, Any]] = fs.find(root, detail=True)
    except OSError as error:
        raise SourceAway(f"trends: the batch folder {folder} cannot be listed: {first_line(error)}") from error
    for path, details in sorted(found.items()):
        if is_of_logs(PurePosixPath(path).name) and _is_settled(details, now):
            yield WatchedFile(path.removeprefix(f"{root}/"), _version(details), int(details.get("size") or 0))


def _version(details: Mapping[str, Any]) -> str:
    told = [str(details[key]) for key in ("ETag", "etag", "mtime", "LastModified", "updated") if details.get(key)]
    return " ".join([*told, str(details.get("size"))])


def _is_settled(details: Mapping[str, Any], now: datetime) -> bool:
    """Object stores show whole files only; on a disk a file grows while it is written."""
    changed = details.get("mtime")
    return not isinstance(changed, int | float) or datetime.fromtimestamp(changed, UTC) <= now - _SETTLED


@contextmanager
def _local(folder: str, name: str) -> Iterator[Path]:
    """The file on this machine: where it lies, or a copy for as long as the block lasts (SQLite needs a file)."""
    fs, root = url_to_fs(folder)
    if isinstance(fs, LocalFileSystem):
        yield Path(root) / name
        return
    with tempfile.TemporaryDirectory(prefix="stats-trends-") as copies:
        copy = Path(copies) / PurePosixPath(name).name
        _bring(fs, f"{root}/{name}", copy)
        yield copy


def _bring(fs: AbstractFileSystem, path: str, copy: Path) -> None:
    try:
        fs.get_file(path, str(copy))
    except OSError as error:
        raise SourceAway(f"trends: {path} of the batch folder cannot be read: {first_line(error)}") from error
