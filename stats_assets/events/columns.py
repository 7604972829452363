"""What the columns of the room's tables mean, as the Dagster UI shows it; those of typed tables by the schema file."""

from __future__ import annotations

from stats_assets.events.ddl import COLUMN_TYPES, HOUSE_TYPES
from stats_assets.events.schema_file import Column, Table
from stats_assets.shared.column_schemas import column_schema

_HOUSE = {
    "received_at": "when the whole request was there, UTC",
    "request_id": "of the request, told in its answer",
    "request_position": "place in the request's list, from 0",
    "app_id": "who sent it",
    "event_id": "the client's own name for the event",
    "extra": "what no column takes, by key",
}
_RAW = {
    **{name: (HOUSE_TYPES[name][0], meaning) for name, meaning in _HOUSE.items() if name != "extra"},
    "table_name": ("text", "the event's _t"),
    "schema_version": ("text", "of the schema file it was accepted by"),
    "headers": ("bytea", "JSON: the headers its table asks for"),
    "payload": ("bytea", "the event as it was sent"),
}
_COUNTS = {
    "day": ("date", "UTC day it was received"),
    "app_id": ("text", "who sent it"),
    "table_name": ("text", "the event's _t; empty when it names none"),
    "received": ("bigint", "accepted by the collector"),
    "stored": ("bigint", "in the typed table"),
    "repeats": ("bigint", "received again, by event_id"),
    "quarantined": ("bigint", "accepted, but of no use for the typed table"),
    "refused": ("bigint", "by the collector, with a reason"),
    "with_unknown_columns": ("bigint", "stored, with something in extra"),
}


def described(table: str) -> dict[str, object]:
    """The metadata of raw_events and daily_event_counts."""
    return _metadata(table, {"raw_events": _RAW, "daily_event_counts": _COUNTS}[table])


def described_typed(name: str, table: Table) -> dict[str, object]:
    """The metadata of a typed table's asset."""
    house = {column: (kind, _HOUSE[column]) for column, (kind, _) in HOUSE_TYPES.items()}
    extra = {"extra": house.pop("extra")}
    declared = {column.name: (COLUMN_TYPES[column.type], _meaning(column)) for column in table.columns}
    return _metadata(name, house | declared | extra)


def _metadata(table: str, columns: dict[str, tuple[str, str]]) -> dict[str, object]:
    return {"dagster/column_schema": column_schema(columns), "dagster/table_name": f"events.{table}"}


def _meaning(column: Column) -> str:
    parts = [f"header {column.header} of the request" if column.header else "as sent"]
    parts += ["required"] if column.required else []
    return ", ".join(parts)
