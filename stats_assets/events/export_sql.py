"""The statements of `./stats export events`."""

# All files show the same moment.
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

TYPED_TABLES = """
SELECT c.relname::text FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'extra' AND NOT a.attisdropped
WHERE c.relnamespace = 'events'::regnamespace AND c.relkind = 'p' ORDER BY c.relname COLLATE "C"
"""
COLUMNS = """
SELECT a.attname::text FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'events'::regnamespace AND c.relname = %(name)s
WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
TYPED = """
SELECT {columns} FROM {table} ORDER BY app_id COLLATE "C", received_at, request_id, request_position
"""

FILES = {
    "quarantine": """
SELECT app_id, received_at, request_id, request_position, stage, table_name, event_id, reason, column_name, detail,
       schema_version, convert_from(headers, 'UTF8') AS headers, convert_from(payload, 'UTF8') AS payload
FROM events.quarantine ORDER BY app_id, received_at, request_id, request_position
""",
    "daily_event_counts": """
SELECT day, app_id, table_name, received, stored, repeats, quarantined, refused, with_unknown_columns
FROM events.daily_event_counts ORDER BY day, app_id, table_name
""",
    "unknown_columns": """
SELECT day, app_id, table_name, column_name, events
FROM events.unknown_columns ORDER BY day, app_id, table_name, column_name
""",
}
