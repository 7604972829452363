"""When the room works: every night for the day before, and whenever a host delivers late or anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.log_sync import store
from stats_assets.log_sync.checks import FILES
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.expected import ExpectedFile, expected_files
from stats_assets.log_sync.late import DaysToAsk, days_to_ask, files_to_probe, newly_waived
from stats_assets.log_sync.probing import probe_all
from stats_assets.log_sync.transports.limits import Limits
from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.days import days_between
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import is_busy, range_request

JOB = "log_sync_files"
SENSOR = "late_or_changed_files"
SCHEDULE = "log_sync_daily"

_SENSOR_SECONDS = 60
# Dagster gives a sensor 60 s; asking ends well before, whatever the hosts do.
_ASKING_SECONDS = 25
_PROBES_PER_TICK = 400
_PROBE_LIMITS = Limits(answer_seconds=5, try_seconds=10, max_file_bytes=0, connections=16)


def build_automation(config: LogSyncConfig, first_day: date, is_running: bool) -> dg.Definitions:
    """Job, schedule and sensor; `is_running` is their state until an operator decides otherwise."""
    job = dg.define_asset_job(
        JOB, selection=dg.AssetSelection.assets(FILES), description="Fetch and verify the log files of days."
    )
    schedule = dg.build_schedule_from_partitioned_job(
        job,
        name=SCHEDULE,
        # Hosts rotate a few minutes after midnight; who is later than this is left to the sensor.
        hour_of_day=0,
        minute_of_hour=30,
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Fetches yesterday's files.",
    )
    sensor = _late_or_changed_files(config, first_day, job, is_running)
    return dg.Definitions(jobs=[job], schedules=[schedule], sensors=[sensor])


def _late_or_changed_files(
    config: LogSyncConfig, first_day: date, job: dg.UnresolvedAssetJobDefinition, is_running: bool
) -> dg.SensorDefinition:
    @dg.sensor(
        name=SENSOR,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for days whose files came late or have changed at their source.",
    )
    def late_or_changed_files(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, FILES, jobs=[JOB]):
            return dg.SkipReason("files are being fetched; looking again when that has ended")
        now = datetime.now(UTC)
        turn = int(context.cursor or 0)
        # Nobody need be asked about these, so they may be older than the window.
        if waived := whose_time_has_come(context.instance, map(_request, _newly_waived(database, config)), now):
            return dg.SensorResult(run_requests=waived, cursor=str(turn))
        files, rows = _to_probe(database, config, first_day, now, turn)
        seen, silent = probe_all(files, _PROBE_LIMITS, _ASKING_SECONDS)
        requests = whose_time_has_come(context.instance, map(_request, days_to_ask(seen, rows)), now)
        # Without requests too the cursor moves: where there are too many files for one look, the next one goes on.
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else _nothing_new(len(seen), silent),
            cursor=str(turn + 1),
        )

    return late_or_changed_files


def _request(days: DaysToAsk) -> dg.RunRequest:
    return range_request(str(days.first), str(days.last), days.run_key)


def _newly_waived(database: StatsDatabase, config: LogSyncConfig) -> list[DaysToAsk]:
    if not config.waivers:
        return []
    with database.transaction() as cursor:
        rows = store.lacking_rows(cursor)
    days = sorted({row.day for row in rows.values()})
    return newly_waived((file for day in days for file in expected_files(config, day)), rows)


def _to_probe(
    database: StatsDatabase, config: LogSyncConfig, first_day: date, now: datetime, turn: int
) -> tuple[list[ExpectedFile], store.Manifest]:
    last = now.date() - timedelta(days=1)
    first = max(first_day, now.date() - timedelta(days=config.late_window_days))
    days = days_between(first, last)
    with database.transaction() as cursor:
        rows = store.rows_of_days(cursor, first, last)
        oldest = store.oldest_day(cursor)
    expected = [file for day in days for file in expected_files(config, day)]
    return files_to_probe(expected, rows, oldest, now, turn, _PROBES_PER_TICK), rows


def _nothing_new(answers: int, silent: list[str]) -> str:
    if not answers and not silent:
        return "nothing to look for yet: no day has been fetched, or no host is configured"
    told = f"{answers} files are as they were"
    return f"{told}; no answer from {', '.join(silent)}" if silent else told
