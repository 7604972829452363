"""When the room works: once a day, after the hour in which table partitions are retired."""

from __future__ import annotations

import dagster as dg

from stats_assets.upkeep.assets import GROUP

JOB = "upkeep_daily"


def build_automation(is_running: bool) -> dg.Definitions:
    """The job and its schedule; `is_running` is its state until an operator decides otherwise."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.groups(GROUP),
        description="Take old runs, events and logs out of Dagster's own records, and measure what is left.",
    )
    schedule = dg.ScheduleDefinition(
        name="upkeep_every_day",
        job=job,
        cron_schedule="40 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Keeps Dagster's own records small.",
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
