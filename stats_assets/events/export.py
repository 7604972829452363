"""The room's tables as sorted CSV files: `./stats export events DIR`. Each typed table, the quarantine, the counts.

A row is named by app_id, received_at, request_id and request_position, and files are sorted by them, texts by bytes.
Payloads in the quarantine are the text that was sent. Lines end in LF; an empty field is NULL, an empty text is quoted.
"""

from __future__ import annotations

from pathlib import Path

from psycopg2 import sql

from stats_assets.events import export_sql
from stats_assets.events.catalog import SCHEMA
from stats_assets.events.ddl import HOUSE_TYPES
from stats_assets.shared.postgres import Cursor, StatsDatabase, plan_for_bulk


def export(database: StatsDatabase, folder: Path) -> list[Path]:
    """Writes the files into `folder` (made if absent), each in place of an older one; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    with database.transaction() as cursor:
        cursor.execute(export_sql.SNAPSHOT)
        plan_for_bulk(cursor)
        selects = {name: _typed(cursor, name) for name in _typed_tables(cursor)}
        selects |= {name: sql.SQL(select) for name, select in export_sql.FILES.items()}
        return [_written(cursor, folder, name, select) for name, select in selects.items()]


def _typed_tables(cursor: Cursor) -> list[str]:
    """Those of the database: a table that has left the schema file is still there."""
    cursor.execute(export_sql.TYPED_TABLES)
    return [name for (name,) in cursor.fetchall()]


def _typed(cursor: Cursor, name: str) -> sql.Composed:
    """House columns first, `extra` last, whatever was added when."""
    cursor.execute(export_sql.COLUMNS, {"name": name})
    declared = [column for (column,) in cursor.fetchall() if column not in HOUSE_TYPES]
    house = [column for column in HOUSE_TYPES if column != "extra"]
    columns = sql.SQL(", ").join(map(sql.Identifier, (*house, *declared, "extra")))
    return sql.SQL(export_sql.TYPED).format(columns=columns, table=sql.Identifier(SCHEMA, name))


def _written(cursor: Cursor, folder: Path, name: str, select: sql.Composable) -> Path:
    part = folder / f"{name}.csv.part"
    with part.open("wb") as file:
        cursor.copy_expert(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(select), file)
    return part.replace(folder / f"{name}.csv")
