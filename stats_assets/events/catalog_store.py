"""Reads the catalog of the typed tables, one short statement after the other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from psycopg2 import sql

from stats_assets.events import catalog_sql, ddl
from stats_assets.events.catalog import (
    SCHEMA,
    Catalog,
    DatabaseColumn,
    DatabaseIndex,
    DatabaseLeaf,
    DatabaseTable,
    NotNullCheck,
)
from stats_assets.events.schema_file import EventSchema, Table
from stats_assets.shared.postgres import Cursor, one_row


def read_catalog(cursor: Cursor, tables: Mapping[str, Table]) -> Catalog:
    """What there is now of the tables of a schema file."""
    cursor.execute(catalog_sql.TABLES, {"names": list(tables)})
    found = {name: _table(cursor, row, tables[name]) for row in cursor.fetchall() if (name := row[1])}
    cursor.execute(catalog_sql.NAMES_TAKEN)
    return Catalog(found, frozenset(name for (name,) in cursor.fetchall()))


def _table(cursor: Cursor, row: Sequence, declared: Table) -> DatabaseTable:
    oid, name, kind, key = row
    indexes = _indexes(cursor, oid)
    leaves = _rows(cursor, catalog_sql.LEAVES, oid)
    required = {column.name for column in declared.columns if column.required}
    checks = [NotNullCheck(*row) for row in _rows(cursor, catalog_sql.CHECKS, oid)]
    return DatabaseTable(
        name,
        kind,
        tuple(key),
        tuple(_column(cursor, name, row, required) for row in _rows(cursor, catalog_sql.COLUMNS, oid)),
        tuple(indexes.get(name, ())),
        tuple(check for check in checks if check.name == ddl.check_name(name, check.column)),
        tuple(DatabaseLeaf(leaf, tuple(indexes.get(leaf, ()))) for (leaf,) in leaves),
    )


def _rows(cursor: Cursor, statement: str, oid: int) -> list[tuple]:
    cursor.execute(statement, {"oid": oid})
    return cursor.fetchall()


def _indexes(cursor: Cursor, oid: int) -> Mapping[str, list[DatabaseIndex]]:
    found: dict[str, list[DatabaseIndex]] = defaultdict(list)
    for table, *index in _rows(cursor, catalog_sql.INDEXES, oid):
        found[table].append(DatabaseIndex(*index))
    return found


def _column(cursor: Cursor, table: str, row: Sequence, required: Iterable[str]) -> DatabaseColumn:
    name, kind, is_not_null, has_default = row
    has_nulls = False
    if name in required and not is_not_null:
        names = {"table": sql.Identifier(SCHEMA, table), "column": sql.Identifier(name)}
        cursor.execute(sql.SQL(catalog_sql.HAS_NULLS).format(**names))
        (has_nulls,) = one_row(cursor)
    return DatabaseColumn(name, kind, is_not_null, has_default, has_nulls)


def keep_version(cursor: Cursor, schema: EventSchema, statements: Sequence[str], is_settled: bool) -> None:
    """Keeps the version, what it took so far, and when the tables had followed it."""
    values = {"version": schema.version, "document": schema.document, "statements": list(statements)}
    cursor.execute(catalog_sql.KEEP_VERSION, {**values, "is_settled": is_settled})


def read_versions(cursor: Cursor) -> dict[str, dict[str, dict[str, bool]]]:
    """By version and table: the columns, and whether each was required."""
    cursor.execute(catalog_sql.VERSIONS)
    return {version: _columns(document) for version, document in cursor.fetchall()}


def _columns(document: object) -> dict[str, dict[str, bool]]:
    content = json.loads(document) if isinstance(document, str) else document
    assert isinstance(content, dict), "documents are objects"
    return {name: {c["name"]: c["required"] for c in columns} for name, columns in content["tables"].items()}


def is_applied(cursor: Cursor, schema: EventSchema) -> bool:
    """Whether the tables have followed this version before."""
    cursor.execute(catalog_sql.IS_APPLIED, {"version": schema.version})
    return one_row(cursor) == (True,)
