"""Brings player_trends up to date: by the games that changed, or from nothing. See `cubes_store` for the manner."""

from __future__ import annotations

import time
from datetime import date

from psycopg2.extensions import cursor as Cursor

from stats_assets.shared.postgres import StatsDatabase, lock_slice, plan_for_bulk
from stats_assets.trends import cubes_sql, rolling_sql
from stats_assets.trends.cubes_store import (
    AggregateReport,
    analyze_filled,
    days_to_count,
    mark_counted,
    put_right,
    row_estimate,
)

TABLE = "player_trends"


def refresh_trends(database: StatsDatabase, is_full: bool = False) -> AggregateReport:
    """Renews the averages of games in whose window something changed, or of all; only rows that differ are written."""
    began = time.monotonic()
    with database.transaction() as cursor:
        lock_slice(cursor, f"trends.{TABLE}", "refresh")
        plan_for_bulk(cursor)
        days, is_full = days_to_count(cursor, TABLE, is_full)
        changed = _roll_all(cursor) if is_full else _roll_days(cursor, [day for day, _ in days])
        mark_counted(cursor, TABLE, days)
        rows = row_estimate(cursor, TABLE)
    oldest, newest = (days[0][0], days[-1][0]) if days else (None, None)
    return AggregateReport(TABLE, len(days), changed, rows, round(time.monotonic() - began, 3), is_full, oldest, newest)


def _roll_days(cursor: Cursor, days: list[date]) -> int:
    if not days:
        return 0
    values = {"days": days}
    cursor.execute(rolling_sql.facts_of(cubes_sql.THESE_DAYS), values)
    cursor.execute(rolling_sql.differing_facts(cubes_sql.THESE_DAYS), values)
    cursor.execute(rolling_sql.FORGET_CHANGED)
    # The games that changed are few and the table is large: here going by its key is right.
    cursor.execute("SET LOCAL enable_nestloop = on")
    cursor.execute(rolling_sql.ROLL_CHANGED)
    return cursor.rowcount


def _roll_all(cursor: Cursor) -> int:
    cursor.execute(rolling_sql.facts_of(cubes_sql.EVERY_DAY))
    cursor.execute(rolling_sql.ROLL_ALL)
    cursor.execute("ANALYZE fresh_trends")
    changed = put_right(cursor, rolling_sql.differing_trends(), rolling_sql.replace_trends())
    analyze_filled(cursor, TABLE, changed)
    return changed
