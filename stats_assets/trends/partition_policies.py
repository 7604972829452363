"""How the room's partitioned tables are kept: everything stays, table partitions are made ahead."""

from __future__ import annotations

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.trends.table_leaves import BLOCK_LOGS
from stats_assets.trends.tables import SILVER

POLICIES = (
    PartitionPolicy(table="trends.raw_logs", key="logid", kind="int", step=BLOCK_LOGS, ahead=2),
    *(PartitionPolicy(table=f"trends.{table.name}", key="day", kind="date", step="month", ahead=2) for table in SILVER),
)
