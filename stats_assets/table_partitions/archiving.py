"""A table's rows into a verified file of the archive, and whether table and file still agree.

An archive counts only when its row and its manifest are written, and these are written only after the file was read
back: its fingerprint, computed here from the file, has to be the one PostgreSQL computed from the table.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake, first_line
from stats_assets.shared.fingerprint import Column, Fingerprint, fingerprint_query
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row
from stats_assets.table_partitions import sql, store
from stats_assets.table_partitions.manifest import Manifest, archive_name, file_name, manifest_from_json
from stats_assets.table_partitions.parquet_copy import HashingFile, fingerprint_of_file, sha256_of, write_rows
from stats_assets.table_partitions.steps import Step

# One snapshot for fingerprint and rows; and texts that do not depend on how a role or database is set up.
_ONE_SNAPSHOT = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'; SET LOCAL xmlbinary = 'base64'
"""
TEXT_SETTINGS = _ONE_SNAPSHOT.strip().split("\n", 1)[1]


def archive_table(
    database: StatsDatabase, archive: Archive, step: Step, key: str, set_up: str, boundary: Callable[[str], None]
) -> Manifest:
    """Writes, reads back, compares, and enters the archive. Raises OurMistake when file and table do not agree."""
    try:
        return _archived(database, archive, step, key, set_up, boundary)
    except (OSError, ValueError, psycopg2.DataError) as error:  # Arrow's errors are ValueErrors
        raise OurMistake(
            f"{step.table} {step.partition}: cannot be archived ({first_line(error)}); its rows stay where they are"
        ) from error


def _archived(
    database: StatsDatabase, archive: Archive, step: Step, key: str, set_up: str, boundary: Callable[[str], None]
) -> Manifest:
    table = quoted(step.schema, step.partition)
    with database.transaction() as cursor:
        cursor.execute(f"{_ONE_SNAPSHOT}; {set_up}")
        columns = columns_of(cursor, step.oid or 0)
        content = fingerprint_in(cursor, columns, table)
        name = archive_name(step.table, step.name_below_parent or step.partition, content)
        with archive.replacing(file_name(name)) as raw:
            file = HashingFile(raw)
            write_rows(cursor, table, columns, file)
            boundary("file half-written")
    boundary("file written")
    manifest = Manifest(
        name=name,
        table=step.table,
        partition=step.name_below_parent or step.partition,
        key=key,
        lower=step.lower,
        upper=step.upper,
        rows=content.rows,
        fingerprint=str(content),
        sha256=file.sha256,
        file_bytes=file.bytes,
        table_bytes=step.bytes,
        file=file_name(name),
        columns=columns,
    )
    _read_back(archive, manifest)
    boundary("file verified")
    with archive.replacing(manifest.manifest_file) as raw:
        raw.write(manifest.as_json())
    boundary("manifest written")
    with database.transaction() as cursor:
        store.keep_archive(cursor, manifest, step.oid or 0)
    return manifest


def columns_of(cursor: Cursor, oid: int) -> tuple[Column, ...]:
    """The columns of a table; domains, enumerations and the like are archived as their text."""
    cursor.execute(sql.COLUMNS, {"oid": oid})
    return tuple(
        Column(name, type_, base if kind == "b" else "text", is_generated)
        for name, type_, base, kind, is_generated in cursor.fetchall()
    )


def fingerprint_in(cursor: Cursor, columns: tuple[Column, ...], table: str) -> Fingerprint:
    """Of a table, by PostgreSQL."""
    cursor.execute(fingerprint_query(columns, table))
    rows, total = one_row(cursor)
    return Fingerprint(rows, int(total))


def table_fingerprint(cursor: Cursor, step: Step) -> Fingerprint:
    """Of the table a step is about, as its archive's would be."""
    cursor.execute(TEXT_SETTINGS)
    return fingerprint_in(cursor, columns_of(cursor, step.oid or 0), quoted(step.schema, step.partition))


def file_problem(archive: Archive, manifest: Manifest) -> str | None:
    """What is wrong with an archived file; None when it holds exactly what the manifest says."""
    try:
        with closing(archive.open_read(manifest.file)) as file:
            digest = sha256_of(file)
        with closing(archive.open_read(manifest.file)) as file:
            found = str(fingerprint_of_file(file, manifest.columns))
    except FileNotFoundError:
        return "the file is gone"
    except (OSError, ValueError, KeyError) as error:
        return f"the file does not read: {first_line(error)}"
    if (found, digest) == (manifest.fingerprint, manifest.sha256):
        return None
    return (
        f"the file's fingerprint is {found} and its sha256 {digest},"
        f" the manifest says {manifest.fingerprint} and {manifest.sha256}"
    )


def verified(database: StatsDatabase, archive: Archive, name: str) -> tuple[store.ArchiveRow | None, str | None]:
    """Reads an archived file and its manifest again; gives its row and what is wrong, and notes that."""
    with database.transaction() as cursor:
        found = store.archives(cursor, name)
    if not found:
        return None, "table_partitions.archives does not know it"
    (row,) = found
    try:
        with closing(archive.open_read(row.manifest_file)) as file:
            manifest = manifest_from_json(file.read())
        problem = file_problem(archive, manifest)
        if problem is None and (manifest.fingerprint, manifest.sha256) != (row.fingerprint, row.sha256):
            problem = "its manifest is not the one that was entered"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"its manifest does not read: {error}"
    with database.transaction() as cursor:
        store.judge_archive(cursor, name, problem)
        (row,) = store.archives(cursor, name)
    return row, problem


def is_unchanged(archive: Archive, row: store.ArchiveRow) -> bool:
    """Whether the file is, byte for byte, the one that was verified."""
    try:
        with closing(archive.open_read(row.file)) as file:
            return sha256_of(file) == row.sha256
    except OSError:
        return False


def _read_back(archive: Archive, manifest: Manifest) -> None:
    problem = file_problem(archive, manifest)
    if problem is not None:
        archive.remove(manifest.file)
        raise OurMistake(
            f"{manifest.table} {manifest.partition}: the archived file is not what the table holds"
            f" (the table's fingerprint is {manifest.fingerprint}; {problem}); the file was removed, the rows stay"
            " where they are; look at the disk of the archive"
        )
