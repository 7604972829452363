"""Rows from PostgreSQL into a Parquet file and back, in pieces that fit into memory.

By COPY as CSV, which tells NULL from an empty text, parsed and written by Arrow.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from stats_assets.shared.fingerprint import Column, Fingerprint, fingerprint_of
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.postgres import Cursor

if TYPE_CHECKING:
    import pyarrow as pa

# A row must fit into a block, and a block makes a row group: a thousand game logs, or half a million narrow rows.
_BLOCK_BYTES = 32 * 2**20
_ZSTD_LEVEL = 9
_BATCH_ROWS = 65_536
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days since 1970
_DAY = 86_400_000_000


class HashingFile:
    """A file that is only written to, and knows the sha256 and the size of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self._hash.update(data)
        self.bytes += len(memoryview(data))
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def write_rows(cursor: Cursor, table: str, columns: Sequence[Column], file: HashingFile) -> int:
    """Every row of the table (an SQL name) into the file; gives their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, column.arrow_type) for column in columns])
    query = f"SELECT {', '.join(column.copied for column in columns)} FROM ONLY {table}"  # noqa: S608
    rows = 0
    with pq.ParquetWriter(
        file, schema, compression="zstd", compression_level=_ZSTD_LEVEL, **_encodings(columns)
    ) as out:
        for batch in _copied(cursor, query, columns):
            out.write_batch(batch, row_group_size=max(batch.num_rows, 1))
            rows += batch.num_rows
    return rows


def read_batches(file: BinaryIO) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    yield from pq.ParquetFile(file).iter_batches(batch_size=_BATCH_ROWS)


def fingerprint_of_file(file: BinaryIO, columns: Sequence[Column]) -> Fingerprint:
    return fingerprint_of(columns, read_batches(file))


def sha256_of(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def load_rows(cursor: Cursor, table: str, columns: Sequence[Column], file: BinaryIO) -> None:
    """The rows of a file into a table that has at least these columns; generated ones make themselves."""
    import pyarrow as pa
    from pyarrow import csv

    written = [column for column in columns if not column.is_generated]
    names = ", ".join(quoted(column.name) for column in written)
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    for batch in read_batches(file):
        text = io.BytesIO()
        arrays = [_writable(column, batch.column(column.name)) for column in written]
        csv.write_csv(pa.table(arrays, [column.name for column in written]), text, options)
        text.seek(0)
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", text)


def _writable(column: Column, values: pa.Array) -> pa.Array:
    import pyarrow as pa

    if column.base == "bytea":
        return pa.array([None if value is None else f"\\x{value.hex()}" for value in values.to_pylist()], pa.string())
    return values


def _encodings(columns: Sequence[Column]) -> dict[str, Any]:
    """Times and ids mostly grow by little: their differences are stored. Other columns as Parquet thinks best."""
    growing = [c.name for c in columns if c.base in ("timestamptz", "timestamp", "date", "int4", "int8")]
    others = [column.name for column in columns if column.name not in growing]
    return {"use_dictionary": others, "column_encoding": dict.fromkeys(growing, "DELTA_BINARY_PACKED")}


def _copied(cursor: Cursor, query: str, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv

    with _copying(cursor, f"COPY ({query}) TO STDOUT (FORMAT csv)") as pipe:
        try:
            reader = csv.open_csv(
                pa.PythonFile(pipe, "r"),
                read_options=csv.ReadOptions(
                    column_names=[column.name for column in columns], block_size=_BLOCK_BYTES, use_threads=False
                ),
                parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                convert_options=csv.ConvertOptions(
                    column_types={column.name: column.copied_type for column in columns},
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["t"],
                    false_values=["f"],
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return
            raise
        for batch in reader:
            arrays = [_typed(column, batch.column(i)) for i, column in enumerate(columns)]
            yield pa.record_batch(arrays, [column.name for column in columns])


def _typed(column: Column, values: pa.Array) -> pa.Array:
    import pyarrow as pa

    if column.base == "bytea":
        return pa.array([None if text is None else bytes.fromhex(text) for text in values.to_pylist()], pa.binary())
    if column.base in ("timestamptz", "timestamp", "date"):
        _refuse_odd_years(column, values)
    return values.cast(column.arrow_type)


def _refuse_odd_years(column: Column, values: pa.Array) -> None:
    """No text that all programs read the same exists for years before 1 and after 9999."""
    from pyarrow import compute

    ends = compute.call_function("min_max", [values]).as_py()
    first, last = (_FIRST_DAY, _LAST_DAY) if column.base == "date" else (_FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1)
    if ends["min"] is not None and (ends["min"] < first or ends["max"] > last):
        raise ValueError(f"{column.name} has times outside of the years 1 to 9999, which no archived file can hold")


@contextmanager
def _copying(cursor: Cursor, statement: str) -> Iterator[BinaryIO]:
    """The output of a COPY as a file to read from, while it comes. Raises what the COPY raised."""
    reading, writing = os.pipe()
    trouble: list[BaseException] = []

    def copy() -> None:
        with os.fdopen(writing, "wb", buffering=2**20) as pipe:
            try:
                cursor.copy_expert(statement, pipe)
            except BaseException as error:
                trouble.append(error)

    thread = threading.Thread(target=copy, name="copy to parquet")
    with os.fdopen(reading, "rb") as pipe:
        thread.start()
        try:
            yield pipe
        except BaseException as error:
            pipe.close()
            thread.join()
            # What the reader says of a stream that broke off is no news beside why it did.
            if trouble and not isinstance(trouble[0], BrokenPipeError):
                raise trouble[0] from error
            raise
    thread.join()
    if trouble:
        raise trouble[0]
