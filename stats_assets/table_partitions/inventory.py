"""How large everything is: table partitions, what is in the attic, what is archived; one picture per day is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import psycopg2

from stats_assets.shared.charts import Labels, Series, draw_lines, largest
from stats_assets.shared.postgres import StatsDatabase, lock_slice, one_row
from stats_assets.table_partitions import sql, store
from stats_assets.table_partitions.catalog import Catalog, TablePartition
from stats_assets.table_partitions.periods import shown

_DRAWN = 10  # tables, or their archives, with a line of their own


@dataclass(frozen=True)
class Size:
    """One place of rows."""

    table: str
    place: str
    partition: str
    lower: str
    upper: str
    rows: int
    bytes: int


def sizes(database: StatsDatabase, catalog: Catalog) -> list[Size]:
    """Measured where nobody holds the table, else as the last VACUUM or ANALYZE left it."""
    with database.transaction() as cursor:
        archived = store.archives(cursor)
    found = [size for name, table in catalog.tables.items() for size in _of_table(database, name, table.partitions)]
    for name, table in catalog.tables.items():
        for kept in table.retiring:
            if kept.state == "kept":
                size = _exact(database, kept.oid, kept.bytes)
                found.append(Size(name, "attic", kept.name_now, kept.lower, kept.upper, kept.rows, size))
    found += [Size(row.table, "archive", row.name, row.lower, row.upper, row.rows, row.file_bytes) for row in archived]
    return found


def keep(database: StatsDatabase, found: list[Size], now: datetime) -> None:
    """In place of what was measured earlier on the same day."""
    day = now.date()
    with database.transaction() as cursor:
        lock_slice(cursor, "table_partitions.inventory", f"{day}")
        cursor.execute(sql.CLEAR_INVENTORY, {"day": day})
        for size in found:
            cursor.execute(sql.ADD_INVENTORY, {**vars(size), "day": day, "measured_at": now})


def sizes_over_time(database: StatsDatabase) -> Series:
    """Megabytes per table and day, files of the archive as series of their own."""
    series: defaultdict[str, dict[date, float]] = defaultdict(dict)
    with database.transaction() as cursor:
        cursor.execute(sql.SIZES_BY_DAY)
        for table, day, total, archived in cursor.fetchall():
            series[table][day] = (total - (archived or 0)) / 1e6
            if archived:
                series[f"{table}, archived"][day] = archived / 1e6
    return series


def chart(series: Series, dpi: int) -> bytes:
    """The largest tables over time, the others as one."""
    labels = Labels("Size of partitioned tables", "day", "MB with indexes", "nothing measured yet")
    return draw_lines(labels, largest(series, _DRAWN), dpi)


def bytes_by_place(found: list[Size]) -> dict[str, int]:
    """Numbers Dagster plots over the runs: all there is, and its part in each place."""
    places = ("attached", "attic", "archive")
    by_place = {f"{place}_bytes": sum(size.bytes for size in found if size.place == place) for place in places}
    return {"size_bytes": sum(size.bytes for size in found), **by_place}


def as_markdown(found: list[Size]) -> str:
    """Totals per table and place."""
    totals: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for size in found:
        total = totals[size.table, size.place]
        total[0] += 1
        total[1] += size.rows
        total[2] += size.bytes
    lines = ["| table | where | pieces | rows (about) | MB |", "|---|---|---:|---:|---:|"]
    for (table, place), (pieces, rows, size_bytes) in sorted(totals.items()):
        lines.append(f"| {table} | {place} | {pieces} | {rows:,} | {size_bytes / 1e6:,.1f} |")
    return "\n".join(lines)


def _of_table(database: StatsDatabase, name: str, partitions: tuple[TablePartition, ...]) -> Iterator[Size]:
    for part in partitions:
        place = "default" if part.is_default else "pending" if part.is_pending else "attached"
        size = _exact(database, part.oid, part.bytes)
        yield Size(name, place, part.name, shown(part.lower), shown(part.upper), part.rows, size)


def _exact(database: StatsDatabase, oid: int, estimate: int) -> int:
    try:
        with database.transaction() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            cursor.execute(sql.TOTAL_SIZE, {"oid": oid})
            return one_row(cursor)[0] or estimate  # dropped meanwhile: no size
    except psycopg2.errors.LockNotAvailable:
        return estimate
