"""The spool: batches on local disk while PostgreSQL is away, each forced to disk before it is acknowledged. Blocks.

A folder of segments. Each process writes a segment of its own and holds a lock on it, so several collectors may share a
folder, and whoever finds a segment without a lock may replay it. Replaying twice adds nothing (`store.replay`): a
segment is removed after its commit, and a death between the two only means that it is brought in once more.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from stats_assets.events.copy_rows import Rows
from stats_assets.events.segments import MAGIC, Segment, packed, unpacked
from stats_assets.shared.failures import ConfigurationMistake

SEGMENT_BYTES = 16 * 2**20
_ENDING = ".segment"
# What could not be replayed and waits for a person: of another version, or damaged.
_ASIDE = ".aside"


class SpoolFull(Exception):
    """There is no room for the batch; nothing of it is promised."""


@dataclass
class _Writing:
    path: Path
    file: int
    size_bytes: int


class Spool:
    """One process's hold on the folder."""

    def __init__(self, folder: Path, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Raises ConfigurationMistake when the folder cannot be written to."""
        self.folder, self.max_bytes, self._segment_bytes = folder, max_bytes, segment_bytes
        self._writing: _Writing | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = folder / f".{uuid4()}.probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigurationMistake(
                f"events.spool: {folder} cannot be written to ({error.strerror}); name a local folder of the collector"
            ) from error

    def size_bytes(self) -> int:
        """What the folder holds, whoever wrote it, what was set aside included."""
        sizes = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another process has replayed it meanwhile
                sizes.append(path.stat().st_size)
        return sum(sizes)

    def append(self, rows: Rows) -> None:
        """The batch is on disk when this returns. Raises SpoolFull; then it may be tried again later."""
        content = packed(rows)
        if self.size_bytes() + len(content) > self.max_bytes:
            raise SpoolFull(f"{self.folder} has reached {self.max_bytes} bytes (events.max_spool_bytes)")
        try:
            writing = self._segment_for(len(content))
            self._write(writing, content)
        except OSError as error:
            raise SpoolFull(f"{self.folder} takes nothing more ({error.strerror})") from error

    def _segment_for(self, size_bytes: int) -> _Writing:
        if self._writing is not None and self._writing.size_bytes + size_bytes > self._segment_bytes:
            self.close_segment()
        if self._writing is None:
            self._writing = self._new_segment()
        return self._writing

    def _new_segment(self) -> _Writing:
        path = self.folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4()}{_ENDING}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not os.fstat(file).st_nlink:
                # Another collector took the empty segment for a left one before we had its lock.
                raise OSError(errno.EAGAIN, "removed by another collector")
            _write_all(file, MAGIC)
            os.fsync(file)
            _sync_folder(self.folder)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        return _Writing(path, file, len(MAGIC))

    def _write(self, writing: _Writing, content: bytes) -> None:
        """Writes and forces to disk; after trouble the segment ends where it was good."""
        try:
            _write_all(writing.file, content)
            os.fsync(writing.file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(writing.file, writing.size_bytes)
            # After a failed fsync nobody knows what is on disk: what comes now goes elsewhere.
            self.close_segment()
            raise
        writing.size_bytes += len(content)

    def close_segment(self) -> None:
        """Ends the segment that is being written, so that it can be replayed."""
        if self._writing is not None:
            os.close(self._writing.file)
            self._writing = None

    def waiting(self) -> list[Path]:
        """Segments that were written and not replayed yet, the oldest first; not the one being written."""
        ours = self._writing.path if self._writing else None
        return sorted(path for path in self.folder.glob(f"*{_ENDING}") if path != ours)

    def set_aside(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_ASIDE}"))


@contextmanager
def claimed(path: Path) -> Iterator[Segment | None]:
    """The content of a segment that nobody else works on; None when somebody does, or has.

    It stays as it is: whoever has replayed it calls `remove`. Raises ValueError when it is none of this version.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(file, "rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Who had the lock before us may have removed it.
        yield unpacked(opened.read()) if os.fstat(file).st_nlink else None


def segment_id(path: Path) -> UUID:
    """The name a segment has in events.spool_replays."""
    return UUID(path.name.removesuffix(_ENDING)[-36:])


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def put_aside(path: Path) -> Path:
    """Keeps a segment for a person to look at; it is not replayed again."""
    aside = path.with_suffix(_ASIDE)
    path.rename(aside)
    _sync_folder(path.parent)
    return aside


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    """The names in a folder are on disk only when the folder is."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
