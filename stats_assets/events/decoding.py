"""Raw events of one table as columns of its typed rows, a block at a time; and which of them are of no use. Pure.

Most events go the short way: many at once, decoded by their types. One that this refuses goes the careful way alone,
which says what is wrong, and which keeps values that no column takes for `extra`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from stats_assets.events import timestamps
from stats_assets.events.evolution import declared_columns
from stats_assets.events.schema_file import EVENT_ID, Column, ColumnType, Table
from stats_assets.events.values import (
    EVENT_ID_TYPE,
    UNIX_SECONDS_RANGE,
    column_type,
    complaint,
    event_id_complaint,
)
from stats_assets.events.verdict import TABLE_KEY, Refusal

# Decoded at once. A bad event costs those before it a second time, so that more are not better when 1 % are bad.
_MANY = 24
_EVENT_ID: Any = EVENT_ID_TYPE
_NUL = b"\\u0000"  # how JSON writes what PostgreSQL's texts cannot hold

_SECONDS = msgspec.Meta(ge=UNIX_SECONDS_RANGE[0], le=UNIX_SECONDS_RANGE[1])
# As `values.column_type`, but texts stay texts: datetimes cost more than all the rest.
_TIMESTAMP = str | Annotated[int, _SECONDS] | Annotated[float, _SECONDS]

_ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "bool": pa.bool_(),
    "i32": pa.int32(),
    "i64": pa.int64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "string": pa.string(),
}


# Where msgspec says what is wrong: `$[17].score`, behind all that it quotes.
_place_in_error = re.compile(r".* - at `\$\[(\d+)\]", re.DOTALL).match


class Versions(Protocol):
    """The schema version an event was accepted by, by its place in the block."""

    def __getitem__(self, place: int, /) -> str: ...


@dataclass(frozen=True)
class Block:
    """Raw events in the order they are stored. `payloads` are joined by commas, `headers` likewise, `null` for none."""

    received_at: np.ndarray  # microseconds since 1970
    request_id: np.ndarray  # 16 bytes each
    request_position: np.ndarray
    payload_bytes: np.ndarray  # length of each
    app_ids: list[str]
    payloads: bytes
    headers: bytes

    def key(self, place: int) -> tuple[datetime, UUID, int]:
        """What names the event everywhere: received_at, request_id, request_position."""
        at = timestamps.EPOCH + timedelta(microseconds=int(self.received_at[place]))
        return at, UUID(bytes=self.request_id[place].tobytes()), int(self.request_position[place])

    def payload(self, start: int, end: int, offsets: Sequence[int]) -> bytes:
        """The events from `start` to before `end`, with the commas between them."""
        return self.payloads[offsets[start] : offsets[end] - 1]


@dataclass
class Decoded:
    """The rows of a block, and the places of what was refused.

    `identified` events have an event_id, refused ones among them; `with_extra` rows have something in `extra`.
    """

    rows: pa.RecordBatch
    refusals: dict[int, Refusal]
    identified: int
    with_extra: int


class Decoder:
    """Decodes blocks of one table. `not_null` are the columns that take no NULL in the database."""

    def __init__(self, table: Table, not_null: Set[str], versions: Mapping[str, Mapping[str, bool]]) -> None:
        """`versions`: by schema version the columns the table had then, and whether each was required."""
        self._columns = declared_columns(table)
        self._sent = [column for column in self._columns if column.header is None]
        self._from_headers = [column for column in self._columns if column.header_key]
        self._event_id = table.by_name.get(EVENT_ID, Column(name=EVENT_ID))
        self._fields = {column.name: f"c{i}" for i, column in enumerate(self._columns)}
        self._not_null = not_null
        self._versions = versions
        self._known = {column.name for column in self._sent} | {TABLE_KEY, EVENT_ID}
        self._row = self._row_type()
        self._nothing = self._row(t="", **dict.fromkeys(("e", *(self._fields[column.name] for column in self._sent))))
        self._schema = _schema(self._columns)
        self._one = msgspec.json.Decoder(self._row).decode
        self._many = msgspec.json.Decoder(list[self._row]).decode

    @property
    def schema(self) -> pa.Schema:
        """Of `Decoded.rows`."""
        return self._schema

    def decode(self, block: Block, version_of: Versions) -> Decoded:
        """`version_of` is asked for few events."""
        work = _Work(block, version_of, self._headers(block))
        rows: list[Any] = []
        while len(rows) < work.count:
            rows += self._next_rows(work, len(rows), min(len(rows) + _MANY, work.count))
        values, times = self._values(work, rows), {}
        if suspicious := self._suspicious(work, values, times):
            for i in suspicious:
                rows[i] = self._careful(work, i)
            values, times = self._values(work, rows), {}
        identified = len(rows) - values[EVENT_ID].count(None) + work.refused_with_id
        return Decoded(self._batch(work, values, times), work.refusals, identified, len(work.extras))

    def _row_type(self) -> Any:
        names = {"t": TABLE_KEY, "e": EVENT_ID}
        kinds: list[tuple[str, Any, Any]] = [("t", str, ""), ("e", _EVENT_ID | None, None)]
        if self._event_id.required:
            kinds[1] = ("e", EVENT_ID_TYPE, msgspec.NODEFAULT)
        for column in self._columns:
            name = self._fields[column.name]
            if column.header is None:
                names[name] = column.name
                default = msgspec.NODEFAULT if column.required else None
                kinds.append((name, _type(column), default))
        return msgspec.defstruct(
            "Row", kinds, rename=names, kw_only=True, forbid_unknown_fields=True, gc=False, namespace={}
        )

    def _headers(self, block: Block) -> list[dict[str, str]]:
        if not self._from_headers:
            return []
        content = block.headers.replace(_NUL, b"\\ufffd")
        found = msgspec.json.decode(b"[" + content + b"]", type=list[dict[str, str] | None])
        return [headers or {} for headers in found]

    def _next_rows(self, work: _Work, start: int, end: int) -> list[Any]:
        """Rows from `start` on, at least one: as far as the types take them, or the one that they do not."""
        content = work.block.payload(start, end, work.offsets)
        nul, place = content.find(_NUL), 0
        try:
            if nul >= 0:
                place = bisect_right(work.offsets, work.offsets[start] + nul) - 1 - start
            elif len(rows := self._many(b"[" + content + b"]")) == end - start:
                return rows
        except msgspec.DecodeError as error:
            found = _place_in_error(str(error))
            place = min(int(found[1]), end - start - 1) if found else 0
        return self._next_rows(work, start, start + place) if place else [self._alone(work, start)]

    def _alone(self, work: _Work, i: int) -> Any:
        payload = work.block.payload(i, i + 1, work.offsets)
        try:
            if _NUL not in payload:
                return self._one(payload)
        except msgspec.DecodeError:
            pass
        return self._careful(work, i)

    def _values(self, work: _Work, rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """By column; event_id among them. Of what was refused there are none."""
        sent = dict(zip(self._row.__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True))
        found: dict[str, Sequence[Any]] = {EVENT_ID: sent["e"]}
        for column in self._columns:
            if column.header_key:
                found[column.name] = [headers.get(column.header_key) for headers in work.headers]
            else:
                found[column.name] = sent[self._fields[column.name]]
        return found

    def _suspicious(self, work: _Work, values: Mapping[str, Sequence[Any]], times: dict[str, pa.Array]) -> list[int]:
        """Rows the types alone cannot judge: texts for timestamps, headers that are missing. Fills `times`."""
        found: set[int] = set()
        for column in self._columns:
            if column.type == "timestamp":
                array = timestamps.usual(values[column.name])
                if array is not None:
                    times[column.name] = array
                else:
                    found.update(timestamps.unusual(values[column.name]))
            elif column.header_key and column.required and None in values[column.name]:
                found.update(i for i, value in enumerate(values[column.name]) if value is None)
        return sorted(found - work.judged)

    def _careful(self, work: _Work, i: int) -> Any:
        """The row; of a refused event an empty one, which is left out in the end."""
        work.judged.add(i)
        try:
            event = msgspec.json.decode(work.block.payload(i, i + 1, work.offsets), type=dict[str, Any])
        except msgspec.DecodeError as error:
            work.refusals[i] = Refusal("JSON syntax", None, str(error))
            return self._nothing
        extra = {key: value for key, value in event.items() if key not in self._known}
        try:
            values = {"e": self._identity(event)}
            for column in self._columns:
                value = work.header(i, column) if column.header else event.get(column.name)
                kept = self._judged(work, i, column, value)
                if kept is None and value is not None:
                    extra[column.name] = value
                if column.header is None:
                    values[self._fields[column.name]] = kept
        except _Refused as refused:
            work.refusals[i] = refused.refusal
            work.refused_with_id += event.get(EVENT_ID) is not None
            return self._nothing
        if extra:
            work.extras[i] = _as_json(extra)
        return self._row(t="", **values)

    def _identity(self, event: Mapping[str, Any]) -> str | None:
        value = event.get(EVENT_ID)
        found = event_id_complaint(value) or complaint(self._event_id, value)
        if found:
            raise _Refused(Refusal(found.reason, EVENT_ID, found.detail))
        return value

    def _judged(self, work: _Work, i: int, column: Column, value: Any) -> Any:
        """The value for the column; None where the event was accepted before the column was asked for."""
        found = complaint(column, value)
        if found is None:
            return value
        excusing = self._excusing(column, is_omitted=value is None)
        if excusing and column.name not in self._not_null and work.version_of[i] in excusing:
            return None
        reason = "required header missing" if value is None and column.header else found.reason
        raise _Refused(Refusal(reason, column.name, found.detail))

    def _excusing(self, column: Column, is_omitted: bool) -> set[str]:
        """Schema versions that did not ask for the column, or whose events could have anything of its name."""
        if is_omitted:
            return {version for version, then in self._versions.items() if not then.get(column.name, False)}
        return {version for version, then in self._versions.items() if column.name not in then}

    def _batch(self, work: _Work, values: Mapping[str, Sequence[Any]], times: Mapping[str, pa.Array]) -> pa.RecordBatch:
        block = work.block
        arrays = [
            pa.array(block.received_at).cast(timestamps.TYPE),
            _uuids(block.request_id),
            pa.array(block.request_position.astype(np.int32)),
            pa.array(block.app_ids, pa.string()),
            pa.array(values[EVENT_ID], pa.string()),
            *(times.get(column.name) or _array(column, values[column.name]) for column in self._columns),
            work.extra(),
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        if not work.refusals:
            return batch
        is_kept = np.ones(work.count, dtype=np.bool_)
        is_kept[list(work.refusals)] = False
        return batch.filter(pa.array(is_kept))


@dataclass
class _Work:
    """One block on its way."""

    block: Block
    version_of: Versions
    headers: list[dict[str, str]]
    refusals: dict[int, Refusal] = field(default_factory=dict)
    extras: dict[int, str] = field(default_factory=dict)
    judged: set[int] = field(default_factory=set)  # one by one
    refused_with_id: int = 0
    offsets: list[int] = field(init=False)  # of each event in the payloads, and of the end

    def __post_init__(self) -> None:
        self.offsets = [0, *np.cumsum(self.block.payload_bytes + 1).tolist()]

    @property
    def count(self) -> int:
        return len(self.offsets) - 1

    def extra(self) -> pa.Array:
        if not self.extras:
            return pa.nulls(self.count, pa.string())
        return pa.array([self.extras.get(i) for i in range(self.count)], pa.string())

    def header(self, i: int, column: Column) -> str | None:
        assert column.header_key is not None, "asked for columns from headers only"
        return self.headers[i].get(column.header_key)


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _type(column: Column) -> Any:
    if column.type != "timestamp":
        return column_type(column)
    return _TIMESTAMP if column.required else _TIMESTAMP | None


def _as_json(extra: Mapping[str, Any]) -> str:
    text = msgspec.json.encode(extra)
    return (msgspec.json.encode(_without_nul(extra)) if _NUL in text else text).decode()


def _without_nul(value: Any) -> Any:
    """With U+FFFD in the place of U+0000, which jsonb has no room for."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list) else value


def _uuids(values: np.ndarray) -> pa.Array:
    content = np.ascontiguousarray(values).tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(content)])


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema(
        [
            ("received_at", timestamps.TYPE),
            ("request_id", pa.binary(16)),
            ("request_position", pa.int32()),
            ("app_id", pa.string()),
            (EVENT_ID, pa.string()),
            *((c.name, _ARROW_TYPES.get(c.type, timestamps.TYPE)) for c in columns),
            ("extra", pa.string()),
        ]
    )


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    if column.type == "timestamp":
        return timestamps.timestamps(values)
    return pa.array(values, _ARROW_TYPES[column.type])
