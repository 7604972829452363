"""The assets that destroy in time, countme/week_keys and countme/quarantine, and their daily schedule.

Both tables are filled by loads; these assets tell what has become of them. What is destroyed when is in `retention`.
"""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from datetime import UTC, datetime

import dagster as dg

from stats_assets.countme.assets import GROUP, OWNERS, RAW_HITS, WEEKLY_TOTALS
from stats_assets.countme.columns import QUARANTINE_SCHEMA, WEEK_KEYS_SCHEMA
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.retention import delete_old_samples, destroy_week_keys
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

WEEK_KEYS = dg.AssetKey(["countme", "week_keys"])
QUARANTINE = dg.AssetKey(["countme", "quarantine"])
RETENTION_JOB = "countme_retention"


def build_retention(config: CountmeConfig, is_running: bool) -> dg.Definitions:
    """Assets, job and schedule; `is_running` is the schedule's state until an operator decides otherwise."""
    job = dg.define_asset_job(
        RETENTION_JOB,
        selection=dg.AssetSelection.assets(WEEK_KEYS, QUARANTINE),
        description="Destroy the keys of finished weeks and old samples of rejected lines.",
    )
    schedule = dg.ScheduleDefinition(
        name=RETENTION_JOB,
        job=job,
        cron_schedule="40 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Every morning; a day that is left out is made up for by the next.",
    )
    return dg.Definitions(assets=build_retention_assets(config), jobs=[job], schedules=[schedule])


def build_retention_assets(config: CountmeConfig) -> list[dg.AssetsDefinition]:
    """The two assets for one configuration."""

    @dg.asset(
        key=WEEK_KEYS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "state"},
        deps=[dg.AssetDep(WEEKLY_TOTALS, partition_mapping=dg.AllPartitionMapping())],
        retry_policy=DATABASE_RETRY,
        code_version="1",
        metadata={"dagster/column_schema": WEEK_KEYS_SCHEMA, "dagster/table_name": "countme.week_keys"},
    )
    def week_keys(database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """Keys of the address hashes, a week each: those of weeks that are final for long enough are destroyed."""
        with told_to_dagster():
            destroyed = destroy_week_keys(database, config, datetime.now(UTC))
        return dg.MaterializeResult(
            metadata={
                "keys_left": destroyed.left,
                "oldest_week_with_a_key": str(destroyed.oldest_left or "none"),
                "destroyed": [str(week) for week in destroyed.weeks],
                "keep_addresses": config.keep_addresses,
            }
        )

    @dg.asset(
        key=QUARANTINE,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "state"},
        deps=[dg.AssetDep(RAW_HITS, partition_mapping=dg.AllPartitionMapping())],
        retry_policy=DATABASE_RETRY,
        code_version="1",
        metadata={"dagster/column_schema": QUARANTINE_SCHEMA, "dagster/table_name": "countme.quarantine"},
    )
    def quarantine(database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """Samples of rejected lines, at most twenty a file and reason; old ones are deleted."""
        with told_to_dagster():
            deleted = delete_old_samples(database, config, datetime.now(UTC))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(deleted.left.values()),
                "deleted": deleted.deleted,
                "samples_left": deleted.left,
            }
        )

    return [week_keys, quarantine]
