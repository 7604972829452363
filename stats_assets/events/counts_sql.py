"""The statements of daily_event_counts, of what is told of raw days, and of the checks. Windows are half-open, UTC."""

DELETE_COUNTS = "DELETE FROM events.daily_event_counts WHERE day = %(day)s"
DELETE_UNKNOWN = "DELETE FROM events.unknown_columns WHERE day = %(day)s"

# Rows of the typed tables by app, one typed table after the other into a table of this transaction.
MAKE_STORED = """
CREATE TEMP TABLE stored (app_id text, table_name text, stored bigint, with_unknown_columns bigint) ON COMMIT DROP
"""
ADD_STORED = """
INSERT INTO stored (app_id, table_name, stored, with_unknown_columns)
SELECT app_id, %(table_name)s, count(*), count(extra) FROM {table}
WHERE received_at >= %(start)s AND received_at < %(end)s GROUP BY app_id
"""
ADD_UNKNOWN = """
INSERT INTO events.unknown_columns (day, app_id, table_name, column_name, events)
SELECT %(day)s, app_id, %(table_name)s, key, count(*)
FROM {table} CROSS JOIN LATERAL jsonb_object_keys(extra) AS key
WHERE received_at >= %(start)s AND received_at < %(end)s AND extra IS NOT NULL
GROUP BY app_id, key
"""
# Repeats are what is left of the events of a table that is made for the day; of others they are not known yet.
ADD_COUNTS = """
WITH received AS (
    SELECT app_id, table_name, count(*) AS events FROM events.raw_events
    WHERE received_at >= %(start)s AND received_at < %(end)s GROUP BY app_id, table_name
), refused AS (
    SELECT app_id, coalesce(table_name, '') AS table_name, count(*) FILTER (WHERE stage = 'typed') AS quarantined,
           count(*) FILTER (WHERE stage = 'received') AS refused
    FROM events.quarantine WHERE received_at >= %(start)s AND received_at < %(end)s GROUP BY 1, 2
), counted AS (
    SELECT coalesce(e.app_id, q.app_id) AS app_id, coalesce(e.table_name, q.table_name) AS table_name,
           coalesce(e.events, 0) AS received, coalesce(s.stored, 0) AS stored,
           coalesce(q.quarantined, 0) AS quarantined, coalesce(q.refused, 0) AS refused,
           coalesce(s.with_unknown_columns, 0) AS with_unknown_columns
    FROM received e
    FULL JOIN refused q USING (app_id, table_name)
    LEFT JOIN stored s ON s.app_id = e.app_id AND s.table_name = e.table_name
)
INSERT INTO events.daily_event_counts (day, app_id, table_name, received, stored, repeats, quarantined, refused,
    with_unknown_columns)
SELECT %(day)s, app_id, table_name, received, stored,
       CASE WHEN table_name = ANY(%(made)s) THEN greatest(received - stored - quarantined, 0) ELSE 0 END,
       quarantined, refused, with_unknown_columns
FROM counted
"""
SUMS = """
SELECT count(*), coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint,
       coalesce(sum(repeats), 0)::bigint, coalesce(sum(quarantined), 0)::bigint, coalesce(sum(refused), 0)::bigint,
       coalesce(sum(with_unknown_columns), 0)::bigint
FROM events.daily_event_counts WHERE day = %(day)s
"""
MADE_TABLES = "SELECT table_name FROM events.table_days WHERE day = %(day)s"

RAW_DAY = """
SELECT count(*), count(DISTINCT app_id), coalesce(sum(octet_length(payload)), 0)::bigint, min(received_at),
       max(received_at), count(event_id), count(DISTINCT schema_version)
FROM events.raw_events WHERE received_at >= %(start)s AND received_at < %(end)s
"""

# --- checks ----------------------------------------------------------------------------------------------------

# An app's events of a day beside the median of the same weekday in eight weeks, of all it sends, refused or not. Days
# nothing came count as none once the app is known; where the weeks are too few, the week before is asked.
BESIDE_USUAL = """
WITH totals AS (
    SELECT day, app_id, sum(received + refused) AS events FROM events.daily_event_counts
    WHERE day >= (SELECT min(d) - 56 FROM unnest(%(days)s::date[]) AS d)
      AND day <= (SELECT max(d) FROM unnest(%(days)s::date[]) AS d)
    GROUP BY day, app_id
), known AS (
    SELECT app_id, min(day) AS since FROM totals GROUP BY app_id
), asked AS (
    SELECT d AS day, known.app_id, since, coalesce(t.events, 0) AS events
    FROM unnest(%(days)s::date[]) AS d CROSS JOIN known LEFT JOIN totals t ON t.day = d AND t.app_id = known.app_id
), weeks AS (
    SELECT a.day, a.app_id, a.events,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(b.events, 0)) FILTER (WHERE a.day - 7 * back >= a.since)
               AS by_weekday,
           count(*) FILTER (WHERE a.day - 7 * back >= a.since) AS weekdays
    FROM asked a CROSS JOIN generate_series(1, 8) AS back
    LEFT JOIN totals b ON b.app_id = a.app_id AND b.day = a.day - 7 * back
    GROUP BY a.day, a.app_id, a.events
), days AS (
    SELECT a.day, a.app_id,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(b.events, 0)) FILTER (WHERE a.day - back >= a.since)
               AS by_day,
           count(*) FILTER (WHERE a.day - back >= a.since) AS days
    FROM asked a CROSS JOIN generate_series(1, 7) AS back
    LEFT JOIN totals b ON b.app_id = a.app_id AND b.day = a.day - back
    GROUP BY a.day, a.app_id
), usual AS (
    SELECT w.day, w.app_id, w.events,
           CASE WHEN w.weekdays >= %(least_weeks)s THEN w.by_weekday WHEN d.days >= %(least_days)s THEN d.by_day END
               AS usual
    FROM weeks w JOIN days d USING (day, app_id)
)
SELECT day, app_id, events, usual FROM usual WHERE {unusual} ORDER BY day, app_id
"""
DROPPED = BESIDE_USUAL.format(unusual="events < usual * (1 - least(%(change)s, 1)::float)")
RISEN = BESIDE_USUAL.format(unusual="events > usual * (1 + %(change)s::float)")

QUARANTINE_SHARES = """
SELECT day, app_id, sum(quarantined + refused)::bigint, sum(received + refused)::bigint
FROM events.daily_event_counts WHERE day = ANY(%(days)s::date[]) GROUP BY day, app_id ORDER BY day, app_id
"""
UNKNOWN_COLUMNS = """
SELECT day, app_id, table_name, column_name, events FROM events.unknown_columns
WHERE day = ANY(%(days)s::date[]) ORDER BY day, events DESC, app_id, table_name, column_name
"""
