"""SQL of the receiving half of the room."""

# The one statement of a usual batch, a transaction of its own. Columns in the order of `copy_rows`.
COPY_RAW = """
COPY events.raw_events (received_at, request_id, app_id, schema_version, table_name, headers, request_position,
    event_id, payload)
FROM STDIN (FORMAT binary)
"""
COPY_QUARANTINE = """
COPY events.quarantine (received_at, request_id, app_id, schema_version, table_name, headers, request_position,
    event_id, payload, stage, reason, column_name, detail)
FROM STDIN (FORMAT binary)
"""

# Events that were on disk for a while. They come into tables of this transaction first, because COPY knows no
# ON CONFLICT, and what is in doubt here is just whether a part of them is in already.
MAKE_REPLAY_TABLES = """
SET LOCAL lock_timeout = '10s';     -- a collector that is told to stop waits for this
CREATE TEMP TABLE replayed_raw (LIKE events.raw_events) ON COMMIT DROP;
CREATE TEMP TABLE replayed_quarantine (LIKE events.quarantine) ON COMMIT DROP;
"""
COPY_REPLAYED_RAW = COPY_RAW.replace("events.raw_events", "replayed_raw")
COPY_REPLAYED_QUARANTINE = COPY_QUARANTINE.replace("events.quarantine", "replayed_quarantine")

REPLAYED_DAYS = """
SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date AS day FROM replayed_raw
UNION
SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date FROM replayed_quarantine
"""

# A transaction that stores the same event and has not ended is waited for: the key decides. The segment is told once,
# by the transaction that adds it first.
REPLAY_RAW = """
WITH added AS (
    INSERT INTO events.raw_events (received_at, request_id, app_id, schema_version, table_name, headers,
        request_position, event_id, payload)
    SELECT received_at, request_id, app_id, schema_version, table_name, headers, request_position, event_id, payload
    FROM replayed_raw
    ON CONFLICT DO NOTHING
    RETURNING received_at
), by_day AS (
    SELECT day, sum(is_there) AS events, sum(is_added) AS added
    FROM (
        SELECT (received_at AT TIME ZONE 'UTC')::date AS day, 1 AS is_there, 0 AS is_added FROM replayed_raw
        UNION ALL
        SELECT (received_at AT TIME ZONE 'UTC')::date, 0, 1 FROM added
    ) AS counted
    GROUP BY day
), told AS (
    INSERT INTO events.spool_replays (segment, day, events, added)
    SELECT %(segment)s, day, events, added FROM by_day
    ON CONFLICT (segment, day) DO NOTHING
)
SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(added), 0)::bigint AS added FROM by_day
"""
REPLAY_QUARANTINE = """
INSERT INTO events.quarantine (received_at, request_id, app_id, schema_version, table_name, headers, request_position,
    event_id, payload, stage, reason, column_name, detail)
SELECT received_at, request_id, app_id, schema_version, table_name, headers, request_position, event_id, payload,
    stage, reason, column_name, detail
FROM replayed_quarantine
ON CONFLICT DO NOTHING
"""

SEE_SCHEMA = """
INSERT INTO events.schema_versions (version, document) VALUES (%(version)s, %(document)s)
ON CONFLICT (version) DO NOTHING
"""
