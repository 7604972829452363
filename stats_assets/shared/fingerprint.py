"""A number that says whether two places hold the same rows, whatever their order.

Rows are counted, and 60 bits of the md5 of each row's canonical text are added up, so that order does not matter and
a repeated row counts twice. PostgreSQL computes it from the table, Python from the Parquet file; they share nothing
but this description: values are joined by chr(31); NULL is chr(30); times are microseconds and dates days since 1970;
floating point numbers and bytes are their bits in hex; everything else is PostgreSQL's text of it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stats_assets.shared.identifiers import quoted

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATOR, _NULL = "\x1f", "\x1e"
_INTEGERS = {"int2": "int16", "int4": "int32", "int8": "int64"}
_FLOATS = {"float4": ("float32", ">f", "float4send"), "float8": ("float64", ">d", "float8send")}


@dataclass(frozen=True)
class Fingerprint:
    """Rows and the sum over them."""

    rows: int
    total: int

    def __str__(self) -> str:
        return f"{self.rows}-{self.total:x}"


@dataclass(frozen=True)
class Column:
    """A column as it is archived: `type` as SQL writes it, `base` PostgreSQL's short name of it."""

    name: str
    type: str
    base: str
    is_generated: bool = False

    @property
    def copied(self) -> str:
        """What COPY is to write of it. Infinite times have no number: they are refused there, before anything else."""
        name = quoted(self.name)
        match self.base:
            case "timestamptz" | "timestamp":
                return f"(extract(epoch FROM {name}) * 1000000)::bigint"
            case "date":
                return f"({name} - date '1970-01-01')"
            case "bytea":
                return f"encode({name}, 'hex')"
            case base if base in _INTEGERS or base in _FLOATS or base == "bool":
                return name
        return f"{name}::text"

    @property
    def canonical(self) -> str:
        """Its canonical text, in SQL."""
        if self.base in _FLOATS:
            return f"encode({_FLOATS[self.base][2]}({quoted(self.name)}), 'hex')"
        if self.base == "bool":
            return f"CASE {quoted(self.name)} WHEN true THEN 't' WHEN false THEN 'f' END"
        return f"{self.copied}::text"

    @property
    def arrow_type(self) -> pa.DataType:
        """How the file has it."""
        import pyarrow as pa

        match self.base:
            case "timestamptz":
                return pa.timestamp("us", "UTC")
            case "timestamp":
                return pa.timestamp("us")
            case "date":
                return pa.date32()
            case "bytea":
                return pa.binary()
            case "bool":
                return pa.bool_()
        name = _INTEGERS.get(self.base) or (_FLOATS[self.base][0] if self.base in _FLOATS else "string")
        return pa.type_for_alias(name)

    @property
    def copied_type(self) -> pa.DataType:
        """How COPY's text is read first."""
        import pyarrow as pa

        match self.base:
            case "timestamptz" | "timestamp":
                return pa.int64()
            case "date":
                return pa.int32()
            case "bytea":
                return pa.string()
        return self.arrow_type

    def canonical_texts(self, values: pa.Array) -> pa.Array:
        """The canonical texts of what a file holds."""
        import pyarrow as pa
        from pyarrow import compute

        if self.base in _FLOATS:
            form = _FLOATS[self.base][1]
            return pa.array(
                [None if v is None else struct.pack(form, v).hex() for v in values.to_pylist()], pa.string()
            )
        match self.base:
            case "timestamptz" | "timestamp":
                return values.cast(pa.int64()).cast(pa.string())
            case "date":
                return values.cast(pa.int32()).cast(pa.string())
            case "bytea":
                return pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
            case "bool":
                return compute.call_function("if_else", [values, pa.scalar("t"), pa.scalar("f")])
        return values.cast(pa.string())


def fingerprint_query(columns: Sequence[Column], table: str) -> str:
    """SELECT rows and sum; `table` is an SQL name."""
    row = " || chr(31) || ".join(f"coalesce({column.canonical}, chr(30))" for column in columns)
    return (
        f"SELECT count(*), coalesce(sum(('x' || left(md5({row}), 15))::bit(60)::bigint), 0)::numeric FROM ONLY {table}"  # noqa: S608
    )


def fingerprint_of(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Fingerprint:
    """The same over the rows of a file."""
    rows, total = 0, 0
    for batch in batches:
        rows += batch.num_rows
        total += sum(int.from_bytes(_md5(text)[:8], "big") >> 4 for text in _row_texts(columns, batch))
    return Fingerprint(rows, total)


def _row_texts(columns: Sequence[Column], batch: pa.RecordBatch) -> list[str]:
    import pyarrow as pa
    from pyarrow import compute

    texts: list[Any] = [column.canonical_texts(batch.column(column.name)) for column in columns]
    options = compute.JoinOptions(null_handling="replace", null_replacement=_NULL)
    arguments = [*(text.cast(pa.large_string()) for text in texts), pa.scalar(_SEPARATOR, pa.large_string())]
    joined = compute.call_function("binary_join_element_wise", arguments, options)
    return joined.to_pylist()


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()
