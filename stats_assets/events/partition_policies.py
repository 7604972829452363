"""How the room's partitioned tables are kept; the room table_partitions carries it out."""

from __future__ import annotations

from stats_assets.events.config import EventsConfig
from stats_assets.shared.partition_policy import PartitionPolicy

RECEIVED_TABLES = ("events.raw_events", "events.quarantine")


def policies(config: EventsConfig | None) -> tuple[PartitionPolicy, ...]:
    """Raw events and quarantine by day, retired by `raw_action` after `keep_raw_days`."""
    config = config or EventsConfig()
    keeps = config.raw_action == "keep"
    return tuple(
        PartitionPolicy(
            table=table,
            key="received_at",
            kind="timestamptz",
            step="day",
            ahead=4,
            retention=None if keeps else f"{config.keep_raw_days} days",
            action=config.raw_action,
            confirm=not keeps,  # whoever configures another action has confirmed it
        )
        for table in RECEIVED_TABLES
    )
