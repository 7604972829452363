"""The statements that find days whose typed tables are not what they would be if they were made now."""

# Days with raw events, by the key; those of today are asked for apart.
RAW_DAYS = """
SELECT d::date FROM generate_series(%(first_day)s::date, %(last_day)s::date, interval '1 day') AS d
WHERE EXISTS (SELECT FROM events.raw_events
              WHERE received_at >= d AT TIME ZONE 'UTC' AND received_at < (d + interval '1 day') AT TIME ZONE 'UTC')
"""
# With the number of replays there are now that its events or its repeats could be in.
TABLE_DAYS = """
SELECT table_name, day, definition, complete_until, replaced_at,
       replays = (SELECT count(*) FROM events.spool_replays r
                  WHERE r.day >= t.day - %(lateness_days)s AND r.day <= t.day AND r.added > 0)
FROM events.table_days t WHERE day >= %(first_day)s
"""
HAS_NEWER = """
SELECT EXISTS (SELECT FROM events.raw_events WHERE received_at >= %(since)s AND received_at < %(end)s)
"""
"""Whether anything has come since the typed rows of a day were complete."""
