"""The statements of schema evolution, as text that can be shown before it is run. Pure; every name is quoted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stats_assets.events.catalog import SCHEMA, NotNullCheck
from stats_assets.events.schema_file import ColumnType, Table
from stats_assets.shared.identifiers import fitted, quoted

Statements = tuple[str, ...]

COLUMN_TYPES: Mapping[ColumnType, str] = {
    "bool": "boolean",
    "i32": "integer",
    "i64": "bigint",
    "f32": "real",
    "f64": "double precision",
    "string": "text",
    "timestamp": "timestamp with time zone",
}
# What every typed table has: type, and whether it is never NULL. `extra` comes last, behind the declared columns.
HOUSE_TYPES: Mapping[str, tuple[str, bool]] = {
    "received_at": ("timestamp with time zone", True),
    "request_id": ("uuid", True),
    "request_position": ("integer", True),
    "app_id": ("text", True),
    "event_id": ("text", False),
    "extra": ("jsonb", False),
}


def create_table(name: str, table: Table, names_taken: Collection[str]) -> Statements:
    """The table without table partitions, and its indexes."""
    declared = {c.name: (COLUMN_TYPES[c.type], c.required) for c in table.columns}
    house = {column: kind for column, kind in HOUSE_TYPES.items() if column != "extra"}
    columns = house | declared | {"extra": HOUSE_TYPES["extra"]}
    lines = ", ".join(f"{quoted(n)} {kind}{' NOT NULL' if needed else ''}" for n, (kind, needed) in columns.items())
    taken = set(names_taken)
    statements = [f"CREATE TABLE {_table(name)} ({lines}) PARTITION BY RANGE (received_at)"]
    for column in table.columns:
        if column.indexed:
            index = index_name(name, column.name, taken)
            taken.add(index)
            statements.append(f"CREATE INDEX {quoted(index)} ON {_table(name)} ({quoted(column.name)})")
    return tuple(statements)


def add_column(table: str, column: str, kind: str) -> Statements:
    return (f"ALTER TABLE {_table(table)} ADD COLUMN {quoted(column)} {kind}",)


def drop_column(table: str, column: str) -> Statements:
    return (f"ALTER TABLE {_table(table)} DROP COLUMN {quoted(column)}",)


def change_type(table: str, column: str, kind: str) -> Statements:
    return (f"ALTER TABLE {_table(table)} ALTER COLUMN {quoted(column)} TYPE {kind} USING {quoted(column)}::{kind}",)


def drop_not_null(table: str, column: str) -> Statements:
    return (f"ALTER TABLE {_table(table)} ALTER COLUMN {quoted(column)} DROP NOT NULL",)


def drop_check(table: str, check: str) -> Statements:
    return (f"ALTER TABLE {_table(table)} DROP CONSTRAINT {quoted(check)}",)


def set_not_null(table: str, column: str, check: NotNullCheck | None) -> tuple[Statements, ...]:
    """Three transactions, or what is left of them: only the second looks at rows, and lets others come in meanwhile.

    A validated CHECK spares SET NOT NULL its own look under ACCESS EXCLUSIVE.
    """
    name = quoted(check.name if check else check_name(table, column))
    alter = f"ALTER TABLE {_table(table)}"
    add = (f"{alter} ADD CONSTRAINT {name} CHECK ({quoted(column)} IS NOT NULL) NOT VALID",)
    validate = (f"{alter} VALIDATE CONSTRAINT {name}",)
    exchange = (f"{alter} ALTER COLUMN {quoted(column)} SET NOT NULL", f"{alter} DROP CONSTRAINT {name}")
    if check is None:
        return add, validate, exchange
    return (exchange,) if check.is_validated else (validate, exchange)


def check_name(table: str, column: str) -> str:
    """Tells the CHECKs of this room from an operator's."""
    return fitted(f"{table}_{column}", "_present", SCHEMA)


def index_name(table: str, column: str, names_taken: Collection[str]) -> str:
    name, number = fitted(f"{table}_{column}", "_idx", SCHEMA), 1
    while name in names_taken:
        number += 1
        name = fitted(f"{table}_{column}", f"_idx{number}", SCHEMA)
    return name


def index_on_table_alone(table: str, column: str, name: str) -> Statements:
    """Not usable before each table partition has one that is attached; new table partitions get theirs at once."""
    return (f"CREATE INDEX {quoted(name)} ON ONLY {_table(table)} ({quoted(column)})",)


def index_concurrently(leaf: str, column: str, name: str) -> Statements:
    return (f"CREATE INDEX CONCURRENTLY {quoted(name)} ON {_table(leaf)} ({quoted(column)})",)


def drop_index(name: str) -> Statements:
    """What a CREATE INDEX CONCURRENTLY has left that was broken off."""
    return (f"DROP INDEX CONCURRENTLY {_table(name)}",)


def attach_index(index: str, leaf_index: str) -> Statements:
    return (f"ALTER INDEX {_table(index)} ATTACH PARTITION {_table(leaf_index)}",)


def out_of_the_way(table: str, kind: str) -> Statements:
    what = {"v": "VIEW", "m": "MATERIALIZED VIEW", "S": "SEQUENCE", "i": "INDEX"}.get(kind, "TABLE")
    return (f"ALTER {what} {_table(table)} RENAME TO {quoted(fitted(table, '_before', SCHEMA))}",)


def _table(name: str) -> str:
    return quoted(SCHEMA, name)
