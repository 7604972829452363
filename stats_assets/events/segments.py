"""A segment of the spool as bytes: batches one after another, each with a checksum. Pure.

A segment that was being written when everything ended has a torn last record, which nobody was promised; it is left
out. A record that is wrong before the last was promised and has been damaged since: that is told.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stats_assets.events.copy_rows import Rows

Kind = Literal["raw", "quarantine"]

# The number goes up when the columns of `copy_rows` or the records change.
MAGIC = b"stats-assets events spool 1\n"

_FIELDS = struct.Struct("!BIII")  # kind, count, size of the rows, their checksum
_CHECKSUM = struct.Struct("!I")  # of the fields: a damaged size must not hide what follows
_HEAD_BYTES = _FIELDS.size + _CHECKSUM.size
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
    fields = _FIELDS.pack(kind, count, len(rows), zlib.crc32(rows))
    return fields + _CHECKSUM.pack(zlib.crc32(fields)) + rows


def unpacked(content: bytes) -> Segment:
    """A segment's records as far as they are whole. Raises ValueError for what is no segment of this version."""
    if not content.startswith(MAGIC):
        if MAGIC.startswith(content):
            return Segment(())  # its first line was being written
        raise ValueError(f"it begins with {content[: len(MAGIC)]!r} instead of {MAGIC!r}")
    records: list[Record] = []
    damaged, at = 0, len(MAGIC)
    while at < len(content):
        head = content[at : at + _HEAD_BYTES]
        if len(head) < _HEAD_BYTES or (not head.strip(b"\0") and not content[at:].strip(b"\0")):
            break  # torn
        fields = head[: _FIELDS.size]
        if _CHECKSUM.pack(zlib.crc32(fields)) != head[_FIELDS.size :]:
            damaged += len(content) - at  # nobody knows where the next record begins
            break
        kind, count, size, checksum = _FIELDS.unpack(fields)
        rows = content[at + _HEAD_BYTES : at + _HEAD_BYTES + size]
        if len(rows) < size:
            break  # torn
        if zlib.crc32(rows) == checksum:
            records.append(Record(_KINDS[kind], count, rows))
        else:
            damaged += size
        at += _HEAD_BYTES + size
    return Segment(records, damaged)
