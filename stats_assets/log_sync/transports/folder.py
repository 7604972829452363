"""Hosts seen as folders of this machine: mounted, or filled by somebody else (`file:` URLs)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present, Probe
from stats_assets.log_sync.transports.copying import continue_copy
from stats_assets.log_sync.transports.limits import Limits, SourceRefused
from stats_assets.shared.failures import SourceAway


class FolderTransport:
    """Copies files. A file's version is its size and the nanosecond it was last written."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def probe(self, source: SourceFile) -> Probe:
        path = _path(source)
        try:
            return _version(path)
        except (FileNotFoundError, NotADirectoryError):
            if not _folder(source).is_dir():
                raise SourceRefused(f"its folder {_folder(source)} does not exist or is not mounted") from None
            return Absent(f"no such file: {path}")
        except OSError as error:
            raise _explained(path, error) from error

    def fetch(self, source: SourceFile, version: Present, part: Path) -> None:
        path = _path(source)
        self._limits.check_size(version.size_bytes or 0, str(path))
        try:
            with path.open("rb") as reader:
                continue_copy(reader, part, self._limits, str(path))
            found = _version(path)
        except OSError as error:
            raise _explained(path, error) from error
        if found != version or part.stat().st_size != version.size_bytes:
            part.unlink()
            raise SourceAway(f"{path} changed while it was copied: it is still being written")

    def close(self) -> None:
        """Nothing is kept open."""


def _folder(source: SourceFile) -> Path:
    return Path(url2pathname(urlsplit(source.base).path))


def _path(source: SourceFile) -> Path:
    return _folder(source) / source.path


def _version(path: Path) -> Present:
    found = path.stat()  # of the file a link leads to
    return Present(f"bytes={found.st_size} modified_ns={found.st_mtime_ns}", found.st_size)


def _explained(path: Path, error: OSError) -> Exception:
    if isinstance(error, PermissionError):
        return SourceRefused(f"{path} may not be read by this user")
    return SourceAway(f"{path} cannot be copied ({error.strerror or error})")
