"""How the room's partitioned tables are kept; the room table_partitions carries it out."""

from __future__ import annotations

from typing import Literal

from stats_assets.crashes.config import CrashesConfig
from stats_assets.shared.partition_policy import PartitionPolicy

_RAW_TABLES = ("crashes.reports", "crashes.reports_private", "crashes.raw_crashes")


def policies(config: CrashesConfig) -> tuple[PartitionPolicy, ...]:
    """Reports and raw crashes by week, retired by `raw_action` after `keep_raw_weeks`; summaries by week, for ever."""
    action: Literal["keep", "truncate", "archive"] = config.raw_action
    raw = [
        PartitionPolicy(
            table=table,
            key="processed_at",
            kind="timestamptz",
            step="week",
            retention=None if action == "keep" else f"{config.keep_raw_weeks} weeks",
            action=action,
            confirm=action != "keep",  # whoever configures truncate or archive has confirmed it
        )
        for table in _RAW_TABLES
    ]
    summaries = PartitionPolicy(table="crashes.signature_summary", key="day", kind="date", step="week")
    return (*raw, summaries)
