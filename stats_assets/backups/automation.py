"""When the room works: a backup every night, a drill every Sunday, a look at both every hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg

from stats_assets.backups.assets import BASE_BACKUP, RESTORE_DRILL
from stats_assets.backups.config import BackupsConfig

BACKUP_JOB, DRILL_JOB, WATCH_JOB = "backups_base_backup", "backups_restore_drill", "backups_watch"


def build_automation(config: BackupsConfig, checks: list[dg.AssetChecksDefinition], is_running: bool) -> dg.Definitions:
    """Jobs and schedules; `is_running` is their state until an operator decides otherwise."""
    status = dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED
    backup = dg.define_asset_job(
        BACKUP_JOB,
        selection=dg.AssetSelection.assets(BASE_BACKUP).without_checks(),
        description="Back the database up.",
    )
    drill = dg.define_asset_job(
        DRILL_JOB,
        selection=dg.AssetSelection.assets(RESTORE_DRILL).without_checks(),
        description="Restore the newest backup and compare every table.",
    )
    watch = dg.define_asset_job(
        WATCH_JOB, selection=dg.AssetSelection.checks(*checks), description="Look how old and how whole backups are."
    )

    @dg.schedule(
        name="backups_daily",
        job=backup,
        cron_schedule=f"10 {config.backup_hour} * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Backs the database up.",
    )
    def backups_daily(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        day = context.scheduled_execution_time.date()
        yield dg.RunRequest(run_key=f"{day}", partition_key=f"{day}")

    @dg.schedule(
        name="backups_weekly_drill",
        job=drill,
        cron_schedule=f"10 {config.drill_hour} * * 0",
        execution_timezone="UTC",
        default_status=status,
        description="Restores the newest backup.",
    )
    def backups_weekly_drill(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        monday = date.fromisocalendar(*context.scheduled_execution_time.isocalendar()[:2], 1)
        yield dg.RunRequest(run_key=f"{monday}", partition_key=f"{monday}")

    hourly = dg.ScheduleDefinition(
        name="backups_hourly_watch",
        job=watch,
        cron_schedule="40 * * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Looks how old and how whole backups are.",
    )
    return dg.Definitions(jobs=[backup, drill, watch], schedules=[backups_daily, backups_weekly_drill, hourly])
