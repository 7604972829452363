"""Brings cubes up to date with the games, and counts them from nothing to prove that they are right.

Either way one transaction under one lock per cube: readers see the old sums until the new ones are whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2.extensions import cursor as Cursor
from psycopg2.sql import Composed

from stats_assets.shared.postgres import StatsDatabase, lock_slice, one_row, plan_for_bulk
from stats_assets.trends import cubes_sql
from stats_assets.trends.cubes import Cube

# From this share of days on, counting all of them costs less than taking differences.
_FULL_SHARE = 0.3
State = tuple[date, datetime]


@dataclass(frozen=True)
class AggregateReport:
    """What a refresh did: days counted anew, rows changed, added or removed. `rows` is an estimate."""

    aggregate: str
    days: int
    rows_changed: int
    rows: int
    seconds: float
    is_full: bool
    oldest: date | None = None
    newest: date | None = None


def stale_days(cursor: Cursor, aggregate: str) -> list[State]:
    """Days whose games changed since the aggregate counted them, with the state they are in, oldest first."""
    cursor.execute(cubes_sql.STALE_DAYS, {"aggregate": aggregate})
    return cursor.fetchall()


def days_to_count(cursor: Cursor, aggregate: str, is_full: bool) -> tuple[list[State], bool]:
    """The days a refresh has to count, and whether it should count every day: when asked to, or cheaper so."""
    stale = stale_days(cursor, aggregate)
    cursor.execute(cubes_sql.COUNT_DAYS)
    if not is_full and len(stale) <= max(_FULL_SHARE * one_row(cursor)[0], 1):
        return stale, False
    cursor.execute(cubes_sql.ALL_DAYS)
    return cursor.fetchall(), True


def mark_counted(cursor: Cursor, aggregate: str, days: Sequence[State]) -> None:
    values = {"aggregate": aggregate, "days": [day for day, _ in days], "states": [state for _, state in days]}
    cursor.execute(cubes_sql.SET_DAYS, values)


def row_estimate(cursor: Cursor, table: str) -> int:
    """About how many rows the table has. Counting a large cube would take longer than renewing it."""
    cursor.execute(cubes_sql.ROW_ESTIMATE, {"table": f"trends.{table}"})
    return one_row(cursor)[0]


def refresh(database: StatsDatabase, cube: Cube, is_full: bool = False) -> AggregateReport:
    """Counts the days that changed, or every day when `is_full`, and changes only rows that differ.

    A full count of a cube that is up to date changes nothing; rows it changes were wrong.
    """
    began = time.monotonic()
    with database.transaction() as cursor:
        lock_slice(cursor, f"trends.{cube.table}", "refresh")
        plan_for_bulk(cursor)
        days, is_full = days_to_count(cursor, cube.table, is_full)
        changed = _count_all(cursor, cube) if is_full else _count_days(cursor, cube, [day for day, _ in days])
        mark_counted(cursor, cube.table, days)
        rows = row_estimate(cursor, cube.table)
    oldest, newest = (days[0][0], days[-1][0]) if days else (None, None)
    return AggregateReport(
        cube.table, len(days), changed, rows, round(time.monotonic() - began, 3), is_full, oldest, newest
    )


def differing_totals(database: StatsDatabase, cube: Cube) -> dict[str, tuple[int, int]]:
    """Sums of the cube that are not those of the games: by measure, (cube, games). Empty when all agree.

    Only says something while no day is stale.
    """
    with database.transaction() as cursor:
        plan_for_bulk(cursor)
        cursor.execute(cubes_sql.totals(cube))
        of_cube, of_games = cursor.fetchall()
    pairs = zip(cube.sums, of_cube, of_games, strict=True)
    return {name: (int(one), int(other)) for name, one, other in pairs if one != other}


def _count_days(cursor: Cursor, cube: Cube, days: list[date]) -> int:
    """By differences: what the days add now, less what they added before."""
    if not days:
        return 0
    values = {"days": days}
    cursor.execute(cubes_sql.count_days(cube, cubes_sql.THESE_DAYS), values)
    cursor.execute(cubes_sql.differing_days(cube, cubes_sql.THESE_DAYS), values)
    cursor.execute(cubes_sql.find_changes(cube))
    cursor.execute(cubes_sql.apply_changes(cube))
    changed = cursor.rowcount
    cursor.execute(cubes_sql.ROW_BY_ROW)
    cursor.execute(cubes_sql.remove_empty(cube))
    for statement in cubes_sql.replace_days(cube):
        cursor.execute(statement)
    return changed


def _count_all(cursor: Cursor, cube: Cube) -> int:
    """From nothing; gives the number of cells that were not as they should be."""
    cursor.execute(cubes_sql.count_days(cube, cubes_sql.EVERY_DAY))
    cursor.execute(cubes_sql.count_cube(cube))
    cursor.execute("ANALYZE fresh_days, fresh_cube")
    put_right(cursor, cubes_sql.differing_days(cube, cubes_sql.EVERY_DAY), cubes_sql.replace_days(cube))
    cursor.execute(cubes_sql.DROP_DIFFERING)
    changed = put_right(cursor, cubes_sql.differing_cells(cube), cubes_sql.replace_cells(cube))
    analyze_filled(cursor, cube.table, changed)
    return changed


def put_right(cursor: Cursor, find: Composed, replace: Sequence[Composed]) -> int:
    """Carries out `cubes_sql.find_differing` and `replace_differing`; gives the number of rows that differed."""
    cursor.execute(find)
    differing = cursor.rowcount
    for statement in replace:
        cursor.execute(statement)
    return differing


def analyze_filled(cursor: Cursor, table: str, changed: int) -> None:
    """Tells the planner of a table that has just been filled or changed by a full count."""
    if changed:
        cursor.execute(cubes_sql.analyze(table))
