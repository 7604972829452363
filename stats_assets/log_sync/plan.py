"""What to do with one expected file, from what we have and what its source says. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stats_assets.log_sync.manifest import ManifestRow


@dataclass(frozen=True)
class Present:
    """The source has the file. Versions are only ever compared: equal means the same content."""

    version: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class Absent:
    """The source answers, but has no such file; `found` is what it said, e.g. '404 at http://...'."""

    found: str


Probe = Present | Absent


@dataclass(frozen=True)
class Fetch:
    """There is something new."""

    version: Present


@dataclass(frozen=True)
class UpToDate:
    """The source still has what we have."""

    copy: ManifestRow


@dataclass(frozen=True)
class KeepCopy:
    """The source has it no more; we do."""

    copy: ManifestRow
    found: str


@dataclass(frozen=True)
class Missing:
    """Neither the source nor we have it."""

    found: str


def good_copy(
    row: ManifestRow | None, archive_name: str, size_bytes: Callable[[str], int | None]
) -> ManifestRow | None:
    """The row, if it tells of a verified copy under this name that the archive still holds, as large as it was."""
    if row is None or row.state != "fetched" or row.archive_name != archive_name:
        return None
    return row if size_bytes(archive_name) == row.file_bytes else None


def decide(copy: ManifestRow | None, probe: Probe) -> Fetch | UpToDate | KeepCopy | Missing:
    """From the copy we have, if any, and what the source says."""
    if isinstance(probe, Absent):
        return Missing(probe.found) if copy is None else KeepCopy(copy, probe.found)
    if copy is not None and copy.source_version == probe.version:
        return UpToDate(copy)
    return Fetch(probe)
