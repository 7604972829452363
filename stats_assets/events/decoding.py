"""Raw events of one table as columns of its typed rows, a block at a time; and which of them are of no use. Pure.

Most events go the short way: many at once, without being told a type, and each column is looked at as a whole. One that
has a value or a key too odd for that is judged alone, which says what is wrong, and which keeps values that no column
takes for `extra`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from stats_assets.events import timestamps
from stats_assets.events.column_arrays import ARROW_TYPES, array, array_of_judged, of_another_type, refused
from stats_assets.events.evolution import declared_columns
from stats_assets.events.schema_file import EVENT_ID, Column, Table
from stats_assets.events.values import complaint, event_id_complaint
from stats_assets.events.verdict import TABLE_KEY, Refusal

# Read at once. An event that has unknown keys costs those before it a second time, so that more are not better.
_MANY = 50
_NUL = b"\\u0000"  # how JSON writes what PostgreSQL's texts cannot hold

_anything = msgspec.json.Decoder(dict[str, Any]).decode
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
        self._from_headers = [column for column in self._columns if column.header_key]
        event_id = table.by_name.get(EVENT_ID, Column(name=EVENT_ID))
        self._sent = [event_id, *(column for column in self._columns if column.header is None)]
        self._not_null = not_null
        self._versions = versions
        self._known = {column.name for column in self._sent} | {TABLE_KEY}
        self._schema = _schema(self._columns)
        row = _row_type(self._sent)
        self._many = msgspec.json.Decoder(list[row]).decode
        self._nothing = row()

    @property
    def schema(self) -> pa.Schema:
        """Of `Decoded.rows`."""
        return self._schema

    def decode(self, block: Block, version_of: Versions) -> Decoded:
        """`version_of` is asked for few events."""
        work = _Work(block, version_of, self._headers(block))
        self._read(work)
        arrays = {column.name: self._array(work, column) for column in (*self._sent, *self._from_headers)}
        identified = work.count - work.values[EVENT_ID].count(None) + work.refused_with_id
        return Decoded(self._batch(work, arrays), work.refusals, identified, len(work.extras))

    def _read(self, work: _Work) -> None:
        """Every event's values by column. What cannot be read with the others is judged alone, in their place."""
        rows: list[Any] = []
        alone: list[int] = []
        while len(rows) < work.count:
            found = self._next_rows(work, len(rows), min(len(rows) + _MANY, work.count))
            if not found:
                alone.append(len(rows))
            rows += found or [self._nothing]
        columns = zip(*map(astuple, rows), strict=True)
        work.values = {column.name: list(values) for column, values in zip(self._sent, columns, strict=False)}
        for column in self._from_headers:
            work.values[column.name] = [headers.get(column.header_key or "") for headers in work.headers]
        self._judge(work, *alone)

    def _array(self, work: _Work, column: Column) -> pa.Array:
        values = work.values[column.name]
        if column.required and None in values:
            self._judge(work, *(i for i, value in enumerate(values) if value is None))
        for find in (of_another_type, refused):
            if (found := array(column, values)) is not None:
                return found
            self._judge(work, *find(column, values))
        return array_of_judged(column, values)

    def _headers(self, block: Block) -> list[dict[str, str]]:
        if not self._from_headers:
            return []
        content = block.headers.replace(_NUL, b"\\ufffd")
        found = msgspec.json.decode(b"[" + content + b"]", type=list[dict[str, str] | None])
        return [headers or {} for headers in found]

    def _next_rows(self, work: _Work, start: int, end: int) -> list[Any]:
        """Rows from `start` on, as far as they can be read together; none when already the first one cannot."""
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
        return self._next_rows(work, start, start + place) if place else []

    def _judge(self, work: _Work, *places: int) -> None:
        for i in places:
            if i not in work.judged:
                work.judged.add(i)
                self._judge_one(work, i)

    def _judge_one(self, work: _Work, i: int) -> None:
        """Sets the values of an event, by itself; of a refused one to None, and it is left out in the end."""
        event: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        try:
            event = _anything(work.block.payload(i, i + 1, work.offsets))
            kept = self._kept(work, i, event)
        except msgspec.DecodeError as error:
            work.refusals[i] = Refusal("JSON syntax", None, str(error))
        except _Refused as error:
            work.refusals[i] = error.refusal
            work.refused_with_id += event.get(EVENT_ID) is not None
        for name, values in work.values.items():
            values[i] = kept.get(name)

    def _kept(self, work: _Work, i: int, event: Mapping[str, Any]) -> dict[str, Any]:
        """What goes into the columns; the rest goes into `extra`. Raises _Refused."""
        extra = {key: value for key, value in event.items() if key not in self._known}
        kept = {}
        for column in (*self._sent, *self._from_headers):
            value = work.header(i, column) if column.header else event.get(column.name)
            kept[column.name] = self._judged(work, i, column, value)
            if kept[column.name] is None and value is not None:
                extra[column.name] = value
        if extra:
            work.extras[i] = _as_json(extra)
        return kept

    def _judged(self, work: _Work, i: int, column: Column, value: Any) -> Any:
        """The value for the column; None where the event was accepted before the column was asked for."""
        found = event_id_complaint(value) if column.name == EVENT_ID else None
        found = found or complaint(column, value)
        if found is None:
            return value
        if column.name == EVENT_ID:
            raise _Refused(Refusal(found.reason, EVENT_ID, found.detail))
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

    def _batch(self, work: _Work, arrays: Mapping[str, pa.Array]) -> pa.RecordBatch:
        block = work.block
        columns = [
            pa.array(block.received_at).cast(timestamps.TYPE),
            _uuids(block.request_id),
            pa.array(block.request_position.astype(np.int32)),
            pa.array(block.app_ids, pa.string()),
            arrays[EVENT_ID],
            *(arrays[column.name] for column in self._columns),
            work.extra(),
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
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
    values: dict[str, list[Any]] = field(default_factory=dict)  # by column
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


def _row_type(sent: Sequence[Column]) -> Any:
    """An event with the keys of these columns, whatever their values, and no others."""
    fields = {f"c{i}": column.name for i, column in enumerate(sent)} | {"t": TABLE_KEY}
    kinds = [(name, Any, None) for name in fields]
    return msgspec.defstruct("Row", kinds, rename=fields, forbid_unknown_fields=True, gc=False)


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
            *((c.name, ARROW_TYPES[c.type]) for c in columns),
            ("extra", pa.string()),
        ]
    )
