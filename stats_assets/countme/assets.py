"""The room's assets: each body gets its inputs, calls the loader or the counter, and reports numbers."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg

from stats_assets.countme.columns import RAW_HITS_SCHEMA, TOTALS_SCHEMA, totals_lineage
from stats_assets.countme.completeness import is_unreadable
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.load import DayLoader
from stats_assets.countme.partitions import weekly
from stats_assets.countme.publish import FOLDER, publish_charts, publish_totals
from stats_assets.countme.reports import DayReport
from stats_assets.countme.totals import WeekReport, replace_week
from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import as_markdown
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
TOTALS_CSV = dg.AssetKey(["countme", "totals_csv"])
CHART_FILES = dg.AssetKey(["countme", "charts"])
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
        damaged: list[str] = []
        try:
            with told_to_dagster():
                for key in context.partition_keys:
                    try:
                        reports.append(loader.replace_day(date.fromisoformat(key)))
                        context.log.info("%s", reports[-1])
                    except OurMistake as error:  # a damaged copy: this day's rows stay as they were, others go on
                        damaged.append(str(error))
                if damaged:
                    raise OurMistake(_damaged_days(damaged, len(context.partition_keys)))
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
                # The first week may begin before the first day.
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
    def weekly_totals(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> None:
        """Hits per week and system; a week that lacks a file is counted but not published until it is complete."""
        with told_to_dagster():
            for key in context.partition_keys:
                report = replace_week(database, config, date.fromisoformat(key))
                context.add_asset_metadata(_week_metadata(report), partition_key=key)
                context.log.info("%s: %d hits, %s", key, report.hits, report.missing or "nothing missing")

    @dg.asset(
        key=TOTALS_CSV,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"csv"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS],
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=9), warn_window=timedelta(days=8)),
        code_version=_CODE_VERSION,
    )
    def totals_csv(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """totals.csv: the totals of every complete week, replaced as a whole."""
        with told_to_dagster():
            published = publish_totals(database, archive)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": published.rows,
                "size_bytes": published.size_bytes,
                "file": dg.MetadataValue.path(archive.location(published.name)),
                "weeks": published.weeks,
                "oldest_week": str(published.oldest),
                "newest_week": str(published.newest),
                "weeks_left_out": {str(week): missing for week, missing in published.left_out.items()},
            }
        )

    @dg.asset(
        key=CHART_FILES,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"matplotlib"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS],
        code_version=_CODE_VERSION,
    )
    def charts(database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]) -> dg.MaterializeResult:
        """Pictures of the complete weeks: systems by release, by age and by architecture."""
        with told_to_dagster():
            drawn = publish_charts(database, archive)
        return dg.MaterializeResult(
            metadata={
                "charts": dg.MetadataValue.md(as_markdown(drawn.previews)),
                "folder": dg.MetadataValue.path(archive.location(FOLDER)),
                "size_bytes": drawn.size_bytes,
            }
        )

    return [raw_hits, weekly_totals, totals_csv, charts]


def _week_metadata(report: WeekReport) -> dict[str, object]:
    return {
        "dagster/row_count": report.rows,
        "hits": report.hits,
        "is_complete": report.is_complete,
        "missing": report.missing or "nothing",
    }


def _damaged_days(damaged: list[str], days: int) -> str:
    if days == 1:
        return damaged[0]
    return f"{len(damaged)} of {days} days not loaded, the others are done. {'; '.join(damaged[:5])}"


def _rejected_lines_check(reports: list[DayReport], limit_share: float) -> dg.AssetCheckResult:
    unreadable = {
        f"{report.day}: {source.host}": f"{source.rejected} of {source.lines} lines rejected, {source.hits} hits"
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
