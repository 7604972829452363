"""The statements that make a day of a typed table from raw events. Windows are half-open and UTC.

{table} and {leaf} are filled in by `psycopg2.sql`: typed tables come from the schema file.
"""

# --- reading raw events ----------------------------------------------------------------------------------------

# One state of the database for all that is read of a day.
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Of small reads, each of which is planned: compiling would cost more than reading.
READING = "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL work_mem = '64MB'"

# The pages to read: of the largest table partition that the window touches, from the first to before the last. Bounds
# are read as the catalog shows them in this session, which is set to UTC.
PAGES = r"""
SELECT 0::bigint, coalesce(max(pg_relation_size(relid) / current_setting('block_size')::int), 0)::bigint
FROM pg_partition_tree('events.raw_events') JOIN pg_class c ON c.oid = relid
CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS text) AS bounds
WHERE isleaf
  AND coalesce(substring(bounds.text FROM $$FROM \('([^']+)'\)$$)::timestamptz, '-infinity') < %(end)s
  AND coalesce(substring(bounds.text FROM $$TO \('([^']+)'\)$$)::timestamptz, 'infinity') > %(start)s
"""
# Of the newest events only: found by the key, for they are few.
PAGES_OF_FEW = """
SELECT coalesce((min(ctid)::text::point)[0], 0)::bigint, coalesce((max(ctid)::text::point)[0] + 1, 0)::bigint
FROM events.raw_events WHERE received_at >= %(start)s AND received_at < %(end)s
"""

# A stretch of pages as one row: what is of fixed width in 32 bytes each, and the rest one behind the other. Building it
# here costs less than a row of eight fields for each event. All aggregates see the rows in the same order.
BLOCK = """
COPY (
    SELECT string_agg(timestamptz_send(received_at) || uuid_send(request_id) || int4send(request_position)
                      || int4send(octet_length(payload)), ''::bytea),
           string_agg(app_id, ','),
           string_agg(payload, ','::bytea),
           {headers}
    FROM events.raw_events
    WHERE table_name = {table_name} AND received_at >= {start} AND received_at < {end}
      AND ctid >= {first_page} AND ctid < {end_page}
) TO STDOUT (FORMAT binary)
"""
WITH_HEADERS = "string_agg(coalesce(headers, 'null'::bytea), ','::bytea)"
WITHOUT_HEADERS = "NULL::bytea"

# The same events in the same order, asked for where one of them is odd.
BLOCK_VERSIONS = """
SELECT schema_version FROM events.raw_events
WHERE table_name = %(table_name)s AND received_at >= %(start)s AND received_at < %(end)s
  AND ctid >= %(first_page)s::tid AND ctid < %(end_page)s::tid
"""

# Repeats: an event whose event_id its app had sent for the same table within the time before. Names that come only once
# are most, and are gone after one pass; the last of the others before each is looked at.
REPEATS = """
WITH named AS (
    SELECT received_at, request_id, request_position, app_id, event_id
    FROM events.raw_events
    WHERE table_name = %(table_name)s AND event_id IS NOT NULL
      AND received_at >= %(start)s::timestamptz - %(lateness)s::interval AND received_at < %(end)s
), repeated AS (
    SELECT app_id, event_id FROM named GROUP BY app_id, event_id HAVING count(*) > 1 AND max(received_at) >= %(start)s
), followed AS (
    SELECT received_at, request_id, request_position,
           lag(received_at) OVER (PARTITION BY app_id, event_id ORDER BY received_at, request_id, request_position)
               AS before_at
    FROM named JOIN repeated USING (app_id, event_id)
)
SELECT received_at, request_id, request_position FROM followed
WHERE received_at >= %(start)s AND before_at >= received_at - %(lateness)s::interval
"""

NOW = "SELECT clock_timestamp()"
RAW_IS_THERE = """
SELECT EXISTS (SELECT FROM events.raw_events WHERE received_at >= %(start)s AND received_at < %(end)s)
"""
COUNT_REPLAYS = """
SELECT count(*) FROM events.spool_replays WHERE day >= %(first_day)s AND day <= %(day)s AND added > 0
"""
COUNT_RAW_BEFORE = """
SELECT count(*), count(event_id), min(received_at), max(received_at) FROM events.raw_events
WHERE table_name = %(table_name)s AND received_at >= %(day_start)s AND received_at < %(start)s
"""

# --- replacing typed rows --------------------------------------------------------------------------------------

# Before the catalog is read: what it says then holds until the transaction ends.
HOLD_TABLE = "LOCK TABLE ONLY {table} IN ROW EXCLUSIVE MODE"
DELETE_ROWS = "DELETE FROM {table} WHERE received_at >= %(start)s AND received_at < %(end)s"
DELETE_QUARANTINE = """
DELETE FROM events.quarantine
WHERE stage = 'typed' AND table_name = %(table_name)s AND received_at >= %(start)s AND received_at < %(end)s
"""
MAKE_KEYS = """
CREATE TEMP TABLE repeats (received_at timestamptz, request_id uuid, request_position integer) ON COMMIT DROP;
CREATE TEMP TABLE refusals (received_at timestamptz, request_id uuid, request_position integer,
    reason text, column_name text, detail text) ON COMMIT DROP
"""
# After they are filled: keys of one event in a hundred are looked up, more are hashed. What is looked up has just been
# read, so that its pages are in memory.
ANALYZE_KEYS = "ANALYZE repeats; ANALYZE refusals; SET LOCAL random_page_cost = 1.1"
DELETE_REPEATS = """
DELETE FROM {table} AS t USING repeats AS r
WHERE t.received_at = r.received_at AND t.request_id = r.request_id AND t.request_position = r.request_position
  AND t.received_at >= %(start)s AND t.received_at < %(end)s
"""
ADD_QUARANTINE = """
INSERT INTO events.quarantine (received_at, request_id, request_position, stage, app_id, table_name, event_id, reason,
    column_name, detail, schema_version, headers, payload)
SELECT received_at, request_id, request_position, 'typed', e.app_id, e.table_name, e.event_id, f.reason, f.column_name,
    f.detail, %(version)s, e.headers, e.payload
FROM refusals AS f JOIN events.raw_events AS e USING (received_at, request_id, request_position)
WHERE e.received_at >= %(start)s AND e.received_at < %(end)s
  AND NOT EXISTS (SELECT FROM repeats AS r WHERE r.received_at = f.received_at AND r.request_id = f.request_id
                  AND r.request_position = f.request_position)
"""

COUNT_TYPED_BEFORE = """
SELECT (SELECT count(*) FROM {table} WHERE received_at >= %(day_start)s AND received_at < %(start)s),
       (SELECT count(*) FROM events.quarantine WHERE stage = 'typed' AND table_name = %(table_name)s
        AND received_at >= %(day_start)s AND received_at < %(start)s)
"""

TABLE_DAY = """
SELECT definition, replays, complete_until, received
FROM events.table_days WHERE table_name = %(table_name)s AND day = %(day)s
"""
# Days before, which repeats are looked for in: had they events that are there no more?
DAYS_WITH_EVENTS = """
SELECT day FROM events.table_days
WHERE table_name = %(table_name)s AND day >= %(first_day)s AND day <= %(day)s AND received > 0 ORDER BY day
"""
KEEP_TABLE_DAY = """
INSERT INTO events.table_days (table_name, day, definition, replays, complete_until, received, stored, quarantined,
    repeats, identified, replaced_at)
VALUES (%(table_name)s, %(day)s, %(definition)s, %(replays)s, %(complete_until)s, %(received)s, %(stored)s,
    %(quarantined)s, %(repeats)s, %(identified)s, clock_timestamp())
ON CONFLICT (table_name, day) DO UPDATE
SET definition = excluded.definition, replays = excluded.replays, complete_until = excluded.complete_until,
    received = excluded.received, stored = excluded.stored, quarantined = excluded.quarantined,
    repeats = excluded.repeats, identified = excluded.identified, replaced_at = excluded.replaced_at
"""
