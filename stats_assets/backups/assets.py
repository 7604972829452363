"""The room's assets: the backup of a day, and the week's proof that backups restore."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from stats_assets.backups import store
from stats_assets.backups.columns import BASE_BACKUP_SCHEMA, RESTORE_DRILL_SCHEMA
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.drill import drill_and_note
from stats_assets.backups.manifest import Manifest
from stats_assets.backups.plan import retention
from stats_assets.backups.programs import Programs
from stats_assets.backups.restic import hand_over
from stats_assets.backups.restoring import Restore
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.taking import Backup
from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.shared.charts import PREVIEW_DPI, Labels, as_markdown, draw_lines
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.partitions import daily_with_today
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

GROUP = "backups"
_OWNERS = ["team:stats"]
_CODE_VERSION = "1"
BASE_BACKUP = dg.AssetKey(["backups", "base_backup"])
RESTORE_DRILL = dg.AssetKey(["backups", "restore_drill"])
_LABELS = Labels("Size of backups", "day", "MB", "no backup yet")


def weeks(first_day: date) -> dg.WeeklyPartitionsDefinition:
    """Weeks by their Monday, the one under way included."""
    monday = date.fromisocalendar(*first_day.isocalendar()[:2], 1)
    return dg.WeeklyPartitionsDefinition(start_date=f"{monday}", day_offset=1, timezone="UTC", end_offset=1)


def build_assets(config: BackupsConfig, shelf: Shelf, pg_bin: Path | None) -> list[dg.AssetsDefinition]:
    """`pg_bin` is the folder of PostgreSQL's programs; found when it is not given."""

    @dg.asset(
        key=BASE_BACKUP,
        kinds={"postgres"},
        tags={"layer": "state"},
        partitions_def=daily_with_today(config.first_day),
        retry_policy=DATABASE_RETRY,
        metadata={"dagster/column_schema": BASE_BACKUP_SCHEMA, "dagster/table_name": "backups.base_backup"},
        group_name=GROUP,
        owners=_OWNERS,
        code_version=_CODE_VERSION,
    )
    def base_backup(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        """A verified backup of the database, made today; older ones go as retention says."""
        with told_to_dagster():
            require_now(context.partition_key, f"{datetime.now(UTC).date()}", "backup")
            programs = Programs(find_binaries(pg_bin), database.dsn)
            manifest = Backup(database, shelf, programs, config).take(context.log.info)
            if config.restic_repository is not None:
                hand_over(shelf, manifest.name, config.restic_repository, config.keep)
            removed = tidy(database, shelf, config, manifest)
        return dg.MaterializeResult(metadata=_backup_metadata(database, shelf, manifest, removed))

    @dg.asset(
        key=RESTORE_DRILL,
        deps=[dg.AssetDep(BASE_BACKUP, partition_mapping=dg.LastPartitionMapping())],
        kinds={"postgres"},
        tags={"layer": "report"},
        partitions_def=weeks(config.first_day),
        metadata={"dagster/column_schema": RESTORE_DRILL_SCHEMA, "dagster/table_name": "backups.restore_drill"},
        group_name=GROUP,
        owners=_OWNERS,
        code_version=_CODE_VERSION,
    )
    def restore_drill(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        """The newest backup, restored into a private server that is thrown away, and every table compared."""
        now = datetime.now(UTC)
        with told_to_dagster():
            require_now(context.partition_key, f"{date.fromisocalendar(*now.isocalendar()[:2], 1)}", "drill")
            restore = Restore(shelf, find_binaries(pg_bin))
            done = drill_and_note(restore, database, shelf.newest(), Path(config.staging), now)
        return dg.MaterializeResult(
            metadata={
                "backup": done.manifest.name,
                "minutes": round(done.seconds / 60, 2),
                "restored_gb": round(done.manifest.database_bytes / 1e9, 3),
                "tables": len(done.manifest.tables),
                "dagster/row_count": done.manifest.rows,
            }
        )

    return [base_backup, restore_drill]


def require_now(asked: str, present: str, what: str) -> None:
    """There is no making of yesterday's backup. Raises OurMistake."""
    if asked != present:
        raise OurMistake(f"a {what} can only be made of what is there now: asked for {asked}, now is {present}")


def tidy(database: StatsDatabase, shelf: Shelf, config: BackupsConfig, manifest: Manifest) -> list[str]:
    """Enters the backup that was just verified and removes what is not kept; gives the removed names."""
    removed = list(retention(shelf.backups(), config.keep).removed)
    for name in removed:
        shelf.remove(name)
    with database.transaction() as cursor:
        store.keep_backup(cursor, manifest)
        store.note_removed(cursor, shelf.backups())
    return removed


def _backup_metadata(database: StatsDatabase, shelf: Shelf, manifest: Manifest, removed: list[str]) -> dict[str, Any]:
    with database.transaction() as cursor:
        sizes = store.sizes_by_day(cursor)
    series = {
        "stored": {day: stored / 1e6 for day, stored, _ in sizes},
        "databases": {day: size / 1e6 for day, _, size in sizes},
    }
    seconds = datetime.fromisoformat(manifest.ended_at) - datetime.fromisoformat(manifest.began_at)
    largest = sorted(manifest.tables, key=lambda table: -table.rows)[:20]
    lines = [f"| {table.shown} | {table.rows:,} | {table.fingerprint} |" for table in largest]
    return {
        "backup": dg.MetadataValue.path(shelf.archive.location(manifest.name)),
        "method": manifest.method,
        "dagster/row_count": manifest.rows,
        "tables": len(manifest.tables),
        "size_bytes": manifest.stored_bytes,
        "database_bytes": manifest.database_bytes,
        "seconds": seconds.total_seconds(),
        "removed": removed,
        "largest_tables": dg.MetadataValue.md("\n".join(["| table | rows | fingerprint |", "|---|---:|---|", *lines])),
        "over_time": dg.MetadataValue.md(as_markdown({"backups": draw_lines(_LABELS, series, PREVIEW_DPI)})),
    }
