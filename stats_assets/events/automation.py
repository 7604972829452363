"""When the room works: when the schema file changes, every `refresh_minutes` while events come, and every night for the
day before.

The sensors look at the file and the tables, not at events of Dagster: after any outage they ask for exactly what is out
of date.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from stats_assets.events import stale_sql
from stats_assets.events.catalog_store import is_applied
from stats_assets.events.config import EventsConfig
from stats_assets.events.declared import declared_schema
from stats_assets.events.keys import DAILY_EVENT_COUNTS, RAW_EVENTS, SCHEMA_KEY, key_of
from stats_assets.events.schema_file import EventSchema
from stats_assets.events.stale import Made, MadeDay, is_today_due, oldest_complete, stale_days
from stats_assets.events.typed import SETTLING_SECONDS, definition_of
from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.days import contiguous, midnight
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row
from stats_assets.shared.runs import is_busy, range_request

TABLES_JOB, SCHEMA_JOB = "events_tables", "events_schema"
SCHEDULE = "events_daily"
NEW_EVENTS, SCHEMA_CHANGED = "events_new_events", "events_schema_changed"

_SENSOR_SECONDS = 60
_LOOK_BACK_DAYS = 28


def build_automation(config: EventsConfig, schema: EventSchema, is_running: bool) -> dg.Definitions:
    """Jobs, schedule and sensors; `is_running` is their state until an operator decides otherwise."""
    tables = [key_of(name) for name in schema.tables]
    job = dg.define_asset_job(
        TABLES_JOB,
        selection=dg.AssetSelection.assets(SCHEMA_KEY, RAW_EVENTS, *tables, DAILY_EVENT_COUNTS),
        description="Type the raw events of days, and count them.",
    )
    schema_job = dg.define_asset_job(
        SCHEMA_JOB,
        selection=dg.AssetSelection.assets(SCHEMA_KEY),
        description="Let the typed tables follow the schema file.",
    )
    sensor_state = dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        jobs=[job, schema_job],
        schedules=[_daily(job, is_running)],
        sensors=[
            _new_events(config, schema, job, sensor_state),
            _schema_changed(config, schema_job, sensor_state),
        ],
    )


def _daily(job: "dg.UnresolvedAssetJobDefinition", is_running: bool) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=SCHEDULE,
        job=job,
        cron_schedule="20 0 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Types and counts yesterday as a whole.",
    )
    def events_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        yesterday = context.scheduled_execution_time.astimezone(UTC).date() - timedelta(days=1)
        return dg.RunRequest(run_key=str(yesterday), partition_key=str(yesterday))

    return events_daily


def _new_events(
    config: EventsConfig,
    schema: EventSchema,
    job: "dg.UnresolvedAssetJobDefinition",
    state: dg.DefaultSensorStatus,
) -> dg.SensorDefinition:
    tables = [key_of(name) for name in schema.tables]

    @dg.sensor(
        name=NEW_EVENTS,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=state,
        description="Asks for today while events come, and for days that are over and not typed from all there is now.",
    )
    def new_events(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, RAW_EVENTS, *tables, jobs=[TABLES_JOB]):
            return dg.SkipReason("days are being typed; looking again when that has ended")
        try:
            now_declared = declared_schema(config)
        except OurMistake as error:
            return dg.SkipReason(str(error))
        # A table that was added since the code location was loaded has no asset yet.
        definitions = {
            name: definition_of(table) for name, table in now_declared.tables.items() if name in schema.tables
        }
        now = datetime.now(UTC)
        requests = requests_now(database, config, definitions, now)
        if not requests:
            return dg.SkipReason("the typed tables have every event")
        return dg.SensorResult(run_requests=whose_time_has_come(context.instance, requests, now))

    return new_events


def requests_now(
    database: StatsDatabase, config: EventsConfig, definitions: dict[str, str], now: datetime
) -> list[dg.RunRequest]:
    """A run for each range of days that are over and out of date, and one for today when it is due."""
    if not definitions:
        return []
    today = now.date()
    first_day = max(config.first_day, today - timedelta(days=_LOOK_BACK_DAYS))
    settle = timedelta(seconds=config.commit_timeout_seconds + SETTLING_SECONDS)
    with database.transaction() as cursor:
        raw_days, made = _raw_days(cursor, first_day, today), _made(cursor, config, first_day)
        # Older days than repeats reach are for an operator to ask for when only the columns have changed.
        stale = stale_days(
            definitions, raw_days - {today}, _with_old_columns(made, config, definitions, today), now, settle
        )
        is_due = is_today_due(definitions, made, now, timedelta(minutes=config.refresh_minutes))
        since = oldest_complete(definitions, made, today)
        is_due = is_due and _has_newer(cursor, since, midnight(today + timedelta(days=1)))
    requests = [range_request(str(a), str(b), f"{a} {b}") for a, b in contiguous(stale, 1)]
    return [*requests, _today(today, definitions, now)] if is_due else requests


def _today(today: date, definitions: dict[str, str], now: datetime) -> dg.RunRequest:
    ops: dict[str, Any] = {"__".join(key_of(name).path): {"config": {"only_new": True}} for name in definitions}
    return dg.RunRequest(run_key=f"{now:%Y-%m-%dT%H:%M}", partition_key=str(today), run_config={"ops": ops})


def _with_old_columns(made: Made, config: EventsConfig, definitions: dict[str, str], today: date) -> Made:
    """Days before the last ones count as of the columns there are now."""
    last_days = today - timedelta(days=config.lateness_days)
    return {
        (table, day): it if day >= last_days else MadeDay(definitions.get(table, ""), *_rest(it))
        for (table, day), it in made.items()
    }


def _rest(made: MadeDay) -> tuple[datetime, datetime, bool]:
    return made.complete_until, made.replaced_at, made.has_all_replays


def _raw_days(cursor: Cursor, first_day: date, last_day: date) -> set[date]:
    cursor.execute(stale_sql.RAW_DAYS, {"first_day": first_day, "last_day": last_day})
    return {day for (day,) in cursor.fetchall()}


def _made(cursor: Cursor, config: EventsConfig, first_day: date) -> Made:
    cursor.execute(stale_sql.TABLE_DAYS, {"first_day": first_day, "lateness_days": config.lateness_days})
    return {(table, day): MadeDay(*rest) for table, day, *rest in cursor.fetchall()}


def _has_newer(cursor: Cursor, since: datetime, end: datetime) -> bool:
    cursor.execute(stale_sql.HAS_NEWER, {"since": since, "end": end})
    return one_row(cursor) == (True,)


def _schema_changed(
    config: EventsConfig, job: "dg.UnresolvedAssetJobDefinition", state: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    @dg.sensor(
        name=SCHEMA_CHANGED,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=state,
        description="Lets the typed tables follow the schema file when it has changed.",
    )
    def schema_changed(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            schema = declared_schema(config)
        except OurMistake as error:
            return dg.SkipReason(str(error))
        with database.transaction() as cursor:
            if is_applied(cursor, schema):
                return dg.SkipReason(f"the typed tables have followed version {schema.version}")
        # What is refused or locked is tried again.
        wanted = [dg.RunRequest(run_key=schema.version)]
        return dg.SensorResult(run_requests=whose_time_has_come(context.instance, wanted, datetime.now(UTC)))

    return schema_changed
