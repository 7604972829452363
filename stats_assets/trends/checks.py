"""Checks an operator looks at: quarantine, duplicates, rows without a game. They belong to the step of the logs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import dagster as dg
from psycopg2 import sql as composed

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
        "duplicates_are_usual", asset=GAMES, description="Not unusually many of the newest logs repeat older ones."
    ),
    dg.AssetCheckSpec(
        "rows_belong_to_games",
        asset=GAMES,
        description="No table has rows of a log that does not count.",
    ),
)


def evaluated(
    database: StatsDatabase, config: TrendsConfig, days: Collection[date], wanted: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """The results of those of `SPECS` whose names are wanted; strays are looked for in `days`."""
    with database.transaction() as cursor:
        cursor.execute(report_sql.SHARES, {"days": config.check_days})
        logs, quarantined, duplicates = one_row(cursor)
        cursor.execute(report_sql.QUARANTINE_BY_REASON)
        reasons = dict(cursor.fetchall())
        strays = _strays(cursor, days) if "rows_belong_to_games" in wanted else {}
    results = (
        _few(RAW_LOGS, "quarantined_logs_are_few", quarantined, logs, config.quarantine_share, {"reasons": reasons}),
        _few(GAMES, "duplicates_are_usual", duplicates, logs, config.duplicate_share, {}),
        _no_strays(strays),
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


def _strays(cursor: Cursor, days: Collection[date]) -> dict[str, int]:
    found = {}
    plan_for_bulk(cursor)
    for table in SILVER[1:]:
        statement = composed.SQL(report_sql.STRAYS).format(table=composed.Identifier("trends", table.name))
        cursor.execute(statement, {"days": list(days)})
        (rows,) = one_row(cursor)
        if rows:
            found[table.name] = rows
    return found


def _no_strays(strays: dict[str, int]) -> dg.AssetCheckResult:
    told = ", ".join(f"{rows} rows in {table}" for table, rows in strays.items())
    return dg.AssetCheckResult(
        asset_key=GAMES,
        check_name="rows_belong_to_games",
        passed=not strays,
        description=f"{told} belong to no game that counts" if strays else "every row belongs to a game",
        metadata={"strays": strays},
    )
