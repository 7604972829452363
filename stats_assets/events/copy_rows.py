"""Events as rows of PostgreSQL's binary COPY, packed by hand: a microsecond a row. Pure.

Format: PostgreSQL manual, COPY, "Binary Format". A row is a 16-bit count of fields, each a 32-bit length (-1: NULL) and
its bytes. The columns are in an order of our own: first what is the same for a request, then for a table, then the
rest.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from stats_assets.events.envelope import Accepted, Judged, Refused
from stats_assets.events.headers import Headers, text_of
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

_length = struct.Struct("!i").pack
_start = struct.Struct("!hiqi").pack  # count of fields; received_at with its length; length of request_id
_NULL = _length(-1)
_UNIX_SECONDS_OF_2000 = 946_684_800
_DAY_MICROSECONDS = 86_400_000_000
_POSITIONS = [struct.pack("!ii", 4, i) for i in range(1000)]


class Packed(msgspec.Struct, frozen=True, gc=False):
    """The rows of one request, for both tables; `day` is that of their table partition, in days since 1970."""

    raw: bytes
    raw_count: int
    quarantined: bytes
    quarantined_count: int
    size_bytes: int
    day: int


@dataclass(slots=True)
class Rows:
    """Rows of many requests, and what is to be known of them without reading them."""

    raw: list[bytes] = field(default_factory=list)
    quarantined: list[bytes] = field(default_factory=list)
    raw_count: int = 0
    quarantined_count: int = 0
    size_bytes: int = 0
    first_day: int = 2**31
    last_day: int = -1

    @property
    def count(self) -> int:
        return self.raw_count + self.quarantined_count

    @property
    def days(self) -> set[date]:
        """The UTC days of the table partitions; kept as first and last, in days since 1970."""
        return {date(1970, 1, 1) + timedelta(days=number) for number in range(self.first_day, self.last_day + 1)}

    def add(self, packed: Packed) -> None:
        self.raw.append(packed.raw)
        self.raw_count += packed.raw_count
        if packed.quarantined_count:
            self.quarantined.append(packed.quarantined)
            self.quarantined_count += packed.quarantined_count
        self.size_bytes += packed.size_bytes
        if packed.day < self.first_day:
            self.first_day = packed.day
        if packed.day > self.last_day:
            self.last_day = packed.day


@dataclass(frozen=True)
class Packer:
    """Packs what one app sends, under one schema."""

    sender: bytes
    table_names: Mapping[str, bytes]
    header_keys: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, app_id: str, schema_version: str, tables: Mapping[str, Table]) -> Packer:
        return cls(
            _text(app_id) + _text(schema_version),
            {name: _text(name) for name in tables},
            {name: table.header_keys for name, table in tables.items()},
        )

    def tails(self, headers: Headers) -> Mapping[str | None, bytes]:
        """By table what rows of a request with these headers have behind their request_id; made when asked for."""
        return _Tails(self, headers)

    def pack(self, request_id: bytes, microseconds: int, judged: Judged, tails: Mapping[str | None, bytes]) -> Packed:
        """The rows of a request that was complete at this Unix time."""
        accepted, refused = judged.accepted, judged.refused
        postgres_time = microseconds - _UNIX_SECONDS_OF_2000 * 1_000_000
        raw = _raw_rows(_start(len(RAW_COLUMNS), 8, postgres_time, 16) + request_id, accepted, tails)
        quarantined = b""
        if refused:
            start = _start(len(QUARANTINE_COLUMNS), 8, postgres_time, 16) + request_id
            quarantined = b"".join(start + tails[each.table] + _refused_row(each) for each in refused)
        size_bytes, day = len(raw) + len(quarantined), microseconds // _DAY_MICROSECONDS
        return Packed(raw, len(accepted.positions), quarantined, len(refused), size_bytes, day)

    def tail(self, name: str | None, headers: Headers) -> bytes:
        """app_id, schema_version, table_name and headers."""
        if name is None:
            return self.sender + _NULL + _NULL
        found = {key: value for key in self.header_keys[name] if (value := text_of(headers, key.encode())) is not None}
        if not found:
            return self.sender + self.table_names[name] + _NULL
        encoded = msgspec.json.encode(found)
        return self.sender + self.table_names[name] + _length(len(encoded)) + encoded


class _Tails(dict[str | None, bytes]):
    def __init__(self, packer: Packer, headers: Headers) -> None:
        self._packer, self._headers = packer, headers

    def __missing__(self, name: str | None) -> bytes:
        tail = self[name] = self._packer.tail(name, self._headers)
        return tail


def _raw_rows(start: bytes, accepted: Accepted, tails: Mapping[str | None, bytes]) -> bytes:
    starts: dict[str, bytes] = {}
    parts: list[bytes | msgspec.Raw] = []
    columns = (_positions(accepted.positions), accepted.tables, accepted.event_ids, accepted.payloads)
    for position, table, event_id, payload in zip(*columns, strict=True):
        if table not in starts:
            starts[table] = start + tails[table]
        size = _length(len(payload))
        if event_id is None:
            parts += (starts[table], position, _NULL, size, payload)
        else:
            encoded = event_id.encode()
            parts += (starts[table], position, _length(len(encoded)), encoded, size, payload)
    return b"".join(parts)


def _positions(positions: Sequence[int]) -> Sequence[bytes]:
    if isinstance(positions, range) and len(positions) <= len(_POSITIONS):
        return _POSITIONS[: len(positions)]  # all that were sent, as usual
    return [struct.pack("!ii", 4, position) for position in positions]


def _refused_row(refused: Refused) -> bytes:
    payload = bytes(refused.payload)
    reason, column, detail = refused.refusal
    texts = (_text("received"), _text(reason), _text(column), _text(detail))
    position = struct.pack("!ii", 4, refused.position)
    return b"".join((position, _text(refused.event_id), _length(len(payload)), payload, *texts))


def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    encoded = text.encode()
    return _length(len(encoded)) + encoded
