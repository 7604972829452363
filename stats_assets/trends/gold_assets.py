"""The aggregates as assets: leaderboard_cube, medic_cube, map_popularity and player_trends; their checks and charts."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from stats_assets.shared.charts import PREVIEW_DPI, Labels, as_markdown, draw_lines
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, is_busy, told_to_dagster
from stats_assets.trends import gold_sql
from stats_assets.trends.cubes import CUBES, LEADERBOARD, MAPS, MEDIC, Cube
from stats_assets.trends.cubes_store import AggregateReport, differing_totals, refresh, stale_days
from stats_assets.trends.gold_columns import CUBE_SCHEMAS, TRENDS_SCHEMA, cube_lineage
from stats_assets.trends.rolling import TABLE as TRENDS_TABLE
from stats_assets.trends.rolling import refresh_trends
from stats_assets.trends.series import lines_of

REFRESH_JOB = "trends_refresh"
RECOUNT_JOB = "trends_recount"
SENSOR = "trends_changed_games"
SCHEDULE = "trends_recount_weekly"

_CODE_VERSION = "1"
_SENSOR_SECONDS = 60
_DESCRIPTIONS = {
    LEADERBOARD.table: "Sums per player for every combination of league, format, primary class and map.",
    MEDIC.table: "Sums per medic for every combination of league, format and map.",
    MAPS.table: "Logs per map, duplicates included.",
}
_UPSTREAM = {
    LEADERBOARD.table: ("games", "player_stats", "match_links"),
    MEDIC.table: ("games", "player_stats", "medic_stats", "heal_stats", "match_links"),
    MAPS.table: ("games",),
}


class RefreshConfig(dg.Config):
    """How aggregates are renewed."""

    is_full: bool = Field(
        default=False, description="count every day from nothing instead of those that changed; proves and mends"
    )


def key_of(table: str) -> dg.AssetKey:
    return dg.AssetKey(["trends", table])


AGGREGATES = (*(key_of(cube.table) for cube in CUBES), key_of(TRENDS_TABLE))


def build_aggregates() -> list[dg.AssetsDefinition]:
    return [*(_cube_asset(cube) for cube in CUBES), _trends_asset()]


def _cube_asset(cube: Cube) -> dg.AssetsDefinition:
    @_aggregate(
        cube.table,
        _UPSTREAM[cube.table],
        {"dagster/column_schema": CUBE_SCHEMAS[cube.table], "dagster/column_lineage": cube_lineage(cube)},
        _DESCRIPTIONS[cube.table],
    )
    def cube_asset(
        context: dg.AssetExecutionContext, config: RefreshConfig, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        with told_to_dagster():
            report = refresh(database, cube, config.is_full)
        charts = _charts(database) if cube is MAPS else {}
        context.log.info("%s", report)
        return dg.MaterializeResult(metadata=_metadata(report) | charts)

    return cube_asset


def _trends_asset() -> dg.AssetsDefinition:
    @_aggregate(
        TRENDS_TABLE,
        ("games", "player_stats"),
        {"dagster/column_schema": TRENDS_SCHEMA},
        "Rolling averages of every player over the last 20 games, one row per player and game.",
    )
    def player_trends(
        context: dg.AssetExecutionContext, config: RefreshConfig, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        with told_to_dagster():
            report = refresh_trends(database, config.is_full)
        context.log.info("%s", report)
        return dg.MaterializeResult(metadata=_metadata(report))

    return player_trends


def _aggregate(
    table: str, upstream: tuple[str, ...], metadata: Mapping[str, Any], description: str
) -> Callable[..., dg.AssetsDefinition]:
    return dg.asset(
        key=key_of(table),
        group_name="trends",
        owners=["team:stats"],
        kinds={"postgres"},
        tags={"layer": "aggregate"},
        description=description,
        deps=[key_of(name) for name in upstream],
        retry_policy=DATABASE_RETRY,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(days=1)),
        code_version=_CODE_VERSION,
        metadata={**metadata, "dagster/table_name": f"trends.{table}"},
    )


def build_aggregate_checks() -> list[dg.AssetChecksDefinition]:
    return [_totals_check(cube) for cube in CUBES]


def _totals_check(cube: Cube) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key_of(cube.table),
        name=f"{cube.table}_totals_equal_the_games",
        description="Every sum over the whole cube is that over the games themselves.",
    )
    def totals_are_equal(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        differing = differing_totals(database, cube)
        with database.transaction() as cursor:
            stale = len(stale_days(cursor, cube.table))
        named = ", ".join(f"{name}: {one} instead of {other}" for name, (one, other) in differing.items())
        return dg.AssetCheckResult(
            passed=not differing or bool(stale),
            description=f"{stale} days have changed since the cube was counted: nothing to compare yet"
            if stale
            else f"{named}; run the job {RECOUNT_JOB}, which mends it, and find out how it came to be"
            if differing
            else "every sum is that of the games",
            metadata={"differing_sums": {name: list(pair) for name, pair in differing.items()}, "stale_days": stale},
        )

    return totals_are_equal


def build_aggregate_automation(is_running: bool) -> dg.Definitions:
    """The jobs that renew and recount, the sensor that follows the games, the weekly proof."""
    selection = dg.AssetSelection.assets(*AGGREGATES)
    refresh_job = dg.define_asset_job(REFRESH_JOB, selection=selection, description="Renew what changed days change.")
    recount_job = dg.define_asset_job(
        RECOUNT_JOB,
        selection=selection,
        description="Count every aggregate from nothing; rows_changed other than 0 were wrong and are mended.",
        config={"ops": {key.to_python_identifier(): {"config": {"is_full": True}} for key in AGGREGATES}},
    )

    @dg.sensor(
        name=SENSOR,
        job=refresh_job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for the aggregates when games changed since they were counted.",
    )
    def changed_games(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, *AGGREGATES, jobs=[REFRESH_JOB, RECOUNT_JOB]):
            return dg.SkipReason("aggregates are being renewed; looking again when that has ended")
        with database.transaction() as cursor:
            stale = {key.path[-1]: len(stale_days(cursor, key.path[-1])) for key in AGGREGATES}
        if not any(stale.values()):
            return dg.SkipReason("every aggregate is counted from the games there are now")
        return dg.SensorResult(run_requests=[dg.RunRequest()])

    schedule = dg.ScheduleDefinition(
        name=SCHEDULE,
        job=recount_job,
        cron_schedule="0 4 * * 1",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Proves every Monday that the aggregates are those of the games.",
    )
    return dg.Definitions(jobs=[refresh_job, recount_job], sensors=[changed_games], schedules=[schedule])


def _metadata(report: AggregateReport) -> dict[str, Any]:
    return {
        "estimated_rows": report.rows,
        "days_counted": report.days,
        "rows_changed": report.rows_changed,
        "is_full_count": report.is_full,
        "oldest_day": str(report.oldest),
        "newest_day": str(report.newest),
        "seconds": report.seconds,
    }


def _charts(database: StatsDatabase) -> dict[str, Any]:
    """Logs per month by map and by format."""
    pictures = {}
    for title, statement in (
        ("Logs per month by map", gold_sql.LOGS_BY_MAP),
        ("Logs per month by format", gold_sql.LOGS_BY_FORMAT),
    ):
        with database.transaction() as cursor:
            cursor.execute(statement)
            series = lines_of(cursor.fetchall())
        labels = Labels(title, "month of upload", "logs", "no logs yet", "the newest month may still go on")
        pictures[title] = draw_lines(labels, series, PREVIEW_DPI)
    return {"charts": dg.MetadataValue.md(as_markdown(pictures))}
