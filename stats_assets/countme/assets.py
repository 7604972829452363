"""The room's assets: each body gets its inputs, calls the loader or the counter, and reports numbers."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.countme.columns import RAW_HITS_SCHEMA, TOTALS_SCHEMA, totals_lineage
from stats_assets.countme.completeness import is_unreadable
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.load import DamagedCopy, DayLoader, SealedWeekDiffers
from stats_assets.countme.partitions import weekly
from stats_assets.countme.reports import DayReport, week_metadata
from stats_assets.countme.totals import UncountableWeek, replace_week
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.partitions import daily
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, told_to_dagster

OWNERS = ["team:stats"]
GROUP = "countme"
_CODE_VERSION = "1"
_REJECTED_LINES = "rejected_lines_are_few"

RAW_HITS = dg.AssetKey(["countme", "raw_hits"])
WEEKLY_TOTALS = dg.AssetKey(["countme", "weekly_totals"])
LOG_FILES = dg.AssetKey(["log_sync", "files"])


def build_assets(config: CountmeConfig) -> list[dg.AssetsDefinition]:
    """The assets for one configuration."""

    @dg.asset(
        key=RAW_HITS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "postgres"},
        tags={"layer": "raw"},
        deps=[LOG_FILES],
        partitions_def=daily(config.first_day),
        # One run however many days: each day is a transaction of its own, and the parser stays warm.
        # Not the policy of log_sync/files, so that one day a host owes does not hold up the others' hits.
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(hours=36)),
        check_specs=[
            dg.AssetCheckSpec(
                _REJECTED_LINES,
                asset=RAW_HITS,
                blocking=True,
                description="No file of the run holds an unusual share of lines we could not use, or no hit at all.",
            )
        ],
        code_version=_CODE_VERSION,
        metadata={"dagster/column_schema": RAW_HITS_SCHEMA, "dagster/table_name": "countme.raw_hits"},
    )
    def raw_hits(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult]:
        """Requests for mirror lists that count, one row per log line, from the day's verified files."""
        loader = DayLoader(database, archive, config)
        reports: list[DayReport] = []
        failed: list[str] = []
        try:
            with told_to_dagster():
                for key in context.partition_keys:
                    try:
                        reports.append(loader.replace_day(date.fromisoformat(key)))
                        context.log.info("%s", reports[-1])
                    except (DamagedCopy, SealedWeekDiffers) as error:  # its rows stay as they were, others go on
                        failed.append(str(error))
                if failed:
                    raise OurMistake(failed_partitions("days not loaded", failed, len(context.partition_keys)))
        except dg.Failure:
            yield from done_partitions(RAW_HITS, _CODE_VERSION, {f"{r.day}": r.metadata for r in reports})
            raise
        for report in reports:
            context.add_asset_metadata(report.metadata, partition_key=f"{report.day}")
        yield dg.MaterializeResult(check_results=[_rejected_lines_check(reports, config.max_rejected_share)])

    @dg.asset(
        key=WEEKLY_TOTALS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "aggregate"},
        deps=[
            dg.AssetDep(
                RAW_HITS,
                # The first week may begin before the first day. A week's first minutes, or its last day, stand in a
                # file that is not of its days (see `weeks`): when that changes, countme_changed_weeks recounts.
                partition_mapping=dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True),
            )
        ],
        partitions_def=weekly(config.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=9), warn_window=timedelta(days=8)),
        code_version=_CODE_VERSION,
        metadata={
            "dagster/column_schema": TOTALS_SCHEMA,
            "dagster/column_lineage": totals_lineage(RAW_HITS),
            "dagster/table_name": "countme.weekly_totals",
        },
    )
    def weekly_totals(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult]:
        """Hits per week and system of each site; a week that lacks a file is counted, but strict does not publish it.

        Counted in the same run or later, a week whose inputs have changed gets its new totals as a new revision.
        """
        done: dict[str, dict[str, object]] = {}
        failed: list[str] = []
        try:
            with told_to_dagster():
                for key in context.partition_keys:
                    week, now = date.fromisoformat(key), datetime.now(UTC)
                    try:
                        reports = [replace_week(database, config, site, week, now) for site in config.counted_sites]
                    except UncountableWeek as error:  # its totals stay as they were, others go on
                        failed.append(str(error))
                        continue
                    done[key] = week_metadata(reports)
                    for report in reports:
                        context.log.info("%s", report)
                if failed:
                    raise OurMistake(failed_partitions("weeks not counted", failed, len(context.partition_keys)))
        except dg.Failure:
            yield from done_partitions(WEEKLY_TOTALS, _CODE_VERSION, done)
            raise
        for key, metadata in done.items():
            context.add_asset_metadata(metadata, partition_key=key)
        yield dg.MaterializeResult()

    return [raw_hits, weekly_totals]


def failed_partitions(what: str, messages: list[str], partitions: int) -> str:
    """The message of a run of which some partitions failed, each for itself."""
    if partitions == 1:
        return messages[0]
    return f"{len(messages)} of {partitions} {what}, the others are done. {'; '.join(messages[:5])}"


def _rejected_lines_check(reports: list[DayReport], limit_share: float) -> dg.AssetCheckResult:
    unreadable = {
        f"{report.day}: {source.host}, {source.site}": (
            f"{source.rejected} of {source.lines} lines rejected, {source.hits} hits"
        )
        for report in reports
        for source in report.sources
        if is_unreadable(source.lines, source.hits, source.rejected, limit_share)
    }
    named = "; ".join(f"{file} has {what}" for file, what in list(unreadable.items())[:5])
    return dg.AssetCheckResult(
        check_name=_REJECTED_LINES,
        passed=not unreadable,
        metadata={"limit_share": limit_share, "files": unreadable},
        description=f"{len(unreadable)} files are not what they should be: {named}; samples are in countme.quarantine"
        if unreadable
        else "every file is readable",
    )
