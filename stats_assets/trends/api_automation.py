"""The API as a source of days: what the step of raw_logs calls, the check on gaps, the job and the sensor."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import is_busy, range_request
from stats_assets.trends import api_sql
from stats_assets.trends.api_client import GameLogApi, Site
from stats_assets.trends.api_import import ApiImporter, FetchedDay
from stats_assets.trends.assets import TABLES, FetchDay
from stats_assets.trends.checks import RAW_LOGS
from stats_assets.trends.listing import days_to_list
from stats_assets.trends.sources_config import SourceOptions

FETCH_JOB = "trends_fetch"
SENSOR = "trends_new_logs"

_SENSOR_SECONDS = 300
_RANGES_PER_TICK = 5
# So young a day is asked for every few minutes: its missing logs wait for their time, those of others do not.
_POLLED = timedelta(days=1)


def fetch_day_from(options: SourceOptions, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FetchDay | None:
    """Lists a day at the site, fetches and imports what is due of it; None where no site is configured."""
    if options.api_url is None:
        return None
    url = options.api_url

    def fetch_day(database: StatsDatabase, day: date) -> Mapping[str, Any]:
        with closing(Site(url, options.patience)) as site:
            importer = ApiImporter(database, GameLogApi(site, now), options.listing_page_logs, now)
            importer.list_days(day, day)
            return _numbers(importer.fetch_day(day, again=day < now().date() - _POLLED))

    return fetch_day


def build_fetch_checks(options: SourceOptions) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset=RAW_LOGS, description="Every log the site lists is here, or was told to be gone, after some hours."
    )
    def listed_logs_are_here(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        with database.transaction() as cursor:
            cursor.execute(api_sql.OLD_GAPS, {"hours": options.max_gap_hours})
            gaps = cursor.fetchall()
        missing = sum(count for _, count, *_ in gaps)
        shown = {
            f"{block}e5": f"{count} logs from {first} to {last}, since {oldest:%Y-%m-%d}, {reason or 'not asked for'}"
            for block, count, first, last, oldest, reason in gaps
        }
        return dg.AssetCheckResult(
            passed=not gaps,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{missing} logs older than {options.max_gap_hours} h are missing ({named(shown)});"
            " materialize trends/raw_logs for these days"
            if gaps
            else "no log that the site lists is missing",
            metadata={"missing_logs": missing, "gaps_per_block": shown},
        )

    return [listed_logs_are_here]


def build_fetch_automation(options: SourceOptions, first_day: date, is_running: bool) -> dg.Definitions:
    """The job and the sensor; without a site the sensor says so."""
    job = dg.define_asset_job(
        FETCH_JOB,
        selection=dg.AssetSelection.assets(RAW_LOGS, *TABLES),
        description="List days at the site, fetch and import their logs.",
    )

    @dg.sensor(
        name=SENSOR,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for today and every day since the newest that is settled, and for days with gaps.",
    )
    def trends_new_logs(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if options.api_url is None:
            return dg.SkipReason("stats.yaml names no trends.api_url")
        if is_busy(context.instance, RAW_LOGS, jobs=[FETCH_JOB]):
            return dg.SkipReason("logs are being fetched; looking again when that has ended")
        with database.transaction() as cursor:
            cursor.execute(api_sql.LISTED_DAYS)
            listed = dict(cursor.fetchall())
            cursor.execute(api_sql.DUE_DAYS, {"first_day": first_day, "again": False})
            gaps = [day for (day,) in cursor.fetchall()]
        ranges = days_to_list(first_day, listed, gaps, datetime.now(UTC))[-_RANGES_PER_TICK:]
        # No run keys: today is asked for again and again; runs do not pile up, because a busy tick asks for nothing.
        return dg.SensorResult(run_requests=[range_request(str(first), str(last)) for first, last in ranges])

    return dg.Definitions(jobs=[job], sensors=[trends_new_logs])


def _numbers(day: FetchedDay) -> dict[str, Any]:
    report = day.report
    return {
        "listed": day.listed,
        "asked_for": day.asked,
        "parsed": report.parsed,
        "unchanged": report.unchanged,
        "missing": day.missing,
        "quarantined": day.quarantined,
        "rows": report.rows,
    }
