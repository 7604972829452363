"""Raw events of one table as columns of its typed rows, a block at a time; and which of them are of no use. Pure.

Most events go the short way: many at once, without being told a type, and each column is looked at as a whole. One that
has a value or a key too odd for that goes the careful way (`careful_decoding`), alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from stats_assets.events import timestamps
from stats_assets.events.block import Block
from stats_assets.events.careful_decoding import NUL, CarefulDecoder
from stats_assets.events.column_arrays import ARROW_TYPES, array, array_of_judged, of_another_type, refused
from stats_assets.events.evolution import declared_columns
from stats_assets.events.schema_file import EVENT_ID, Column, Table
from stats_assets.events.verdict import TABLE_KEY, Refusal

# Read at once: as objects they stay in the processor's cache until their values are in the columns. And an event that
# has unknown keys costs those before it a second time.
_MANY = 50

# Where msgspec says what is wrong: `$[17].score`, behind all that it quotes.
_place_in_error = re.compile(r".* - at `\$\[(\d+)\]", re.DOTALL).match


class Versions(Protocol):
    """The schema version an event was accepted by, by its place in the block."""

    def __getitem__(self, place: int, /) -> str: ...


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

    def __init__(self, name: str, table: Table, not_null: Set[str], versions: Mapping[str, Mapping[str, bool]]) -> None:
        """`versions`: by schema version the columns the table had then, and whether each was required."""
        declared = declared_columns(table)
        event_id = table.by_name.get(EVENT_ID, Column(name=EVENT_ID))
        sent = [event_id, *(column for column in declared if column.header is None)]
        self._from_headers = [column for column in declared if column.header_key]
        self._columns = [*sent, *self._from_headers]  # event_id is the first
        self._many = msgspec.json.Decoder(list[_row_type(name, sent)]).decode
        self._careful = CarefulDecoder(self._columns, not_null, versions)
        self._schema = _schema(declared)

    @property
    def schema(self) -> pa.Schema:
        """Of `Decoded.rows`."""
        return self._schema

    def decode(self, block: Block, version_of: Versions) -> Decoded:
        """`version_of` is asked for few events."""
        work = _Work(block, version_of, self._headers(block), [[] for _ in self._columns])
        self._read(work)
        arrays = {c.name: self._array(work, c, v) for c, v in zip(self._columns, work.values, strict=True)}
        identified = block.count - work.values[0].count(None) + work.refused_with_id
        return Decoded(self._batch(work, arrays), work.refusals, identified, len(work.extras))

    def _read(self, work: _Work) -> None:
        """Every event's values by column. What cannot be read with the others is judged alone, in its place."""
        sent = work.values[: len(self._columns) - len(self._from_headers)]
        for column, values in zip(self._from_headers, work.values[len(sent) :], strict=True):
            values += [headers.get(column.header_key or "") for headers in work.headers]
        at, alone = 0, []
        while at < work.block.count:
            rows = self._rows(work.block, at, min(at + _MANY, work.block.count))
            if not rows:
                alone.append(at)
            values = zip(*map(astuple, rows), strict=True) if rows else [(None,)] * len(sent)
            for column, more in zip(sent, values, strict=True):
                column += more
            at += len(rows) or 1
        self._judge(work, alone)

    def _rows(self, block: Block, start: int, end: int) -> Sequence[msgspec.Struct]:
        """Rows from `start` on, as far as they can be read together; none when already the first one cannot."""
        content = block.payload(start, end)
        readable_until = start
        if b"\\" in content and (nul := content.find(NUL)) >= 0:
            readable_until = block.place_of(block.offsets[start] + nul)
        else:
            try:
                if len(rows := self._many(b"[%b]" % content)) == end - start:
                    return rows
            except msgspec.DecodeError as error:
                found = _place_in_error(str(error))
                readable_until = min(start + int(found[1]), end - 1) if found else start
        return self._rows(block, start, readable_until) if readable_until > start else []

    def _array(self, work: _Work, column: Column, values: Sequence[Any]) -> pa.Array:
        found = array(column, values)
        for find in (of_another_type, refused):
            if found is None:
                self._judge(work, find(column, values))
                found = array(column, values)
        if found is None:
            found = array_of_judged(column, values)
        if column.required and found.null_count:
            self._judge(work, (i for i, value in enumerate(values) if value is None))
        return found

    def _headers(self, block: Block) -> list[dict[str, str]]:
        if not self._from_headers:
            return []
        content = block.headers.replace(NUL, b"\\ufffd")
        found = msgspec.json.decode(b"[%b]" % content, type=list[dict[str, str] | None])
        return [headers or {} for headers in found]

    def _judge(self, work: _Work, places: Iterable[int]) -> None:
        for i in places:
            if i not in work.judged:
                work.judged.add(i)
                self._judge_one(work, i)

    def _judge_one(self, work: _Work, i: int) -> None:
        """Sets the values of an event, by itself; of a refused one to None, and it is left out in the end."""
        headers = work.headers[i] if work.headers else {}
        row = self._careful.decode(work.block.payload(i, i + 1), headers, lambda: work.version_of[i])
        for values, value in zip(work.values, row.values, strict=True):
            values[i] = value
        if row.refusal:
            work.refusals[i] = row.refusal
            work.refused_with_id += row.has_event_id
        elif row.extra:
            work.extras[i] = row.extra

    def _batch(self, work: _Work, arrays: Mapping[str, pa.Array]) -> pa.RecordBatch:
        block = work.block
        house = {
            "received_at": pa.array(block.received_at).cast(timestamps.TYPE),
            "request_id": _uuids(block.request_id),
            "request_position": pa.array(block.request_position.astype(np.int32)),
            "app_id": pa.array(block.app_ids, pa.string()),
            "extra": work.extra(),
        }
        columns = house | dict(arrays)
        batch = pa.RecordBatch.from_arrays([columns[name] for name in self._schema.names], schema=self._schema)
        if not work.refusals:
            return batch
        is_kept = np.ones(block.count, dtype=np.bool_)
        is_kept[list(work.refusals)] = False
        return batch.filter(pa.array(is_kept))


@dataclass
class _Work:
    """One block on its way. `values` are of all its events, by column."""

    block: Block
    version_of: Versions
    headers: list[dict[str, str]]
    values: list[list[Any]]
    refusals: dict[int, Refusal] = field(default_factory=dict)
    extras: dict[int, str] = field(default_factory=dict)
    judged: set[int] = field(default_factory=set)  # one by one
    refused_with_id: int = 0

    def extra(self) -> pa.Array:
        if not self.extras:
            return pa.nulls(self.block.count, pa.string())
        return pa.array([self.extras.get(i) for i in range(self.block.count)], pa.string())


def _row_type(name: str, sent: Sequence[Column]) -> Any:
    """An event with the keys of these columns, whatever their values, and no others."""
    fields = {f"c{i}": column.name for i, column in enumerate(sent)}
    kinds = [(field_name, Any, None) for field_name in fields]
    return msgspec.defstruct(
        "Row", kinds, rename=fields, tag=name, tag_field=TABLE_KEY, forbid_unknown_fields=True, gc=False
    )


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
