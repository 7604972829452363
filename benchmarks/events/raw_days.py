"""Days of raw events as the collector leaves them, for the benchmark: python -m benchmarks.events.raw_days.

In bodies of 50. Some 200 bytes an event: seven columns of the types there are, 1 in 100 of a wrong type.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import msgspec

from benchmarks.events.tables import SCHEMA
from stats_assets.events.catalog_store import keep_version
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import ensure_leaf, leaf_of_days

_COLUMNS = (
    *("received_at", "request_id", "request_position", "app_id", "table_name", "event_id", "schema_version", "payload"),
)
_BODY = 50


def rows(day: date, events: int, with_ids: bool) -> Iterator[tuple[object, ...]]:
    """The same for the same arguments."""
    dice = random.Random(f"{day}{with_ids}")
    start = received_at = midnight(day)
    request_id = UUID(int=0)
    for n in range(events):
        if n % _BODY == 0:
            request_id = UUID(int=dice.getrandbits(128), version=4)
            received_at = start + timedelta(seconds=86_400 * n / events)
        event = {
            "_t": "plays",
            "time": f"{received_at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03d}Z",
            "platform": dice.choice(("web", "ios", "android")),
            "version": f"1.{n % 50}.0",
            "user_id": f"{dice.getrandbits(128):032x}",
            "event_type": dice.choice(("start", "stop", "level")),
            "score": dice.randrange(10**6) if n % 100 else "many",
            "seconds": dice.random() * 600,
        }
        event_id = str(UUID(int=dice.getrandbits(128), version=4)) if with_ids else None
        if event_id:
            event["event_id"] = event_id
        payload = "\\x" + msgspec.json.encode(event).hex()
        yield (received_at, request_id, n % _BODY, "game", "plays", event_id, SCHEMA.version, payload)


def main(dsn: str, day: str, events: str, with_ids: str) -> None:
    database = StatsDatabase(dsn)
    first = date.fromisoformat(day)
    ensure_leaf(database, leaf_of_days("events", "raw_events", "received_at", first, 1))
    with database.transaction() as cursor:
        keep_version(cursor, SCHEMA, [], False)
        copy_text(cursor, ("events", "raw_events"), _COLUMNS, rows(first, int(events), with_ids == "ids"))


if __name__ == "__main__":
    main(*sys.argv[1:])
