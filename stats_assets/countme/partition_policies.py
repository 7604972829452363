"""How the room's partitioned table is cut: a table partition per week, made ahead; nothing is retired by itself.

Before raw_hits of old weeks is retired, know that their totals stay, but can be counted no more.
"""

from __future__ import annotations

from stats_assets.shared.partition_policy import PartitionPolicy

POLICIES = (PartitionPolicy(table="countme.raw_hits", key="hit_at", step="week"),)
