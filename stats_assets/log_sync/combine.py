"""One site's logs of a day, of all hosts, into one file in the order of time. Which files, is `combined_days.py`.

The merge itself is in `merging.py`; here are the archive on both sides of it and the disk beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import BinaryIO, cast

from stats_assets.log_sync.checksums import CheckedReader, CheckedWriter
from stats_assets.log_sync.config import CombinedLogs
from stats_assets.log_sync.lines import BLOCK_BYTES, Block, blocks
from stats_assets.log_sync.merging import Log, merged, read_run, sorted_runs
from stats_assets.log_sync.survey import instant
from stats_assets.shared.archive import Archive
from stats_assets.shared.compression import DAMAGE, compressed, decompressed
from stats_assets.shared.failures import OurMistake

SCRATCH = "combine-"  # folders in the spool; one that a killed run has left is removed with the old parts

_LEAST_BLOCK_BYTES, _MOST_BLOCK_BYTES = 1 << 16, 1 << 22
# Of a log there are at once: a block as read, as Arrow, sorted, and what is held back of it and of its run.
_BLOCKS_PER_LOG = 6
_COPIES_OF_A_RUN = 4
_MOST_RUNS = 512  # each is an open file
_UNDATABLE_IN_MEMORY = 1 << 20


@dataclass(frozen=True)
class HostLog:
    """A verified copy of one host's log, as the manifest has it."""

    host: str
    archive_name: str
    sha256: str
    content_bytes: int
    step_back_seconds: int | None


@dataclass(frozen=True)
class Names:
    """Where the result goes, below the archive; the endings tell the compression."""

    ordered: str
    undatable: str


@dataclass(frozen=True)
class Combined:
    """What has been written; without undatable lines there is no side file. Times are UTC."""

    lines: int
    undatable_lines: int
    content_bytes: int
    file_bytes: int
    sha256: str
    oldest_line_at: datetime | None
    newest_line_at: datetime | None


def combine(archive: Archive, logs: Sequence[HostLog], names: Names, settings: CombinedLogs, spool: Path) -> Combined:
    """Writes both files anew; each takes the place of an earlier one only when it is whole.

    Equal times are ordered by host, then by the place in its file. Raises OurMistake for a copy that is damaged.
    """
    logs = sorted(logs, key=lambda log: log.host.encode())
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(dir=spool, prefix=SCRATCH)))
        sides = [stack.enter_context(_Side(scratch)) for _ in logs]
        sources = _sources(archive, logs, sides, settings, scratch)
        ordered = _write_ordered(archive, sources, names.ordered, settings.level)
        _write_undatable(archive, sides, names.undatable, settings.level)
        return replace(ordered, undatable_lines=sum(side.lines for side in sides))


class _Side:
    """The undatable lines of one host, in memory while they are few."""

    def __init__(self, folder: Path) -> None:
        self._file = SpooledTemporaryFile(_UNDATABLE_IN_MEMORY, dir=str(folder))  # noqa: SIM115 - closed on exit
        self.lines = 0

    def __enter__(self) -> _Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self.lines += content.count(b"\n")  # a piece of an overlong line has none until the last

    def copy_to(self, writer: BinaryIO) -> None:
        self._file.seek(0)
        shutil.copyfileobj(self._file, writer, 1 << 20)


def _sources(
    archive: Archive, logs: Sequence[HostLog], sides: Sequence[_Side], settings: CombinedLogs, scratch: Path
) -> list[tuple[Log, _Side]]:
    """What is to be merged, in the order of equal times: a log per host, or its sorted runs."""
    memory_bytes = settings.memory_mb << 20
    runs: dict[str, list[Path]] = {}
    for log, side in zip(logs, sides, strict=True):
        if log.step_back_seconds is None or log.step_back_seconds > settings.reorder_seconds:
            run_bytes = max(memory_bytes // _COPIES_OF_A_RUN, log.content_bytes // _MOST_RUNS)
            folder = scratch / log.host
            folder.mkdir()
            runs[log.host] = list(sorted_runs(_lines_of(archive, log), side.write, folder, run_bytes))
    count = len(logs) + sum(map(len, runs.values()))
    block_bytes = min(_MOST_BLOCK_BYTES, max(_LEAST_BLOCK_BYTES, memory_bytes // (count * _BLOCKS_PER_LOG)))
    sources: list[tuple[Log, _Side]] = []
    for log, side in zip(logs, sides, strict=True):
        if log.host in runs:
            sources += [(Log(log.host, read_run(path, block_bytes), 0), side) for path in runs[log.host]]
        else:
            sources.append((Log(log.host, _lines_of(archive, log, block_bytes), log.step_back_seconds or 0), side))
    return sources


def _lines_of(archive: Archive, log: HostLog, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of a copy; that it is still the file that was verified is known at its end."""
    try:
        with archive.open_read(log.archive_name) as file:
            stored = CheckedReader(file)
            yield from blocks(decompressed(cast(BinaryIO, stored), log.archive_name), block_bytes)
            stored.read_rest()
    except DAMAGE as error:
        raise _damaged(archive, log, str(error) or type(error).__name__) from error
    if stored.sha256 != log.sha256:
        raise _damaged(archive, log, "its checksum is another")


def _damaged(archive: Archive, log: HostLog, why: str) -> OurMistake:
    return OurMistake(
        f"the copy of {log.host}'s log is damaged or gone ({archive.location(log.archive_name)}: {why});"
        " remove that file, rerun log_sync/files for the day, then this day"
    )


def _write_ordered(archive: Archive, sources: Sequence[tuple[Log, _Side]], name: str, level: int) -> Combined:
    lines = content_bytes = 0
    oldest = newest = None
    with archive.replacing(name) as file:
        stored = CheckedWriter(file)
        with compressed(cast(BinaryIO, stored), name, level) as writer:
            for piece in merged([log for log, _ in sources], [side.write for _, side in sources]):
                writer.write(piece.content)
                lines += piece.lines
                content_bytes += len(piece.content)
                oldest, newest = piece.oldest if oldest is None else oldest, piece.newest
    return Combined(
        lines=lines,
        undatable_lines=0,
        content_bytes=content_bytes,
        file_bytes=stored.bytes_written,
        sha256=stored.sha256,
        oldest_line_at=None if oldest is None else instant(oldest),
        newest_line_at=None if newest is None else instant(newest),
    )


def _write_undatable(archive: Archive, sides: Sequence[_Side], name: str, level: int) -> None:
    """By host, each host's in their order; no file when there are none."""
    if not any(side.lines for side in sides):
        archive.remove(name)
        return
    with archive.replacing(name) as file, compressed(file, name, level) as writer:
        for side in sides:
            side.copy_to(writer)
