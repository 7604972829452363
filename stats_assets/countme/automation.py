"""When the room works: two sensors that compare what is loaded and counted with what there is, and a weekly backstop.

The sensors look at tables, not at events: after any outage they ask for exactly what is out of date, however old.
"""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.countme import sql
from stats_assets.countme.assets import RAW_HITS, WEEKLY_TOTALS
from stats_assets.countme.config import CountedSite, CountmeConfig
from stats_assets.countme.totals import changed_weeks
from stats_assets.shared.days import contiguous
from stats_assets.shared.postgres import Cursor, StatsDatabase
from stats_assets.shared.runs import is_busy, range_request

# A run that fetches days loads them itself next, most often; who comes later may take over.
_QUIET = timedelta(seconds=20)
_RANGES_PER_TICK = 10

LOAD_JOB = "countme_load"
COUNT_JOB = "countme_count"


def build_automation(config: CountmeConfig, is_running: bool) -> dg.Definitions:
    """Jobs, sensors and schedule; `is_running` is their state until an operator decides otherwise."""
    load_job = dg.define_asset_job(
        LOAD_JOB,
        selection=dg.AssetSelection.assets(RAW_HITS),
        description="Load days whose log files are new or have changed.",
    )
    count_job = dg.define_asset_job(
        COUNT_JOB,
        selection=dg.AssetSelection.assets(WEEKLY_TOTALS),
        description="Count weeks anew; publishing follows by itself.",
    )
    sensor_status = dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED
    schedule_status = dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED

    @dg.sensor(
        name="countme_changed_days",
        job=load_job,
        minimum_interval_seconds=30,
        default_status=sensor_status,
        description="Asks for days whose verified files differ from what is loaded.",
    )
    def changed_days_sensor(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, RAW_HITS, jobs=[LOAD_JOB]):
            return dg.SkipReason("a run of countme/raw_hits is under way; looking again when it has ended")
        with database.transaction() as cursor:
            days = {day for site in config.counted_sites for day in changed_days(cursor, config, site)}
        return ask_for(sorted(days), 1, "every complete day is loaded as its files are now")

    @dg.sensor(
        name="countme_changed_weeks",
        job=count_job,
        minimum_interval_seconds=30,
        default_status=sensor_status,
        description="Asks for weeks whose totals were counted from other hits than there are now.",
    )
    def changed_weeks_sensor(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, RAW_HITS, WEEKLY_TOTALS, jobs=[LOAD_JOB, COUNT_JOB]):
            return dg.SkipReason("hits are being loaded or weeks counted; looking again when that has ended")
        with database.transaction() as cursor:
            now = datetime.now(UTC)
            weeks = {week for site in config.counted_sites for week in changed_weeks(cursor, config, site, now)}
        return ask_for(sorted(weeks), 7, "every week is counted from the hits there are now")

    weekly_schedule = dg.build_schedule_from_partitioned_job(
        count_job,
        name="countme_weekly",
        # Sunday's file is rotated on Monday and fetched that day.
        day_of_week=2,
        hour_of_day=5,
        minute_of_hour=30,
        default_status=schedule_status,
        description="Counts the last week on Tuesday morning, whatever the sensors saw.",
    )
    return dg.Definitions(
        jobs=[load_job, count_job], schedules=[weekly_schedule], sensors=[changed_days_sensor, changed_weeks_sensor]
    )


def changed_days(cursor: Cursor, config: CountmeConfig, site: CountedSite) -> list[date]:
    """Days of a site to be loaded anew: see `sql.CHANGED_DAYS`."""
    parameters = {"site": site.name, "policy": site.policy, "first_day": config.first_day, "quiet": _QUIET}
    cursor.execute(sql.CHANGED_DAYS, parameters)
    return [day for (day,) in cursor.fetchall()]


def ask_for(keys: Sequence[date], step_days: int, nothing: str) -> dg.SensorResult | dg.SkipReason:
    """One run per unbroken range; no run key, because a day may rightly change twice the same way."""
    if not keys:
        return dg.SkipReason(nothing)
    ranges = contiguous(keys, step_days)[:_RANGES_PER_TICK]
    return dg.SensorResult(run_requests=[range_request(str(first), str(last)) for first, last in ranges])
