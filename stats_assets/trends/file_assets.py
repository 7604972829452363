"""The assets without partitions: files of the watched folder, and the quarantine, which a run tries again."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as an object, not as a text.
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster
from stats_assets.trends import report_sql
from stats_assets.trends.assets import CODE_VERSION, GROUP, OWNERS, TABLES, day_metadata, done_days
from stats_assets.trends.checks import RAW_LOGS
from stats_assets.trends.columns import IMPORTED_FILES_SCHEMA, QUARANTINE_SCHEMA
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.load import Importer, ImportReport
from stats_assets.trends.redrive import redrive
from stats_assets.trends.watched_folder import import_file, new_files

IMPORTED_FILES = dg.AssetKey([GROUP, "imported_files"])
QUARANTINE = dg.AssetKey([GROUP, "quarantine"])

# A batch holds months of days: more of them than this are left to whoever materializes them.
_MOST_DAYS_TOLD = 400


def build_imported_files(config: TrendsConfig) -> dg.AssetsDefinition:
    """The asset trends/imported_files for one configuration."""

    @dg.asset(
        key=IMPORTED_FILES,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"file", "sqlite", "postgres"},
        tags={"layer": "raw"},
        retry_policy=DATABASE_RETRY,
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": IMPORTED_FILES_SCHEMA, "dagster/table_name": "trends.imported_files"},
    )
    def imported_files(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult]:
        """Logs of new and changed files of the batch folder, into trends/raw_logs and every table of logs."""
        total, files = ImportReport(), 0
        with told_to_dagster():
            importer = Importer(database)
            for file in new_files(database, config.batch_folder, datetime.now(UTC)) if config.batch_folder else []:
                report = import_file(database, importer, str(config.batch_folder), file)
                context.log.info("%s: %s", file.name, report)
                total.add(report)
                files += 1
            yield from _days_that_changed(database, total, config)
        yield dg.MaterializeResult(metadata={"files": files, **_numbers(total)})

    return imported_files


def build_quarantine() -> dg.AssetsDefinition:
    """The asset trends/quarantine."""

    @dg.asset(
        key=QUARANTINE,
        deps=[RAW_LOGS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "state"},
        retry_policy=DATABASE_RETRY,
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": QUARANTINE_SCHEMA, "dagster/table_name": "trends.quarantine"},
    )
    def quarantine(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        """Logs that could not be imported. A run tries them all again: for after the parser was mended."""
        with told_to_dagster():
            report = redrive(database)
            with database.transaction() as cursor:
                cursor.execute(report_sql.QUARANTINE_BY_REASON)
                reasons = dict(cursor.fetchall())
        context.log.info("%s", report)
        return dg.MaterializeResult(metadata={**_numbers(report), "reasons": reasons, "stay": sum(reasons.values())})

    return quarantine


def _days_that_changed(
    database: StatsDatabase, report: ImportReport, config: TrendsConfig
) -> Iterator[dg.AssetMaterialization]:
    """The days a file brought rows of count as materialized, or the UI would show them as missing."""
    days = sorted(day for day in report.days if day >= config.first_day)
    if len(days) <= _MOST_DAYS_TOLD:
        told = {day: {"brought_by": "imported_files"} for day in days}
        yield from done_days(day_metadata(database, days, told), {RAW_LOGS, *TABLES})


def _numbers(report: ImportReport) -> dict[str, Any]:
    return {
        "logs": report.logs,
        "parsed": report.parsed,
        "unchanged": report.unchanged,
        "quarantined": report.quarantined,
        "reasons_now": report.reasons,
        "rows": report.rows,
        "bytes": report.content_bytes,
        "oldest_day": str(min(report.days, default=None)),
        "newest_day": str(max(report.days, default=None)),
        "seconds": round(report.seconds, 3),
    }
