"""Checks an operator looks at: gaps, quarantine, duplicates, rows without a game or twice.

They belong to the step of the logs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, LiteralString

import dagster as dg
from psycopg2 import sql as composed

from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row, plan_for_bulk
from stats_assets.trends import report_sql
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.tables import SILVER

RAW_LOGS = dg.AssetKey(["trends", "raw_logs"])
GAMES = dg.AssetKey(["trends", "games"])

SPECS = (
    dg.AssetCheckSpec(
        "quarantined_logs_are_few", asset=RAW_LOGS, description="Few of the newest logs could not be imported."
    ),
    dg.AssetCheckSpec(
        "logids_have_no_gaps", asset=RAW_LOGS, description="No long range of logids was left out for some hours."
    ),
    dg.AssetCheckSpec(
        "duplicates_are_usual", asset=GAMES, description="Not unusually many of the newest logs repeat older ones."
    ),
    dg.AssetCheckSpec(
        "rows_belong_to_games",
        asset=GAMES,
        description="No table has rows of a log that does not count.",
    ),
    dg.AssetCheckSpec(
        "rows_are_there_once", asset=GAMES, description="No table has two rows for the same thing of a log."
    ),
)


def evaluated(
    database: StatsDatabase, config: TrendsConfig, days: Collection[date], wanted: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """The results of those of `SPECS` whose names are wanted; rows are looked at in `days`."""
    with database.transaction() as cursor:
        cursor.execute(report_sql.SHARES, {"days": config.check_days})
        logs, quarantined, duplicates = one_row(cursor)
        cursor.execute(report_sql.QUARANTINE_BY_REASON)
        reasons = dict(cursor.fetchall())
        cursor.execute(report_sql.LOGID_GAPS, {"gap_logids": config.gap_logids, "hours": config.max_gap_hours})
        gaps = cursor.fetchall()
        plan_for_bulk(cursor)
        strays = _counts(cursor, report_sql.STRAYS, days) if "rows_belong_to_games" in wanted else {}
        repeated = _counts(cursor, report_sql.REPEATED_ROWS, days) if "rows_are_there_once" in wanted else {}
    results = (
        _few(RAW_LOGS, "quarantined_logs_are_few", quarantined, logs, config.quarantine_share, {"reasons": reasons}),
        _no_gaps(gaps),
        _few(GAMES, "duplicates_are_usual", duplicates, logs, config.duplicate_share, {}),
        _none("rows_belong_to_games", strays, "belong to no game that counts", "every row belongs to a game"),
        _none("rows_are_there_once", repeated, "are there more than once", "every row is there once"),
    )
    yield from (result for result in results if result.check_name in wanted)


def _few(
    asset: dg.AssetKey, name: str, found: int, logs: int, limit_share: float, metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    share = found / logs if logs else 0.0
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=share <= limit_share,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{found} of the newest {logs} logs, {share:.1%}; the limit is {limit_share:.0%}",
        metadata={"logs": logs, "found": found, "share": share, "limit_share": limit_share, **metadata},
    )


def _no_gaps(gaps: list[tuple[int, int, datetime]]) -> dg.AssetCheckResult:
    told = {f"{first} to {last}": f"uploaded from {since:%Y-%m-%d}" for first, last, since in gaps}
    return dg.AssetCheckResult(
        asset_key=RAW_LOGS,
        check_name="logids_have_no_gaps",
        passed=not gaps,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"nobody has asked for {named(told)}; materialize trends/raw_logs for these days"
        if gaps
        else "every long range of logids was asked for",
        metadata={"gaps": told},
    )


def _counts(cursor: Cursor, statement: LiteralString, days: Collection[date]) -> dict[str, int]:
    """What the statement finds in each table that hangs on games; tables where it finds nothing are left out."""
    found = {}
    for table in SILVER[1:]:
        key = composed.SQL(", ").join(map(composed.Identifier, ("logid", *table.key)))
        names = {"table": composed.Identifier("trends", table.name), "key": key}
        cursor.execute(composed.SQL(statement).format(**names), {"days": list(days)})
        (rows,) = one_row(cursor)
        if rows:
            found[table.name] = rows
    return found


def _none(name: str, found: dict[str, int], wrong: str, right: str) -> dg.AssetCheckResult:
    told = ", ".join(f"{rows} rows in {table}" for table, rows in found.items())
    return dg.AssetCheckResult(
        asset_key=GAMES,
        check_name=name,
        passed=not found,
        description=f"{told} {wrong}; make these days anew" if found else right,
        metadata={"found": found},
    )
