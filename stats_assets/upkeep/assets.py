"""The room's assets: what was taken away, and how large the rest is."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
import time
from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg

from stats_assets.shared.column_schemas import column_schema
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster
from stats_assets.upkeep import compute_logs, sizes, sql
from stats_assets.upkeep.config import UpkeepConfig
from stats_assets.upkeep.instance_database import transaction
from stats_assets.upkeep.pruning import prune

GROUP = "upkeep"
PRUNINGS = dg.AssetKey(["upkeep", "prunings"])
INSTANCE_SIZES = dg.AssetKey(["upkeep", "instance_sizes"])
_STAYS_SMALL = "dagsters_tables_stay_small"
_OWNERS = ["team:stats"]

_PRUNINGS_SCHEMA = column_schema(
    {
        "pruned_at": ("timestamptz", "when the pass began"),
        "runs": ("integer", "runs removed with all their rows"),
        "emptied_runs": ("integer", "runs that stay for a newest materialization, but lost their other events"),
        "event_rows": ("bigint", "rows of the event log"),
        "snapshots": ("integer", "jobs and plans that no run refers to any more"),
        "backfills": ("integer", "backfills without a run"),
        "ticks": ("bigint", "ticks of schedules and sensors"),
        "compute_logs": ("integer", "runs whose compute logs were removed"),
        "seconds": ("real", "how long it took"),
    }
)
_SIZES_SCHEMA = column_schema(
    {
        "day": ("date", "UTC"),
        "part": ("text", "a table of Dagster's database, or compute_logs"),
        "rows": ("bigint", "an estimate; of compute_logs the number of files"),
        "bytes": ("bigint", "with indexes"),
        "measured_at": ("timestamptz", "when"),
    }
)


def build_assets(config: UpkeepConfig) -> list[dg.AssetsDefinition]:
    """The assets with these ages."""

    @dg.asset(
        key=PRUNINGS,
        tags={"layer": "state"},
        metadata={"dagster/table_name": "upkeep.prunings", "dagster/column_schema": _PRUNINGS_SCHEMA},
        code_version="1",
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres"},
        retry_policy=DATABASE_RETRY,
    )
    def prunings(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """What was taken out of Dagster's own records because it is old: runs, events, logs, ticks, backfills.

        Runs on which the state of a partition rests stay, whatever their age. Ages are in `upkeep` of stats.yaml.
        """
        began, now = time.monotonic(), datetime.now(UTC)
        with told_to_dagster():
            pruned, gone = prune(context.instance, config, now)
            with transaction(context.instance) as cursor:
                cursor.execute(sql.UNFINISHED_RUNS)
                unfinished = {run for (run,) in cursor.fetchall()}
            logs = compute_logs.remove_old(context.instance, set(gone), unfinished, config.keep_compute_logs_days, now)
            counts = {**asdict(pruned), "compute_logs": logs, "seconds": time.monotonic() - began}
            with database.transaction() as cursor:
                cursor.execute(sql.INSERT_PRUNING, {"pruned_at": now, **counts})
        return dg.MaterializeResult(metadata=counts)

    @dg.asset(
        key=INSTANCE_SIZES,
        deps=[PRUNINGS],
        tags={"layer": "report"},
        metadata={"dagster/table_name": "upkeep.instance_sizes", "dagster/column_schema": _SIZES_SCHEMA},
        check_specs=[
            dg.AssetCheckSpec(
                _STAYS_SMALL,
                asset=INSTANCE_SIZES,
                description=f"Dagster's own tables are not larger than {config.max_instance_gb:g} GB.",
            )
        ],
        code_version="1",
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres"},
        retry_policy=DATABASE_RETRY,
    )
    def instance_sizes(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        """How large each of Dagster's own tables and its compute logs are today, and over the last year."""
        now = datetime.now(UTC)
        with told_to_dagster():
            measured = sizes.measure(context.instance)
            sizes.write(database, measured, now)
            chart = sizes.chart(database, now.date())
        tables_gb = sum(size.bytes for size in measured if size.part != sizes.COMPUTE_LOGS) / 1e9
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(measured),
                "tables_mb": round(tables_gb * 1000, 1),
                "compute_logs_mb": round(next(s.bytes for s in measured if s.part == sizes.COMPUTE_LOGS) / 1e6, 1),
                "size": dg.MetadataValue.md(chart),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=_STAYS_SMALL,
                    passed=tables_gb <= config.max_instance_gb,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=f"{tables_gb:.2f} GB; the limit is {config.max_instance_gb:g} GB",
                )
            ],
        )

    return [prunings, instance_sizes]
