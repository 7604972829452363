"""The room's assets: the schema, raw events by day, a typed table for each table of the schema file, counts by day.

Which typed tables there are is decided when the code location loads; what their columns are, when a run begins.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from stats_assets.events.checks import SPECS, evaluated
from stats_assets.events.columns import described, described_typed
from stats_assets.events.config import EventsConfig
from stats_assets.events.counts import count_raw_day, replace_counts
from stats_assets.events.declared import declared_schema
from stats_assets.events.evolve import Evolution, evolve
from stats_assets.events.keys import DAILY_EVENT_COUNTS, GROUP, RAW_EVENTS, SCHEMA_KEY, key_of
from stats_assets.events.schema_file import EventSchema, Table
from stats_assets.events.typed import Retired, TypedTable
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from stats_assets.shared.partitions import daily_with_today
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, told_to_dagster

_OWNERS = ["team:stats"]
_CODE_VERSION = "1"
_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=48), warn_window=timedelta(hours=30))
_TABLES_AGREE = "tables_agree_with_the_schema_file"

Events = Iterator[dg.AssetMaterialization | dg.MaterializeResult]


class Refresh(dg.Config):
    """How a day is made."""

    only_new: bool = Field(
        default=False,
        description="true adds what was received since the last run, where that gives the same rows; false makes the"
        " whole day anew",
    )


def build_assets(config: EventsConfig, schema: EventSchema) -> list[dg.AssetsDefinition]:
    """All assets of the room, for the tables of this schema file."""
    return [
        _schema(config),
        _raw_events(config),
        *(_typed_table(config, name, table) for name, table in schema.tables.items()),
        _daily_event_counts(config, schema),
    ]


def _schema(config: EventsConfig) -> dg.AssetsDefinition:
    check = dg.AssetCheckSpec(
        _TABLES_AGREE,
        asset=SCHEMA_KEY,
        description="Every event the schema file allows has its place in the typed tables.",
        blocking=True,
    )

    @dg.asset(
        key=SCHEMA_KEY,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres", "yaml"},
        tags={"layer": "state"},
        check_specs=[check],
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
    )
    def schema(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """The typed tables follow the schema file: what only adds is done while events come, the rest is refused."""
        with told_to_dagster():
            declared = declared_schema(config)
            evolution = evolve(database, declared)
            if evolution.deferred:
                raise SourceAway("; ".join(evolution.deferred))
        for line in (*evolution.statements, *evolution.left.notes):
            context.log.info("%s", line)
        metadata = {"version": declared.version, "tables": len(declared.tables), **_told(evolution)}
        return dg.MaterializeResult(metadata=metadata, check_results=[_agreement(evolution)])

    return schema


def _told(evolution: Evolution) -> Mapping[str, Any]:
    return {
        "statements": evolution.statements,
        "refused": [str(refusal) for refusal in evolution.left.refusals],
        "notes": list(evolution.left.notes),
    }


def _agreement(evolution: Evolution) -> dg.AssetCheckResult:
    left = [*map(str, evolution.left.refusals), *map(str, evolution.left.steps)]
    return dg.AssetCheckResult(
        check_name=_TABLES_AGREE,
        passed=not left,
        description="; ".join(left) if left else "the typed tables take every event the schema file allows",
        metadata=_told(evolution),
    )


def _raw_events(config: EventsConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=RAW_EVENTS,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"json", "postgres"},
        tags={"layer": "raw"},
        partitions_def=daily_with_today(config.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
        metadata=described("raw_events"),
    )
    def raw_events(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
        """Accepted events as they were sent. The collector writes them; materializing a day tells what is there."""
        yield from _days(context, RAW_EVENTS, lambda day: count_raw_day(database, day).metadata)

    return raw_events


def _typed_table(room: EventsConfig, name: str, declared: Table) -> dg.AssetsDefinition:
    key = key_of(name)

    @dg.asset(
        key=key,
        description=f"Events with _t {name}, typed: {', '.join(c.name for c in declared.columns) or 'no column'}."
        " Made from raw events, by the UTC day they were received.",
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"python", "postgres"},
        tags={"layer": "clean"},
        deps=[SCHEMA_KEY, dg.AssetDep(RAW_EVENTS, partition_mapping=_lateness(room))],
        partitions_def=daily_with_today(room.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),  # a day is a transaction of its own
        retry_policy=DATABASE_RETRY,
        freshness_policy=_FRESHNESS,
        code_version=_CODE_VERSION,
        metadata=described_typed(name, declared),
    )
    def typed_table(
        context: dg.AssetExecutionContext, config: Refresh, database: dg.ResourceParam[StatsDatabase]
    ) -> Events:
        with told_to_dagster():
            table = typed_table_now(room, database, name)

        def replace(day: date) -> Mapping[str, Any]:
            report = table.replace_day(day, config.only_new)
            context.log.info("%s", report)
            return report.metadata

        yield from _days(context, key, replace)

    return typed_table


def typed_table_now(config: EventsConfig, database: StatsDatabase, name: str) -> TypedTable:
    """The table as the schema file has it at this moment. Raises ConfigurationMistake when it has it no more."""
    schema = declared_schema(config)
    if name not in schema.tables:
        raise ConfigurationMistake(
            f"{config.schema_file} has no table {name} any more; reload the code location, which then has none either"
        )
    return TypedTable(database, config, name, schema.tables[name], schema.version)


def _lateness(config: EventsConfig) -> dg.TimeWindowPartitionMapping:
    """Repeats are looked for in the days before, too."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-config.lateness_days, end_offset=0, allow_nonexistent_upstream_partitions=True
    )


def _daily_event_counts(config: EventsConfig, schema: EventSchema) -> dg.AssetsDefinition:
    @dg.asset(
        key=DAILY_EVENT_COUNTS,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres"},
        tags={"layer": "aggregate"},
        deps=[RAW_EVENTS, *map(key_of, schema.tables)],
        partitions_def=daily_with_today(config.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
        freshness_policy=_FRESHNESS,
        check_specs=SPECS,
        code_version=_CODE_VERSION,
        metadata=described("daily_event_counts"),
    )
    def daily_event_counts(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
        """What became of the events of each app and table: stored, repeats, quarantined, refused."""

        def count(day: date) -> Mapping[str, Any]:
            counted = replace_counts(database, day, list(schema.tables))
            return counted.metadata if counted else {"kept": "its raw events are retired"}

        over = [day for key in context.partition_keys if (day := date.fromisoformat(key)) < datetime.now(UTC).date()]
        yield from _days(context, DAILY_EVENT_COUNTS, count, lambda: evaluated(database, config, over))

    return daily_event_counts


def _days(
    context: dg.AssetExecutionContext,
    asset: dg.AssetKey,
    make: Callable[[date], Mapping[str, Any]],
    checks: Callable[[], list[dg.AssetCheckResult]] = list,
) -> Events:
    """Makes every day of the run. Days whose raw events are retired fail, the others count as materialized."""
    done: dict[str, Mapping[str, Any]] = {}
    failed: dict[str, str] = {}
    try:
        with told_to_dagster():
            for key in context.partition_keys:
                try:
                    done[key] = make(date.fromisoformat(key))
                except Retired as error:
                    failed[key] = str(error)
            results = checks()
    except dg.Failure:
        yield from done_partitions(asset, _CODE_VERSION, done)
        raise
    if failed:
        yield from done_partitions(asset, _CODE_VERSION, done)
        raise dg.Failure(
            description=f"{len(failed)} of {len(failed) + len(done)} days failed: {named(failed)}",
            metadata={"failed_days": failed},
            allow_retries=False,
        )
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)
    yield dg.MaterializeResult(check_results=results)
