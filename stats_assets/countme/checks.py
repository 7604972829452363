"""Checks an operator looks at; the one inside a load (`rejected_lines_are_few`) is declared with its asset."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
import dagster as dg

from stats_assets.countme import weeks_sql
from stats_assets.countme.assets import WEEKLY_TOTALS
from stats_assets.countme.config import CountmeConfig
from stats_assets.shared.postgres import StatsDatabase


def build_checks(config: CountmeConfig) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset=WEEKLY_TOTALS,
        description=f"Of the last {config.check_weeks} counted weeks, those that are over have all files they need.",
    )
    def weeks_are_complete(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        sites = [site.name for site in config.counted_sites]
        with database.transaction() as cursor:
            cursor.execute(weeks_sql.PARTIAL_WEEKS, {"sites": sites, "check_weeks": config.check_weeks})
            found = cursor.fetchall()
        partial = {
            _name(site, str(week), sites): f"{missing} (coverage {coverage:.1%})"
            for site, week, coverage, missing in found
        }
        named = "; ".join(f"{week} lacks {missing}" for week, missing in partial.items())
        return dg.AssetCheckResult(
            passed=not partial,
            # A gap is someone else's outage more often than our fault, and what is published says so.
            severity=dg.AssetCheckSeverity.WARN,
            description=named or "no week that is over is partial",
            metadata={"partial_weeks": partial},
        )

    return [weeks_are_complete]


def _name(site: str, week: str, sites: list[str]) -> str:
    return week if len(sites) == 1 else f"{site} {week}"
