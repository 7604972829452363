"""A segment of the spool as bytes: batches one after another, each with a checksum. Pure.

A segment that was being written when everything ended has a torn last record, which nobody was promised; it is left
out. A record that is wrong before the last was promised and has been damaged since: that is told.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stats_assets.events.copy_rows import Rows

Kind = Literal["raw", "quarantine"]

# The number goes up when the columns of `copy_rows` or the records change.
MAGIC = b"stats-assets events spool 1\n"

_RECORD = struct.Struct("!4sBIII")
_MARK = b"rows"
_KINDS: tuple[Kind, ...] = ("raw", "quarantine")


@dataclass(frozen=True)
class Record:
    """Rows of binary COPY, without its header and trailer."""

    kind: Kind
    count: int
    rows: bytes


@dataclass(frozen=True)
class Segment:
    """What can be read of a segment; `damaged_bytes` were promised and cannot be read any more."""

    records: Sequence[Record]
    damaged_bytes: int = 0

    @property
    def count(self) -> int:
        return sum(record.count for record in self.records)


def packed(rows: Rows) -> bytes:
    """The records of a batch."""
    both = ((0, rows.raw, rows.raw_count), (1, rows.quarantined, rows.quarantined_count))
    return b"".join(_record(kind, count, b"".join(parts)) for kind, parts, count in both if count)


def _record(kind: int, count: int, rows: bytes) -> bytes:
    return _RECORD.pack(_MARK, kind, count, len(rows), zlib.crc32(rows)) + rows


def unpacked(content: bytes) -> Segment:
    """A segment's records as far as they are whole. Raises ValueError for what is no segment of this version."""
    if not content.startswith(MAGIC):
        if MAGIC.startswith(content):
            return Segment(())  # its first line was being written
        raise ValueError(f"it begins with {content[: len(MAGIC)]!r} instead of {MAGIC!r}")
    records: list[Record] = []
    end = len(MAGIC)
    for record, at in _records(content, end):
        records.append(record)
        end = at
    return Segment(records, 0 if _is_torn(content, end) else len(content) - end)


def _records(content: bytes, at: int) -> Iterator[tuple[Record, int]]:
    while at + _RECORD.size <= len(content):
        mark, kind, count, size, checksum = _RECORD.unpack_from(content, at)
        rows = content[at + _RECORD.size : at + _RECORD.size + size]
        if mark != _MARK or kind >= len(_KINDS) or len(rows) < size or zlib.crc32(rows) != checksum:
            return
        at += _RECORD.size + size
        yield Record(_KINDS[kind], count, rows), at


def _is_torn(content: bytes, at: int) -> bool:
    """Whether what follows is what an interrupted write leaves: nothing, zeros, or a record that goes to the end."""
    rest = content[at:]
    if len(rest) < _RECORD.size or not rest.strip(b"\0"):
        return True
    mark, _, _, size, _ = _RECORD.unpack_from(rest)
    return mark == _MARK and len(rest) <= _RECORD.size + size
