"""The room's assets: what is to be done, what was made, what was taken away, what is archived, how large it all is."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import PREVIEW_DPI
from stats_assets.shared.charts import as_markdown as pictures
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, told_to_dagster
from stats_assets.table_partitions import inventory as sizes
from stats_assets.table_partitions import store
from stats_assets.table_partitions.archive_keys import by_key
from stats_assets.table_partitions.archiving import verified
from stats_assets.table_partitions.checks import evaluated, specs, surroundings
from stats_assets.table_partitions.columns import INVENTORY_SCHEMA
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance, Planned
from stats_assets.table_partitions.promises import OF_CREATED, OF_PLAN, OF_RETIRED
from stats_assets.table_partitions.reports import archive_metadata, plan_metadata, result_metadata
from stats_assets.table_partitions.steps import CREATING, RETIRING, Kind

GROUP = "table_partitions"
_CODE_VERSION = "1"

PLAN = dg.AssetKey(["table_partitions", "plan"])
CREATED = dg.AssetKey(["table_partitions", "created"])
RETIRED = dg.AssetKey(["table_partitions", "retired"])
ARCHIVE = dg.AssetKey(["table_partitions", "archive"])
INVENTORY = dg.AssetKey(["table_partitions", "inventory"])

ARCHIVES = dg.DynamicPartitionsDefinition(name="table_partitions_archive")

Events = Iterator[dg.AssetMaterialization | dg.AssetCheckResult | dg.MaterializeResult]


def _asset(**given: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """What all assets of the room have in common."""
    asset: Any = dg.asset
    return asset(
        group_name=GROUP, owners=["team:stats"], code_version=_CODE_VERSION, retry_policy=DATABASE_RETRY, **given
    )


def build_assets(config: TablePartitionsConfig, policies: Sequence[PartitionPolicy]) -> list[dg.AssetsDefinition]:
    """The assets for these policies."""

    @_asset(
        key=PLAN,
        kinds={"postgres"},
        tags={"layer": "report"},
        check_specs=specs(PLAN, OF_PLAN, policies),
    )
    def plan(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """What would be done to the partitioned tables now: a dry run, with SQL, bounds, locks and estimates."""
        with told_to_dagster():
            maintenance = Maintenance(database, archive, policies, config)
            found = maintenance.planned()
            maintenance.mirror(found)
            checks = _checks(PLAN, OF_PLAN, maintenance, found)
        yield dg.MaterializeResult(metadata=plan_metadata(found.plan, maintenance.now()), check_results=checks)

    @_asset(
        key=CREATED,
        deps=[PLAN],
        kinds={"postgres"},
        tags={"layer": "state"},
        check_specs=specs(CREATED, OF_CREATED, policies),
    )
    def created(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """Table partitions made ahead, gaps filled, default partitions drained, broken-off detaches ended."""
        maintenance = Maintenance(database, archive, policies, config)
        yield from _maintained(context, maintenance, CREATING, CREATED, OF_CREATED)

    @_asset(
        key=RETIRED,
        deps=[CREATED],
        kinds={"postgres", "parquet"},
        tags={"layer": "state"},
        check_specs=specs(RETIRED, OF_RETIRED, policies),
    )
    def retired(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """Table partitions beyond their retention: archived, detached into the attic, and dropped when it is time."""
        maintenance = Maintenance(database, archive, policies, config)
        yield from _maintained(context, maintenance, RETIRING, RETIRED, OF_RETIRED)

    @_asset(
        key=ARCHIVE,
        deps=[RETIRED],
        kinds={"parquet"},
        tags={"layer": "raw"},
        partitions_def=ARCHIVES,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def archive(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> Events:
        """Archived ranges, one Dagster partition each. Materializing one reads its file and compares it anew."""
        bad: dict[str, str] = {}
        rows: dict[str, store.ArchiveRow] = {}
        with told_to_dagster():
            with database.transaction() as cursor:
                known = by_key(store.archives(cursor))
            for key in context.partition_keys:
                row, problem = verified(database, archive, known[key].name if key in known else key)
                if problem is not None:
                    bad[key] = problem
                elif row is not None:
                    rows[key] = row
        metadata = {key: archive_metadata(archive, row) for key, row in rows.items()}
        if bad:
            yield from done_partitions(ARCHIVE, _CODE_VERSION, metadata)
            told = f"{len(bad)} of {len(context.partition_keys)} archives are not what they were: {named(bad)}"
            raise dg.Failure(description=told, allow_retries=False)
        for key, facts in metadata.items():
            context.add_asset_metadata(facts, partition_key=key)
        yield dg.MaterializeResult()

    @_asset(
        key=INVENTORY,
        deps=[CREATED, RETIRED],
        kinds={"postgres"},
        tags={"layer": "report"},
        metadata={"dagster/column_schema": INVENTORY_SCHEMA, "dagster/table_name": "table_partitions.inventory"},
    )
    def inventory(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """Sizes of table partitions, of what waits in the attic and of what is archived, day by day."""
        with told_to_dagster():
            maintenance = Maintenance(database, archive, policies, config)
            catalog = maintenance.planned().catalog
            found = sizes.sizes(database, catalog)
            if not catalog.is_read_only:
                sizes.keep(database, found, datetime.now(UTC))
            series = sizes.sizes_over_time(database)
        preview = pictures({"Size of partitioned tables": sizes.chart(series, PREVIEW_DPI)})
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(found),
                **sizes.bytes_by_place(found),
                "sizes": dg.MetadataValue.md(sizes.as_markdown(found)),
                "over_time": dg.MetadataValue.md(preview),
            }
        )

    return [plan, created, retired, archive, inventory]


def _maintained(
    context: dg.AssetExecutionContext,
    maintenance: Maintenance,
    kinds: frozenset[Kind],
    asset: dg.AssetKey,
    promises: Sequence[str],
) -> Events:
    """Plans and carries out; then says how it went. What failed fails the run after everything else was done."""
    with told_to_dagster():
        plan, results = maintenance.maintain(kinds, context.run.run_id, lambda result: context.log.info("%s", result))
        after = maintenance.planned()
        checks = _checks(asset, promises, maintenance, after)
        yield from _new_archives(context.instance, maintenance)
    failed = {str(result.step): result.message or "" for result in results if result.result == "failed"}
    if failed:
        yield from checks
        raise dg.Failure(
            description=f"{len(failed)} of {len(results)} steps failed: {named(failed)}",
            metadata=result_metadata(plan, results),
            allow_retries=False,
        )
    yield dg.MaterializeResult(metadata=result_metadata(plan, results), check_results=checks)


def _new_archives(instance: dg.DagsterInstance, maintenance: Maintenance) -> Iterator[dg.AssetMaterialization]:
    """Archives that Dagster does not know yet, also those of a run that was killed before it could say so."""
    with maintenance.database.transaction() as cursor:
        rows = by_key(store.archives(cursor))
    new = sorted(rows.keys() - set(instance.get_dynamic_partitions(ARCHIVES.name or "")))
    if new:
        instance.add_dynamic_partitions(ARCHIVES.name or "", new)
    yield from done_partitions(
        ARCHIVE, _CODE_VERSION, {name: archive_metadata(maintenance.archive, rows[name]) for name in new}
    )


def _checks(
    asset: dg.AssetKey, promises: Sequence[str], maintenance: Maintenance, found: Planned
) -> list[dg.AssetCheckResult]:
    around = replace(surroundings(maintenance.database, maintenance.archive), unread=found.unread)
    return list(evaluated(asset, promises, maintenance.policies, found.catalog, maintenance.now(), around))
