"""The room's published tables as CSV files with natural keys, sorted: `./stats export countme DIR`.

    hits.csv                 what counts, one line per hit; timestamp is Unix seconds (UTC)
    weekly_totals.csv        the totals of published weeks
    daily_unique_hosts.csv   distinct addresses per UTC day, repository and architecture
With several sites, each has these files in a subfolder of its name: counts of two sites never stand in one file.
Lines end in LF, fields are quoted only where they must be.
"""

from __future__ import annotations

from pathlib import Path

from stats_assets.countme import export_sql as sql
from stats_assets.shared.postgres import Cursor, StatsDatabase, plan_for_bulk

_FILES = {
    "hits.csv": sql.EXPORT_HITS,
    "weekly_totals.csv": sql.EXPORT_WEEKLY_TOTALS,
    "daily_unique_hosts.csv": sql.EXPORT_DAILY_UNIQUE_HOSTS,
}


def export(database: StatsDatabase, folder: Path) -> list[Path]:
    """Writes the files into `folder` (made if absent), each in place of an older one; gives their paths."""
    with database.transaction() as cursor:
        plan_for_bulk(cursor)
        cursor.execute(sql.SITES)
        sites = [site for (site,) in cursor.fetchall()]
        if len(sites) <= 1:
            return _export_site(cursor, sites[0] if sites else "", folder)
        return [path for site in sites for path in _export_site(cursor, site, folder / site)]


def _export_site(cursor: Cursor, site: str, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, statement in _FILES.items():
        part = folder / f"{name}.part"
        with part.open("wb") as file:
            cursor.copy_expert(cursor.mogrify(statement, {"site": site}), file)
        written.append(part.replace(folder / name))
    return written
