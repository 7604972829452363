"""Events as rows of PostgreSQL's binary COPY, packed by hand: half a microsecond a row. Pure.

Format: PostgreSQL manual, COPY, "Binary Format". A row is a 16-bit count of fields, each a 32-bit length (-1: NULL) and
its bytes. The columns are in an order of our own: first what is the same for a request, then for a table, then the
rest.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from stats_assets.events.envelope import Accepted, Judged, Refused
from stats_assets.events.schema_file import Table

RAW_COLUMNS = (
    "received_at",
    "request_id",
    "app_id",
    "schema_version",
    "table_name",
    "headers",
    "request_position",
    "event_id",
    "payload",
)
QUARANTINE_COLUMNS = (*RAW_COLUMNS, "stage", "reason", "column_name", "detail")

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_length = struct.Struct("!i").pack
_NULL = _length(-1)
_RECEIVED = _length(len(b"received")) + b"received"
_POSITIONS = [struct.pack("!ii", 4, i) for i in range(1000)]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the events of one request have in common."""

    received_at: datetime
    request_id: bytes
    app_id: str
    schema_version: str

    @property
    def day(self) -> date:
        """The UTC day of the table partition."""
        return self.received_at.date()


@dataclass(slots=True)
class Rows:
    """Rows of both tables, and what is to be known of them without reading them."""

    raw: list[bytes] = field(default_factory=list)
    quarantined: list[bytes] = field(default_factory=list)
    raw_count: int = 0
    quarantined_count: int = 0
    size_bytes: int = 0
    days: set[date] = field(default_factory=set)

    @property
    def count(self) -> int:
        return self.raw_count + self.quarantined_count

    def add(self, other: Rows) -> None:
        self.raw += other.raw
        self.quarantined += other.quarantined
        self.raw_count += other.raw_count
        self.quarantined_count += other.quarantined_count
        self.size_bytes += other.size_bytes
        self.days |= other.days


def pack(arrival: Arrival, judged: Judged, tables: Mapping[str, Table], headers: Mapping[str, str]) -> Rows:
    """The rows of a request; `headers` by lower-case name."""
    shared = _shared(arrival)
    prefixes: dict[str | None, bytes] = {None: _NULL + _NULL}
    for each in (*judged.accepted, *judged.refused):
        if (name := each.table) is not None and name not in prefixes:
            prefixes[name] = _text(name) + _headers(tables[name].header_keys, headers)
    raw = _raw_rows(struct.pack("!h", len(RAW_COLUMNS)) + shared, prefixes, judged.accepted)
    refused = [
        struct.pack("!h", len(QUARANTINE_COLUMNS)) + shared + prefixes[each.table] + _refused_row(each)
        for each in judged.refused
    ]
    quarantined = b"".join(refused)
    return Rows(
        [raw] if raw else [],
        [quarantined] if quarantined else [],
        len(judged.accepted),
        len(refused),
        len(raw) + len(quarantined),
        {arrival.day},
    )


def _shared(arrival: Arrival) -> bytes:
    microseconds = (arrival.received_at - _POSTGRES_EPOCH) // _MICROSECOND
    return (
        struct.pack("!iqi", 8, microseconds, 16)
        + arrival.request_id
        + _text(arrival.app_id)
        + _text(arrival.schema_version)
    )


def _raw_rows(shared: bytes, prefixes: Mapping[str | None, bytes], accepted: Sequence[Accepted]) -> bytes:
    starts = {name: shared + prefix for name, prefix in prefixes.items()}
    parts: list[bytes | memoryview] = []
    for position, table, event_id, raw in accepted:
        payload = memoryview(raw)
        parts += (
            starts[table],
            _position(position),
            _NULL if event_id is None else _text(event_id),
            _length(len(payload)),
            payload,
        )
    return b"".join(parts)


def _refused_row(refused: Refused) -> bytes:
    payload = bytes(refused.payload)
    reason, column, detail = refused.refusal
    return b"".join(
        (
            _position(refused.position),
            _text(refused.event_id),
            _length(len(payload)),
            payload,
            _RECEIVED,
            _text(reason),
            _text(column),
            _text(detail),
        )
    )


def _position(position: int) -> bytes:
    return _POSITIONS[position] if position < len(_POSITIONS) else struct.pack("!ii", 4, position)


def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    encoded = text.encode()
    return _length(len(encoded)) + encoded


def _headers(names: Sequence[str], headers: Mapping[str, str]) -> bytes:
    found = {name: headers[name] for name in names if name in headers}
    return _text(json.dumps(found, separators=(",", ":")) if found else None)
