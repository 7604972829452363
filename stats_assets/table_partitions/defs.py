"""The room as Dagster definitions; resources `database` and `archive` come from the front desk."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions.assets import build_assets
from stats_assets.table_partitions.automation import build_automation
from stats_assets.table_partitions.config import TablePartitionsConfig, effective


def definitions(
    config: TablePartitionsConfig, built_in: Sequence[PartitionPolicy], automation_is_running: bool
) -> dg.Definitions:
    """`built_in` are the rooms' policies; `automation_is_running` holds until an operator decides otherwise."""
    return dg.Definitions.merge(
        dg.Definitions(assets=build_assets(config, effective(built_in, config))),
        build_automation(config, automation_is_running),
    )
