"""Dagster's asset graph as values the run plan understands."""

from __future__ import annotations

import warnings
from datetime import date, timedelta

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster_shared.utils.warnings import BetaWarning, PreviewWarning

from stats_assets.local.run_plan import Asset, Partition
from stats_assets.shared.failures import ConfigurationMistake


def load_definitions() -> dg.Definitions:
    """The code location, loaded in this process. Raises ConfigurationMistake when stats.yaml is wrong."""
    # Dagster warns of every parameter it may still change; the tests watch for that, an operator cannot.
    warnings.simplefilter("ignore", BetaWarning)
    warnings.simplefilter("ignore", PreviewWarning)
    from stats_assets.definitions import stats_assets

    return stats_assets()


def selected(definitions: dg.Definitions, selection: str, instance: dg.DagsterInstance) -> list[Asset]:
    """The assets of a selection in Dagster's syntax. Raises ConfigurationMistake when it selects nothing."""
    graph = definitions.resolve_asset_graph()
    try:
        keys = dg.AssetSelection.from_string(selection).resolve(graph) & graph.executable_asset_keys
    except dg.DagsterError:  # not its syntax, or a key that does not exist
        keys = set()
    if not keys:
        known = ", ".join(sorted(key.to_user_string() for key in graph.executable_asset_keys))
        raise ConfigurationMistake(f"{selection!r} selects no asset; there are: {known}")
    return [_asset(graph, key, instance) for key in sorted(keys)]


def reread(definitions: dg.Definitions, asset: Asset, instance: dg.DagsterInstance) -> Asset:
    """The asset with the partitions that exist now."""
    return _asset(definitions.resolve_asset_graph(), dg.AssetKey(asset.key.split("/")), instance)


def _asset(graph: AssetGraph, key: dg.AssetKey, instance: dg.DagsterInstance) -> Asset:
    node = graph.get(key)
    definition = node.partitions_def
    return Asset(
        key=node.key.to_user_string(),
        upstream=frozenset(key.to_user_string() for key in node.parent_keys),
        cadence=None if definition is None else _cadence(definition),
        partitions=() if definition is None else _partitions(definition, instance),
        step=node.assets_def.node_def.name,
    )


def _cadence(definition: dg.PartitionsDefinition) -> str:
    """Equal for assets whose partition keys mean the same."""
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return f"{definition.cron_schedule} {definition.timezone} {definition.fmt}"
    return repr(definition)


def _partitions(definition: dg.PartitionsDefinition, instance: dg.DagsterInstance) -> tuple[Partition, ...]:
    keys = definition.get_partition_keys(dynamic_partitions_store=instance)
    if not isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return tuple(Partition(key) for key in keys)
    return tuple(Partition(key, *_days(definition, key)) for key in keys)


def _days(definition: dg.TimeWindowPartitionsDefinition, key: str) -> tuple[date, date]:
    window = definition.time_window_for_partition_key(key)
    return window.start.date(), (window.end - timedelta(microseconds=1)).date()
