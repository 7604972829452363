"""Rows of numpy or Arrow columns into a table by binary COPY.

A row of fixed-width columns is a fixed number of bytes in PostgreSQL's binary COPY format (a 16-bit field
count, then a 32-bit length and the big-endian value per field), so a numpy record array *is* the stream:
no Python object per row, no library in between. Text columns go by `copy_text` in the text format; rows of
every kind, many of them, as an Arrow batch by `arrow_stream` and `copy_stream`.
Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

if TYPE_CHECKING:
    import pyarrow as pa

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # magic, no flags, no header extension
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_SECONDS = 946_684_800  # 2000-01-01T00:00:00Z, where timestamptz counts from


def timestamptz(unix_seconds: np.ndarray) -> np.ndarray:
    """Unix seconds as the microseconds since 2000-01-01 that a binary timestamptz holds."""
    return (unix_seconds.astype(np.int64) - _POSTGRES_EPOCH_SECONDS) * 1_000_000


def binary_rows(columns: Mapping[str, np.ndarray]) -> bytes:
    """The rows in COPY's binary format, without signature and trailer.

    Columns are equally long integer arrays; int16, int32 and int64 become smallint, integer and bigint.
    """
    layout = [("fields", ">i2")]
    for name, values in columns.items():
        layout += [(f"{name}.length", ">i4"), (name, f">i{values.dtype.itemsize}")]
    rows = np.empty(len(next(iter(columns.values()))), dtype=layout)
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name}.length"] = values.dtype.itemsize
        rows[name] = values
    return rows.tobytes()


def copy_binary(cursor: Cursor, table: Sequence[str], columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Streams blocks of `binary_rows` into `table` (schema, name) through one COPY."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    cursor.copy_expert(statement, _Stream(_framed(blocks)), size=1 << 20)


def copy_text(cursor: Cursor, table: Sequence[str], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Streams Python rows into `table` (schema, name) through one COPY in CSV format; None becomes NULL."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    cursor.copy_expert(statement, _Stream(_csv_line(row).encode() for row in rows), size=1 << 20)


def _csv_line(row: Sequence[object]) -> str:
    return ",".join("" if v is None else '"' + str(v).replace('"', '""') + '"' for v in row) + "\n"


def _framed(blocks: Iterable[bytes]) -> Iterable[bytes]:
    yield _SIGNATURE
    yield from blocks
    yield _TRAILER


class _Stream(io.RawIOBase):
    """What psycopg2 reads from: an iterator of byte blocks, handed out in the sizes it asks for."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")
        self.failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:  # psycopg2 calls read() only, always with a size
        while not self._rest:
            try:
                block = next(self._blocks, None)
            except Exception as error:
                self.failure = error
                raise
            if block is None:
                return b""
            self._rest = memoryview(block)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


def arrow_stream(batch: pa.RecordBatch, jsonb: Collection[str] = ()) -> bytes:
    """The rows as a whole binary COPY stream, signature and trailer included; takes text, NULL and fractions.

    For `copy_stream`. Column types decide the bytes: int32 is integer, string is text or an enum's label. Texts in the
    columns of `jsonb` are JSON.
    """
    return b"".join(arrow_blocks(batch.schema, [batch], jsonb))


def arrow_blocks(schema: pa.Schema, batches: Iterable[pa.RecordBatch], jsonb: Collection[str] = ()) -> Iterator[bytes]:
    """As `arrow_stream`, of many batches in the blocks of one stream, each made when it is asked for."""
    # Imported here: rooms with rows of fixed width need neither library.
    from pgpq import ArrowToPostgresBinaryEncoder
    from pgpq.encoders import StringEncoderBuilder
    from pgpq.schema import Jsonb

    encoders = {f.name: ArrowToPostgresBinaryEncoder.infer_encoder(f) for f in schema if f.name not in jsonb}
    odd = {f.name: StringEncoderBuilder.new_with_output(f, Jsonb()) for f in schema if f.name in jsonb}
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, encoders | odd)
    yield encoder.write_header()
    for batch in batches:
        yield encoder.write_batch(batch)
    yield encoder.finish()


def copy_stream(cursor: Cursor, table: Sequence[str], columns: Sequence[str], stream: bytes | Iterable[bytes]) -> None:
    """Sends an `arrow_stream`, whole or in blocks, into `table` (schema, name) through one COPY.

    What making a block raises is raised here, and the transaction is of no more use.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    blocks = _Stream([stream] if isinstance(stream, bytes) else stream)
    try:
        cursor.copy_expert(statement, blocks, size=1 << 20)
    except psycopg2.Error:
        if blocks.failure is not None:
            raise blocks.failure from None  # psycopg2 tells of it as of a COPY that was given up
        raise
