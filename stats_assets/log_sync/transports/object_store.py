"""Hosts whose logs lie in an object store or anything else fsspec has a driver for (`s3:`, `gs:`, `abfs:` ...).

Credentials and time-outs are the driver's: by `storage_options` of the host, or by its own files and variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present, Probe
from stats_assets.log_sync.transports.copying import continue_copy
from stats_assets.log_sync.transports.limits import Limits, SourceRefused
from stats_assets.shared.failures import OurMistake, SourceAway

# Drivers agree on `size` alone; these are their names for a checksum of the content, and for the time of a change.
# Not all that they tell: some report the last access, which our reading changes.
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("LastModified", "last_modified", "updated", "modified", "mtime", "created")


class ObjectStoreTransport:
    """A file's version is its entity tag, or its time of change where the store has none, and its size."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def probe(self, source: SourceFile) -> Probe:
        fs, path = _opened(source)
        try:
            with _explained(source):
                return _current_version(fs, path)
        except FileNotFoundError:
            return Absent(f"no such file: {source.shown}")

    def fetch(self, source: SourceFile, version: Present, part: Path) -> None:
        self._limits.check_size(version.size_bytes or 0, source.shown)
        fs, path = _opened(source)
        try:
            with _explained(source), cast(BinaryIO, fs.open(path, "rb")) as reader:
                continue_copy(reader, part, self._limits, source.shown)
            with _explained(source):
                found = _current_version(fs, path)
        except FileNotFoundError as error:
            raise SourceAway(f"{source.shown} has just gone") from error
        if found != version or part.stat().st_size != version.size_bytes:
            part.unlink()
            raise SourceAway(f"{source.shown} changed while it was copied")

    def close(self) -> None:
        """fsspec keeps its connections itself, for all who ask for the same store."""


def _opened(source: SourceFile) -> tuple[AbstractFileSystem, str]:
    with _explained(source):
        fs, folder = url_to_fs(source.base, **(source.options.storage_options or {}))
    return fs, f"{folder.rstrip('/')}/{source.path}"


def _current_version(fs: AbstractFileSystem, path: str) -> Present:
    fs.invalidate_cache()  # drivers remember listings, and we ask for what is new
    return version_in(fs.info(path))


def version_in(info: Mapping[str, Any]) -> Present:
    """The version of what a driver tells of a file."""
    tag = next((f"etag={info[name]}" for name in _TAGS if info.get(name)), None)
    time = next((f"modified={info[name]}" for name in _TIMES if info.get(name)), "")
    return Present(f"{tag or time} bytes={info['size']}", info["size"])


@contextmanager
def _explained(source: SourceFile) -> Iterator[None]:
    """A driver's failure as ours. FileNotFoundError passes: what it means, the verb knows."""
    try:
        yield
    except (FileNotFoundError, SourceAway, OurMistake):
        raise
    except (PermissionError, ImportError, ValueError, TypeError) as error:
        hint = "check credentials and storage_options in log_sync.hosts"
        raise SourceRefused(f"{source.shown} cannot be read ({error}); {hint}") from error
    except Exception as error:  # drivers raise what their libraries raise; most of it is the network
        raise SourceAway(f"{source.shown} cannot be read ({type(error).__name__}: {error})") from error
