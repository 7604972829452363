"""Counting a day: each aggregate replaces its rows of the day in one transaction, or says which input is not there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg2 import sql as pg

from stats_assets.crashes import aggregate_sql, signature_sql, sql
from stats_assets.crashes.day_state import NotThere, digest_of_inputs, keep_made, missing_inputs
from stats_assets.crashes.windows import DayWindow, day_window, monday_of
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row, plan_for_bulk
from stats_assets.shared.table_partitions import ensure_leaf, leaf_of_days


@dataclass(frozen=True)
class Aggregate:
    """A table made per day, the tables made with it, and what the day must have.

    `inputs` are inputs, `aggregates` other aggregates that the statements read.
    """

    table: str
    statements: tuple[tuple[str, str], ...]  # table, statement that adds the day's rows
    inputs: tuple[str, ...]
    aggregates: tuple[str, ...] = ()
    by_week: bool = False


_INSTALLS, _REPORTS, _RAW = "active_daily_installs", "reports", "raw_crashes"

SIGNATURES = Aggregate("signatures", (("signatures", signature_sql.ADD_SIGNATURES),), (_REPORTS,))
PRODUCT_ADU = Aggregate("product_adu", (("product_adu", aggregate_sql.ADD_PRODUCT_ADU),), (_INSTALLS,))
BUILD_ADU = Aggregate("build_adu", (("build_adu", aggregate_sql.ADD_BUILD_ADU),), (_INSTALLS,))
SIGNATURE_COUNTS = Aggregate(
    "signature_counts",
    (
        ("signature_counts", signature_sql.ADD_SIGNATURE_COUNTS),
        ("signature_counts_by_build", signature_sql.ADD_SIGNATURE_COUNTS_BY_BUILD),
    ),
    (_REPORTS, _RAW),
)
CRASHES_BY_USER = Aggregate(
    "crashes_by_user",
    (
        ("crashes_by_user", aggregate_sql.ADD_CRASHES_BY_USER),
        ("crashes_by_user_by_build", aggregate_sql.ADD_CRASHES_BY_USER_BY_BUILD),
    ),
    (_INSTALLS, _REPORTS),
    ("product_adu", "build_adu"),
)
DAILY_CRASH_RATES = Aggregate(
    "daily_crash_rates",
    (
        ("daily_crash_rates", aggregate_sql.ADD_DAILY_CRASH_RATES),
        ("daily_crash_rates_by_build", aggregate_sql.ADD_DAILY_CRASH_RATES_BY_BUILD),
    ),
    (_INSTALLS, _REPORTS),
    ("product_adu", "build_adu"),
)
SIGNATURE_SUMMARY = Aggregate(
    "signature_summary",
    (("signature_summary", signature_sql.ADD_SIGNATURE_SUMMARY),),
    (_REPORTS, _RAW),
    by_week=True,
)
CRASH_ADU = Aggregate(
    "crash_adu_by_build_signature",
    (("crash_adu_by_build_signature", signature_sql.ADD_CRASH_ADU),),
    (_INSTALLS, _REPORTS),
    ("build_adu",),
)
AGGREGATES = (
    SIGNATURES,
    PRODUCT_ADU,
    BUILD_ADU,
    SIGNATURE_COUNTS,
    CRASHES_BY_USER,
    DAILY_CRASH_RATES,
    SIGNATURE_SUMMARY,
    CRASH_ADU,
)


@dataclass(frozen=True)
class AggregateReport:
    """One counted day: rows of each table."""

    day: date
    rows: dict[str, int]
    seconds: float

    def __str__(self) -> str:
        told = ", ".join(f"{rows} rows of {table}" for table, rows in self.rows.items())
        return f"{told} in {self.seconds:.1f} s"

    @property
    def metadata(self) -> dict[str, object]:
        first, *others = self.rows
        told = {f"{table}_rows": self.rows[table] for table in others}
        return {"dagster/row_count": self.rows[first], **told, "seconds": round(self.seconds, 3)}


def replace_aggregate(database: StatsDatabase, aggregate: Aggregate, day: date) -> AggregateReport:
    """Counts the day anew; running it twice changes nothing. Raises NotThere, and then nothing has changed."""
    started = time.monotonic()
    window = day_window(day)
    if aggregate.by_week:
        ensure_leaf(database, leaf_of_days("crashes", aggregate.table, "day", monday_of(day), 7))
    with database.transaction() as cursor:
        lock_slice(cursor, f"crashes.{aggregate.table}", f"{day}")
        digest = _inputs_of_day(cursor, aggregate, day)
        plan_for_bulk(cursor)
        rows = {table: _replace(cursor, table, statement, window) for table, statement in aggregate.statements}
        keep_made(cursor, aggregate.table, day, digest, sum(rows.values()))
    return AggregateReport(day, rows, time.monotonic() - started)


def _replace(cursor: Cursor, table: str, statement: str, window: DayWindow) -> int:
    cursor.execute(pg.SQL("DELETE FROM {} WHERE day = %(day)s").format(pg.Identifier("crashes", table)), window)
    cursor.execute(statement, window)
    return cursor.rowcount


def _inputs_of_day(cursor: Cursor, aggregate: Aggregate, day: date) -> str:
    """A digest of what the day is made from. Raises NotThere naming all that is missing."""
    missing = [*missing_inputs(cursor, aggregate.inputs, day), *_missing_aggregates(cursor, aggregate.aggregates, day)]
    cursor.execute(sql.VERSIONS_ARE_KNOWN)
    if one_row(cursor) != (True,):
        missing.insert(0, "crashes/product_versions was never made: materialize it first")
    if missing:
        raise NotThere(f"crashes/{aggregate.table} {day}: {'; '.join(missing)}")
    return digest_of_inputs(cursor, aggregate.inputs, day)


def _missing_aggregates(cursor: Cursor, aggregates: Sequence[str], day: date) -> list[str]:
    """Aggregates must be there and made from the inputs that are there now."""
    missing = []
    for made in (each for each in AGGREGATES if each.table in aggregates):
        cursor.execute(sql.AGGREGATE_DAY, {"aggregate": made.table, "day": day})
        found = cursor.fetchone()
        if found is None:
            missing.append(f"crashes/{made.table} of the day is not made: materialize it first")
        elif found[0] != digest_of_inputs(cursor, made.inputs, day):
            missing.append(f"crashes/{made.table} of the day is older than what it is made of: materialize it first")
    return missing
