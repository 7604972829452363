"""The room's asset: one Dagster partition per day, any range of days in one run."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as an object, not as a text.
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from stats_assets.log_sync.checks import FILES, SPECS, Findings, evaluated
from stats_assets.log_sync.columns import FILES_SCHEMA
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.reports import DayReport, failure_text
from stats_assets.log_sync.sync import day_sync
from stats_assets.shared.archive import Archive
from stats_assets.shared.partitions import daily
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, told_to_dagster

GROUP = "log_sync"
_CODE_VERSION = "1"
_HALF_A_YEAR = 183

Events = Iterator[dg.AssetMaterialization | dg.AssetCheckResult | dg.MaterializeResult]


def build_files(config: LogSyncConfig, first_day: date) -> dg.AssetsDefinition:
    """The asset log_sync/files for one configuration."""

    @dg.asset(
        key=FILES,
        group_name=GROUP,
        owners=["team:stats"],
        kinds={"file", "postgres"},
        tags={"layer": "raw"},
        partitions_def=daily(first_day),
        check_specs=SPECS,
        # A year in two runs. Another policy than the assets that read the files, because a backfill puts assets of
        # one policy into one run: then a day that a host owes would hold up every other day.
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=_HALF_A_YEAR),
        retry_policy=DATABASE_RETRY,  # hosts are retried file by file inside the run
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=48), warn_window=timedelta(hours=30)
        ),
        code_version=_CODE_VERSION,
        metadata={"dagster/column_schema": FILES_SCHEMA, "dagster/table_name": "log_sync.files"},
    )
    def files(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """Verified copies of the hosts' access logs in the archive, and a row per expected file in log_sync.files."""
        reports: list[DayReport] = []
        try:
            with told_to_dagster(), day_sync(database, archive, config, _utc_now, time.sleep) as sync:
                for key in context.partition_keys:
                    reports.append(sync.sync(date.fromisoformat(key)))
                    context.log.info("%s", reports[-1])
        except dg.Failure:
            yield from _done(reports)
            raise
        findings = evaluated(database, config)
        if not all(report.is_complete for report in reports):
            yield from (*_done(reports, findings), *findings.results)
            raise _incomplete(reports)
        for day, metadata in _told(reports, findings).items():
            context.add_asset_metadata(metadata, partition_key=day)
        yield dg.MaterializeResult(check_results=findings.results)

    return files


def _done(reports: Sequence[DayReport], findings: Findings | None = None) -> Iterator[dg.AssetMaterialization]:
    """Complete days count as materialized although their run fails."""
    complete = [report for report in reports if report.is_complete]
    return done_partitions(FILES, _CODE_VERSION, _told(complete, findings))


def _told(reports: Sequence[DayReport], findings: Findings | None) -> dict[str, dict[str, Any]]:
    """Metadata by Dagster partition. The picture is of all days: the last one of the run has it."""
    told = {report.day.isoformat(): report.metadata for report in reports}
    if told and findings:
        told[max(told)] |= findings.metadata
    return told


def _incomplete(reports: Sequence[DayReport]) -> dg.Failure:
    """Not retried: the hosts have been asked several times; the sensor asks again when they have something new."""
    gaps = {report.day.isoformat(): report.gaps for report in reports if not report.is_complete}
    return dg.Failure(description=failure_text(reports), metadata={"incomplete_days": gaps}, allow_retries=False)


def _utc_now() -> datetime:
    return datetime.now(UTC)
