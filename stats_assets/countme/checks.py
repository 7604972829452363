"""Checks an operator looks at; the one inside a load (`rejected_lines_are_few`) is declared with its asset."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
import dagster as dg

from stats_assets.countme import sql
from stats_assets.countme.assets import WEEKLY_TOTALS
from stats_assets.shared.postgres import StatsDatabase


def build_checks() -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset=WEEKLY_TOTALS,
        description="Every counted week has all it needs; a week that has not is not published.",
    )
    def weeks_are_complete(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        with database.transaction() as cursor:
            cursor.execute(sql.INCOMPLETE_WEEKS)
            incomplete = {str(week): missing or "not over yet" for week, missing in cursor.fetchall()}
        named = "; ".join(f"{week} lacks {missing}" for week, missing in incomplete.items())
        return dg.AssetCheckResult(
            passed=not incomplete,
            # A gap is someone else's outage more often than our fault, and nothing wrong was published.
            severity=dg.AssetCheckSeverity.WARN,
            description=named or "every counted week is complete",
            metadata={"incomplete_weeks": incomplete},
        )

    return [weeks_are_complete]
