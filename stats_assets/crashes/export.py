"""The room's tables as CSV files with natural keys, sorted: `./stats export crashes DIR`. Which: `export_sql.FILES`.

Lines end in LF, fields are quoted only where they must be. No file holds an e-mail address, a comment or a URL;
`domain` and `exploitability` of reports_clean.csv are derived from private fields, so keep that file to yourself.
"""

# ruff: noqa: S608 - statements are put together from constants of export_sql only

from __future__ import annotations

from pathlib import Path

from stats_assets.crashes.export_sql import FILES
from stats_assets.shared.postgres import Cursor, StatsDatabase, plan_for_bulk


def export(database: StatsDatabase, folder: Path) -> list[Path]:
    """Writes the files into `folder` (made if absent), each in place of an older one; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with database.transaction() as cursor:
        plan_for_bulk(cursor)
        for name, select in FILES.items():
            part = folder / f"{name}.part"
            with part.open("wb") as file:
                cursor.copy_expert(_copy(cursor, select), file)
            written.append(part.replace(folder / name))
    return written


def _copy(cursor: Cursor, select: str) -> str:
    """The statement's rows, sorted by all its columns from the left."""
    cursor.execute(f"SELECT * FROM ({select}) AS described LIMIT 0")
    order = ", ".join(str(n + 1) for n in range(len(cursor.description or ())))
    return f"COPY (SELECT * FROM ({select}) AS rows ORDER BY {order}) TO STDOUT (FORMAT csv, HEADER)"
