"""When the room works: every hour for what makes room, once a day, in a quiet hour, for what takes away."""

from __future__ import annotations

import dagster as dg

from stats_assets.table_partitions.assets import CREATED, INVENTORY, PLAN, RETIRED
from stats_assets.table_partitions.config import TablePartitionsConfig

CREATE_JOB = "table_partitions_create"
RETIRE_JOB = "table_partitions_retire"


def build_automation(config: TablePartitionsConfig, is_running: bool) -> dg.Definitions:
    """Jobs and schedules; `is_running` is their state until an operator decides otherwise."""
    create = dg.define_asset_job(
        CREATE_JOB,
        selection=dg.AssetSelection.assets(PLAN, CREATED),
        description="Make table partitions ahead; takes nothing away.",
    )
    retire = dg.define_asset_job(
        RETIRE_JOB,
        selection=dg.AssetSelection.assets(RETIRED, INVENTORY),
        description="Archive, detach and drop what is beyond its retention; measure what is left.",
    )
    status = dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED
    hourly = dg.ScheduleDefinition(
        name="table_partitions_hourly",
        job=create,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Makes table partitions ahead.",
    )
    daily = dg.ScheduleDefinition(
        name="table_partitions_daily",
        job=retire,
        cron_schedule=f"20 {config.retire_hour} * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Takes away what is beyond its retention, at a quiet hour.",
    )
    return dg.Definitions(jobs=[create, retire], schedules=[hourly, daily])
