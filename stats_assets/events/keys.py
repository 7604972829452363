"""The keys of the room's assets: [events, table]."""

from __future__ import annotations

import dagster as dg

GROUP = "events"


def key_of(table: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, table])


SCHEMA_KEY = key_of("schema")
RAW_EVENTS = key_of("raw_events")
DAILY_EVENT_COUNTS = key_of("daily_event_counts")
