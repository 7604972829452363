"""How the room's partitioned tables are kept; the room table_partitions does it."""

from __future__ import annotations

from stats_assets.shared.partition_policy import PartitionPolicy

POLICIES = (
    PartitionPolicy(
        table="countme.raw_hits",
        key="hit_at",
        step="week",
        ahead=4,
        # Half a year may be recounted from rows; what was counted stays in weekly_totals whatever becomes of them.
        retention="26 weeks",
        action="archive",
        confirm=False,  # said in stats.yaml, by whoever knows where the archive is
    ),
)
