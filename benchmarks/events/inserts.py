"""The other way, to compare with: one prepared INSERT per event, a transaction per body, no HTTP at all.

python -m benchmarks.events.inserts DSN EVENTS BODIES
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

import psycopg2

from benchmarks.events.load import event

_PREPARE = """
PREPARE one_event (timestamptz, uuid, int, text, text, text, text, bytea) AS
INSERT INTO events.raw_events (received_at, request_id, request_position, app_id, table_name, event_id, schema_version,
    payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_EXECUTE = "EXECUTE one_event (%s, %s, %s, 'bench', 'levels', %s, '000000000000', %s)"


def main(dsn: str, events: int, bodies: int) -> None:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_PREPARE)
        for body in range(bodies):
            now, request_id = datetime.now(UTC), os.urandom(16).hex()
            for position in range(events):
                sent = event(body * events + position)
                payload = json.dumps(sent).encode()
                cursor.execute(_EXECUTE, (now, request_id, position, sent["event_id"], payload))
            connection.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
