"""Values of one column, many at once, as an Arrow array; and the places of those that are none of its type. Pure.

What a column takes is said in `values`; what is done here by types and by Arrow comes to the same, which a test holds.
Values are as msgspec decodes them without being told a type; that none has a NUL is seen before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stats_assets.events import timestamps
from stats_assets.events.schema_file import EVENT_ID, Column, ColumnType
from stats_assets.events.values import LARGEST_F32, LONGEST_EVENT_ID, complaints_of, json_types

ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "bool": pa.bool_(),
    "i32": pa.int32(),
    "i64": pa.int64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "string": pa.string(),
    "timestamp": timestamps.TYPE,
}
# Arrow takes 3.0 for an integer, which JSON's 3.0 is not; of all other types it takes what the column does.
_TYPES_ARE_LOOKED_AT = ("i32", "i64", "f32", "f64")
_NOT_SO = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError)


def of_another_type(column: Column, values: Sequence[Any]) -> list[int]:
    """Places of values whose JSON type the column does not take; null is of every type."""
    taken = json_types(column)
    return [i for i, value in enumerate(values) if type(value) not in taken]


def refused(column: Column, values: Sequence[Any]) -> list[int]:
    """Places of all values the column does not take, each looked at by itself."""
    complaint = complaints_of(column)
    return [i for i, value in enumerate(values) if complaint(value)]


def array(column: Column, values: Sequence[Any]) -> pa.Array | None:
    """The array; None when some value may be one that the column does not take. Nulls are let through."""
    if column.type == "timestamp":
        return timestamps.usual(values)
    if column.type in _TYPES_ARE_LOOKED_AT and not json_types(column) >= set(map(type, values)):
        return None
    try:
        if column.type == "f32":
            return _within(pa.array(values, pa.float64()), LARGEST_F32)
        found = pa.array(values, ARROW_TYPES[column.type])
    except _NOT_SO:
        return None
    if column.name == EVENT_ID and not _have_ids_lengths(found):
        return None
    return found


def array_of_judged(column: Column, values: Sequence[Any]) -> pa.Array:
    """The array of values that the column does take."""
    if column.type == "timestamp":
        return timestamps.of_judged(values)
    if column.type in ("f32", "f64"):  # of whole numbers Arrow takes only those that a float holds exactly
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, ARROW_TYPES[column.type])


def _within(doubles: pa.Array, largest: float) -> pa.Array | None:
    found = pc.call_function("min_max", [doubles]).as_py()
    if found["min"] is not None and not -largest <= found["min"] <= found["max"] <= largest:
        return None
    return doubles.cast(pa.float32())


def _have_ids_lengths(texts: pa.Array) -> bool:
    found = pc.call_function("min_max", [pc.call_function("utf8_length", [texts])]).as_py()
    return found["min"] is None or 1 <= found["min"] <= found["max"] <= LONGEST_EVENT_ID
