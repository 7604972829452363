"""The asset log_sync/combined_logs with its checks, and the sensor that asks for days. Combining is `combined_days`."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as an object, not as a text.
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.log_sync.assets import GROUP
from stats_assets.log_sync.automation import JOB
from stats_assets.log_sync.checks import FILES
from stats_assets.log_sync.columns import COMBINED_SCHEMA, combined_lineage
from stats_assets.log_sync.combined_days import CombinedDay, remove_old_days, replace_combined_day, uncombined_days
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.archive import Archive
from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.days import contiguous
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.partitions import daily
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, is_busy, range_request, told_to_dagster

COMBINED_LOGS = dg.AssetKey(["log_sync", "combined_logs"])
COMBINE_JOB = "log_sync_combine"
COMBINE_SENSOR = "log_sync_uncombined_days"

_CODE_VERSION = "1"
_A_MONTH = 31
_RANGES_PER_TICK = 10
_NO_LINE_IS_LOST = "no_line_is_lost"
_UNDATABLE_ARE_FEW = "undatable_lines_are_few"

Events = Iterator[dg.AssetMaterialization | dg.MaterializeResult]


def build_combined_logs(config: LogSyncConfig, first_day: date, sensor_is_running: bool) -> dg.Definitions:
    """Asset, job and sensor; `sensor_is_running` is the sensor's state until an operator decides otherwise."""
    job = dg.define_asset_job(
        COMBINE_JOB,
        selection=dg.AssetSelection.assets(COMBINED_LOGS),
        description="Combine the logs of days whose files are new or have changed.",
    )
    return dg.Definitions(
        assets=[build_combined_logs_asset(config, first_day)],
        jobs=[job],
        sensors=[_uncombined_days_sensor(config, first_day, sensor_is_running)],
    )


def build_combined_logs_asset(config: LogSyncConfig, first_day: date) -> dg.AssetsDefinition:
    @dg.asset(
        key=COMBINED_LOGS,
        group_name=GROUP,
        owners=["team:stats"],
        kinds={"file", "postgres"},
        tags={"layer": "clean"},
        deps=[FILES],
        partitions_def=daily(first_day),
        # Not the policy of log_sync/files: one day a host owes does not hold up the others.
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=_A_MONTH),
        retry_policy=DATABASE_RETRY,
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=48), warn_window=timedelta(hours=30)
        ),
        check_specs=[
            dg.AssetCheckSpec(
                _NO_LINE_IS_LOST,
                asset=COMBINED_LOGS,
                description="The run's days hold as many lines, undatable ones included, as their hosts' files.",
            ),
            dg.AssetCheckSpec(
                _UNDATABLE_ARE_FEW,
                asset=COMBINED_LOGS,
                description="Few lines of each of the run's days have no time that can be read.",
            ),
        ],
        code_version=_CODE_VERSION,
        metadata={
            "dagster/column_schema": COMBINED_SCHEMA,
            "dagster/column_lineage": combined_lineage(FILES),
            "dagster/table_name": "log_sync.combined_logs",
        },
    )
    def combined_logs(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """One time-ordered log per site and day over all hosts, in the archive, and a row per log.

        By the instant a line was written, its offset from UTC counted; then by host and place in the file. Lines
        without a time are kept in a file beside it. A day that lacks a host is made of what is there, says so, and
        is made anew when the host has delivered.
        """
        days: list[CombinedDay] = []
        troubles: dict[str, str] = {}
        today = datetime.now(UTC).date()
        try:
            with told_to_dagster():
                for key in context.partition_keys:
                    try:
                        days.append(replace_combined_day(database, archive, config, date.fromisoformat(key), today))
                        context.log.info("%s", days[-1])
                    except OurMistake as error:
                        troubles[key] = str(error)
                removed = remove_old_days(database, archive, config, today)
                if removed:
                    context.log.info("removed %d days beyond keep_days, the first %s", len(removed), removed[0])
        except dg.Failure:
            yield from _done(days)
            raise
        if troubles:
            yield from _done(days)
            raise _failure(troubles, len(days))
        for day in days:
            context.add_asset_metadata(day.metadata, partition_key=day.day.isoformat())
        yield dg.MaterializeResult(check_results=[_lost(days), _undatable(days, config)])

    return combined_logs


def _done(days: Sequence[CombinedDay]) -> Iterator[dg.AssetMaterialization]:
    return done_partitions(COMBINED_LOGS, _CODE_VERSION, {day.day.isoformat(): day.metadata for day in days})


def _failure(troubles: Mapping[str, str], done: int) -> dg.Failure:
    """Not retried: nothing of it would be otherwise a minute later."""
    others = f"; the other {done} days are done" if done else ""
    return dg.Failure(
        description=f"log_sync/combined_logs: {named(troubles)}{others}",
        metadata={"failed_days": dict(troubles)},
        allow_retries=False,
    )


def _lost(days: Sequence[CombinedDay]) -> dg.AssetCheckResult:
    lost = {
        f"{day.day} {site.site}": f"{site.lost_lines} lines" for day in days for site in day.sites if site.lost_lines
    }
    return dg.AssetCheckResult(
        check_name=_NO_LINE_IS_LOST,
        passed=not lost,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"lines are missing: {named(lost)}" if lost else "every line of the hosts' files is there",
        metadata={"lost": lost},
    )


def _undatable(days: Sequence[CombinedDay], config: LogSyncConfig) -> dg.AssetCheckResult:
    limit = config.combined_logs.max_undatable_share
    many = {}
    for day in days:
        for site in day.sites:
            undatable = site.combined.undatable_lines
            lines = site.combined.lines + undatable
            if undatable > limit * lines:
                many[f"{day.day} {site.site}"] = f"{undatable} of {lines} lines have no time"
    return dg.AssetCheckResult(
        check_name=_UNDATABLE_ARE_FEW,
        passed=not many,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{named(many)}; they are in the file that undatable_name of log_sync.combined_logs names"
        if many
        else "nearly every line has a time",
        metadata={"limit_share": limit, "days": many},
    )


def _uncombined_days_sensor(config: LogSyncConfig, first_day: date, is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name=COMBINE_SENSOR,
        job_name=COMBINE_JOB,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for days whose files differ from those that were combined.",
    )
    def uncombined_days_sensor(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, FILES, COMBINED_LOGS, jobs=[JOB, COMBINE_JOB]):
            return dg.SkipReason("files are being fetched or combined; looking again when that has ended")
        now = datetime.now(UTC)
        with database.transaction() as cursor:
            inputs = dict(uncombined_days(cursor, config, first_day, now.date()))
        if not inputs:
            return dg.SkipReason("every day is combined from the files there are now")
        ranges = contiguous(inputs, step_days=1)[:_RANGES_PER_TICK]
        wanted = (_request(first, last, inputs) for first, last in ranges)
        return dg.SensorResult(run_requests=whose_time_has_come(context.instance, wanted, now))

    return uncombined_days_sensor


def _request(first: date, last: date, inputs: Mapping[date, str]) -> dg.RunRequest:
    seen = " ".join(digest for day, digest in inputs.items() if first <= day <= last)
    key = hashlib.sha256(seen.encode()).hexdigest()[:16]
    return range_request(str(first), str(last), f"combine {first} {last} {key}")
