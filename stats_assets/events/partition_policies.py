"""How the room's partitioned tables are kept; the room table_partitions carries it out."""

from __future__ import annotations

from stats_assets.events.config import EventsConfig
from stats_assets.events.declared import declared_schema
from stats_assets.shared.partition_policy import PartitionPolicy

RECEIVED_TABLES = ("events.raw_events", "events.quarantine")


def policies(config: EventsConfig | None) -> tuple[PartitionPolicy, ...]:
    """Raw events and quarantine by day, retired by `raw_action` after `keep_raw_days`; the typed tables of the schema
    file by day, for ever. Raises ConfigurationMistake for a schema file that is wrong."""
    received = _received(config or EventsConfig())
    return received if config is None else (*received, *map(_typed, declared_schema(config).tables))


def _received(config: EventsConfig) -> tuple[PartitionPolicy, ...]:
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


def _typed(table: str) -> PartitionPolicy:
    return PartitionPolicy(table=f"events.{table}", key="received_at", kind="timestamptz", step="day", ahead=4)
