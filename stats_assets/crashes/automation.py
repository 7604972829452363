"""When the room works: every morning for the day before, whenever a feed comes late or anew, and when days were
counted from other inputs than there are now.

The sensors look at tables and feeds, not at events: after any outage they ask for exactly what is out of date.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
import time
import warnings
from collections import deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.crashes import duplicates, sql
from stats_assets.crashes.aggregate import AGGREGATES
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.day_state import is_stale
from stats_assets.crashes.feeds import Feed, version_of
from stats_assets.crashes.keys import (
    ACTIVE_DAILY_INSTALLS,
    CHARTS,
    DUPLICATES,
    PRODUCT_VERSIONS,
    RAW_CRASHES,
    REPORTS,
    TOP_CRASHERS,
    key_of,
)
from stats_assets.crashes.late import Loaded, days_to_load, feeds_to_ask, ranges
from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.days import days_between
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import is_busy, range_request

LOAD_JOB, COUNT_JOB = "crashes_load", "crashes_count"
SCHEDULE = "crashes_daily"
LATE_FEEDS, STALE_DAYS = "crashes_late_feeds", "crashes_stale_days"

_SENSOR_SECONDS = 60
# Dagster gives a sensor 60 s; asking feeds ends well before, whatever they do.
_ASKING_SECONDS = 25
_ASKED_AT_ONCE = 60

_INPUTS = (ACTIVE_DAILY_INSTALLS, REPORTS, RAW_CRASHES)
_COUNTED = tuple(key_of(each.table) for each in AGGREGATES)
_PUBLISHED = (TOP_CRASHERS, CHARTS)


def build_automation(config: CrashesConfig, is_running: bool) -> dg.Definitions:
    """Jobs, schedule and sensors; `is_running` is their state until an operator decides otherwise."""
    # Backfill policies differ on purpose, for backfills of assets; a run of this job is of the days it is asked for.
    warnings.filterwarnings("ignore", f"Asset job {LOAD_JOB} materializes assets with varying BackfillPolicies")
    load_job = dg.define_asset_job(
        LOAD_JOB,
        selection=dg.AssetSelection.assets(PRODUCT_VERSIONS, *_INPUTS, DUPLICATES, *_COUNTED, *_PUBLISHED),
        description="Load the feeds of days, count them, publish.",
    )
    count_job = dg.define_asset_job(
        COUNT_JOB,
        selection=dg.AssetSelection.assets(DUPLICATES, *_COUNTED, *_PUBLISHED),
        description="Count days anew from what is loaded, publish.",
    )
    schedule = dg.build_schedule_from_partitioned_job(
        load_job,
        name=SCHEDULE,
        # The feed of installs comes in the morning; who is later than this is left to the sensor.
        hour_of_day=7,
        minute_of_hour=30,
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Loads and counts yesterday.",
    )
    sensors = [_late_feeds(config, load_job, is_running), _stale_days(config, count_job, is_running)]
    return dg.Definitions(jobs=[load_job, count_job], schedules=[schedule], sensors=sensors)


def _late_feeds(config: CrashesConfig, job: "dg.UnresolvedAssetJobDefinition", is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name=LATE_FEEDS,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for days whose feeds have come late or have changed since they were loaded.",
    )
    def late_feeds(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, *_INPUTS, jobs=[LOAD_JOB]):
            return dg.SkipReason("feeds are being loaded; looking again when that has ended")
        days = _window(config)
        with database.transaction() as cursor:
            cursor.execute(
                sql.LOADED_FEEDS, {"first_day": min(days, default=None), "last_day": max(days, default=None)}
            )
            loaded: Loaded = {(name, day): version for name, day, version in cursor.fetchall()}
        turn = int(context.cursor or 0)
        found = _ask(config, days, loaded, turn)
        wanted = (
            range_request(str(first), str(last), f"{first} {last} {_digest(found, first, last)}")
            for first, last in ranges(days_to_load(found, loaded))
        )
        requests = whose_time_has_come(context.instance, wanted, datetime.now(UTC))
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else f"{len(found)} feeds were asked, none is new",
            cursor=str(turn + 1),
        )

    return late_feeds


def _stale_days(config: CrashesConfig, job: "dg.UnresolvedAssetJobDefinition", is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name=STALE_DAYS,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for days that were counted from other inputs, versions or maps than there are now.",
    )
    def stale_days(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, *_INPUTS, DUPLICATES, *_COUNTED, jobs=[LOAD_JOB, COUNT_JOB]):
            return dg.SkipReason("days are being loaded or counted; looking again when that has ended")
        stale = _stale(database, _window(config))
        wanted = (range_request(str(a), str(b), f"stale {a} {b}") for a, b in ranges(stale))
        requests = whose_time_has_come(context.instance, wanted, datetime.now(UTC))
        if not requests:
            return dg.SkipReason("every counted day is counted from what there is now")
        return dg.SensorResult(run_requests=requests)

    return stale_days


def _window(config: CrashesConfig) -> list[date]:
    today = datetime.now(UTC).date()
    return days_between(
        max(config.first_day, today - timedelta(days=config.late_window_days)), today - timedelta(days=1)
    )


def _ask(config: CrashesConfig, days: Sequence[date], loaded: Loaded, turn: int) -> dict[tuple[str, date], str | None]:
    feeds = {
        "active_daily_installs": Feed(config, config.feed("adi_feed")),
        "reports": Feed(config, config.feed("reports_feed")),
    }
    if config.raw_feed is not None:
        feeds["raw_crashes"] = Feed(config, config.raw_feed)
    deadline = time.monotonic() + _ASKING_SECONDS
    found: dict[tuple[str, date], str | None] = {}
    asked = deque(feeds_to_ask(tuple(feeds), days, loaded, turn, _ASKED_AT_ONCE))
    asked.rotate(turn)  # so that those left when time runs out are not the same each time
    for name, day in asked:
        if time.monotonic() > deadline:
            break
        files = feeds[name].files_or_none(day)
        found[name, day] = version_of(files) if files else None
    return found


def _digest(found: dict[tuple[str, date], str | None], first: date, last: date) -> str:
    return " ".join(version[:8] for (_, day), version in sorted(found.items()) if version and first <= day <= last)


def _stale(database: StatsDatabase, days: Sequence[date]) -> set[date]:
    made_of = {duplicates.TABLE: duplicates.INPUTS} | {each.table: each.inputs for each in AGGREGATES}
    with database.transaction() as cursor:
        return {day for day in days if is_stale(cursor, made_of, day)}
