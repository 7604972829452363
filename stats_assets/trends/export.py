"""The room's tables as CSV files with natural keys, sorted: `./stats export trends DIR`.

The files and headers are those people exchange: one per table of logs (`log.csv` is `games`, `round.csv` is `rounds`,
`killstreak.csv` is `killstreaks`), times as Unix seconds, lengths as `duration`, and the dimensions `player.csv`,
`map.csv` and `weapon.csv`; the aggregates under their own names, `rolling_trends.csv` being `player_trends`. Lines end
in LF, fields are quoted only where they must be, NULL is empty.
"""

from __future__ import annotations

from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase, plan_for_bulk
from stats_assets.trends import export_sql, gold_sql


def export(database: StatsDatabase, folder: Path) -> list[Path]:
    """Writes the files into `folder` (made if absent), each in place of an older one; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with database.transaction() as cursor:
        # All files show the same moment, imports under way or not.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        plan_for_bulk(cursor)
        for name, query in (export_sql.FILES | gold_sql.FILES).items():
            part = folder / f"{name}.part"
            with part.open("wb") as file:
                cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)", file)
            written.append(part.replace(folder / name))
    return written
