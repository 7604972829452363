"""The totals as files: totals.csv as its readers know it, and the same rows as Parquet and SQLite.

Under policy compat totals.csv is, byte for byte, what the established tool writes when it counts all weeks at once;
under strict it has the columns status, coverage and revision besides, and is in the order of its columns.
"""

from __future__ import annotations

import gzip
import io
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from stats_assets.countme import published_sql as sql
from stats_assets.countme.config import Policy
from stats_assets.countme.publications import Contents, PublishedFile, Publisher, archive_name
from stats_assets.countme.weeks import FILE_OFFSETS, Covers, number_of_week
from stats_assets.shared.postgres import Cursor

TOTALS_CSV = "totals.csv"
TOTALS_CSV_GZ = "totals.csv.gz"
TOTALS_PARQUET = "totals.parquet"
# The databases of the established tool: all rows, those with countme, those that count addresses.
COUNTME_PASS, ADDRESS_PASS = 1, -1
TOTALS_DATABASES = {
    "totals.db": (COUNTME_PASS, ADDRESS_PASS),
    "totals-countme.db": (COUNTME_PASS,),
    "totals-unique.db": (ADDRESS_PASS,),
}

_ROWS_AT_ONCE = 50_000

# As the established tool makes them, names, types and all.
_MAKE_DATABASE = """
CREATE TABLE countme_totals (hits INTEGER NOT NULL, weeknum TEXT NOT NULL, os_name TEXT NOT NULL,
    os_version TEXT NOT NULL, os_variant TEXT NOT NULL, os_arch TEXT NOT NULL, sys_age TEXT NOT NULL,
    repo_tag TEXT NOT NULL, repo_arch TEXT NOT NULL);
"""
_MAKE_INDEX = "CREATE INDEX weeknum_idx ON countme_totals (weeknum)"
_ADD_ROW = """
INSERT INTO countme_totals
    (hits, weeknum, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class PublishedRows:
    """Which counts are published: of one site, by its policy."""

    site: str
    policy: Policy
    covers: Covers = "same_day"
    unfinished: bool = False
    suppress_below: int | None = None

    @property
    def suppresses(self) -> bool:
        return self.suppress_below is not None

    @property
    def parameters(self) -> dict[str, object]:
        return {
            "site": self.site,
            "unfinished": self.unfinished,
            "suppress_below": self.suppress_below,
            # compat takes what there is, as the established report does.
            "gaps": self.unfinished or self.policy == "compat",
            # How many days after a day the file is dated that holds its end.
            "file_offset": FILE_OFFSETS[self.covers][1] - FILE_OFFSETS["same_day"][1],
        }

    @property
    def settings(self) -> str:
        """What of the configuration changes the files."""
        return f"{self.policy} {self.covers} {self.unfinished} {self.suppress_below}"

    def weeks(self, cursor: Cursor) -> list[date]:
        cursor.execute(sql.PUBLISHED_WEEKS, self.parameters)
        return [week for week, *_ in cursor.fetchall()]


def publish_csv(publisher: Publisher, rows: PublishedRows) -> list[PublishedFile]:
    """totals.csv, and the same gzipped for downloads."""

    def write(path: Path) -> Contents:
        with publisher.database.transaction() as cursor, path.open("wb") as file:
            lines = CrLf(file)
            cursor.copy_expert(cursor.mogrify(sql.totals_csv(rows.policy, rows.suppresses), rows.parameters), lines)
            weeks = rows.weeks(cursor)
        return Contents(lines.lines - 1, min(weeks, default=None), max(weeks, default=None))

    plain = publisher.put(TOTALS_CSV, write)

    def compress(path: Path) -> Contents:
        name = archive_name(publisher.site, TOTALS_CSV)
        # Without a time of its own, so that equal content is an equal file.
        with (
            publisher.archive.open_read(name) as file,
            path.open("wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as target,
        ):
            shutil.copyfileobj(file, target, 1 << 20)
        return plain.contents

    return [plain, publisher.put(TOTALS_CSV_GZ, compress)]


def publish_parquet(publisher: Publisher, rows: PublishedRows) -> PublishedFile:
    """totals.parquet: the rows of totals.csv with status, coverage and revision under either policy; zstd."""

    def write(path: Path) -> Contents:
        # Imported here: every run would pay for the import.
        import pyarrow as pa
        import pyarrow.parquet as pq

        text = pa.dictionary(pa.int32(), pa.string())
        types = {"week": pa.date32(), "hits": pa.int64(), "os_name": text, "os_version": text, "os_variant": text}
        types |= {"os_arch": text, "sys_age": pa.int64(), "repo_tag": text, "repo_arch": text, "status": text}
        types |= {"coverage": pa.float64(), "revision": pa.int32()}
        schema = pa.schema(list(types.items()))
        tally = _Tally()
        with pq.ParquetWriter(path, schema, compression="zstd") as file:
            for block in _blocks(publisher, rows, (COUNTME_PASS, ADDRESS_PASS)):
                tally.add(block)
                columns = zip(*block, strict=True)
                arrays = [pa.array(column, type=kind) for column, kind in zip(columns, types.values(), strict=True)]
                file.write_batch(pa.record_batch(arrays, schema=schema))
        return tally.contents

    return publisher.put(TOTALS_PARQUET, write)


def publish_databases(publisher: Publisher, rows: PublishedRows) -> list[PublishedFile]:
    """totals.db and its two parts, with the table, types and index that readers of the established tool's know."""
    return [
        publisher.put(name, lambda path, passes=passes: _write_database(path, _blocks(publisher, rows, passes)))
        for name, passes in TOTALS_DATABASES.items()
    ]


def _write_database(path: Path, blocks: Iterator[list[tuple[Any, ...]]]) -> Contents:
    tally = _Tally()
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(_MAKE_DATABASE)
            for block in blocks:
                tally.add(block)
                connection.executemany(_ADD_ROW, map(_database_row, block))
            connection.execute(_MAKE_INDEX)
    finally:
        connection.close()
    return tally.contents


def _database_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    week, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, *_ = row
    number = str(number_of_week(week))
    return (hits, number, os_name, os_version, os_variant, os_arch, str(sys_age), repo_tag, repo_arch)


def _blocks(publisher: Publisher, rows: PublishedRows, passes: Sequence[int]) -> Iterator[list[tuple[Any, ...]]]:
    """The published rows in their order, some at a time: there are millions after some years."""
    with publisher.database.transaction() as cursor, cursor.connection.cursor("published_rows") as reader:
        reader.execute(sql.totals_rows(rows.policy, rows.suppresses), rows.parameters | {"passes": list(passes)})
        while block := reader.fetchmany(_ROWS_AT_ONCE):
            yield block


class _Tally:
    """Counts rows as they pass, and their first and last week."""

    def __init__(self) -> None:
        self.contents = Contents(0)

    def add(self, block: list[tuple[Any, ...]]) -> None:
        weeks = {row[0] for row in block}
        oldest, newest = self.contents.oldest or date.max, self.contents.newest or date.min
        self.contents = Contents(self.contents.rows + len(block), min(*weeks, oldest), max(*weeks, newest))


class CrLf(io.RawIOBase):
    """Turns COPY's LF line ends into the CRLF this file has always had. COPY hands over whole lines."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.lines = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        # A line feed inside a quoted field belongs to the field; COPY never splits a row over two calls.
        row = bytes(data)
        self.lines += 1
        self._file.write(row[:-1] + b"\r\n" if row.endswith(b"\n") else row)
        return len(data)
