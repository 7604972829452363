"""Statements behind reports, checks and charts."""

from __future__ import annotations

RAW_DAYS = """
SELECT (l.uploaded_at AT TIME ZONE 'UTC')::date AS day, count(r.logid), coalesce(sum(r.content_bytes), 0)::bigint,
       coalesce(sum(octet_length(r.content)), 0)::bigint, count(*) FILTER (WHERE l.state = 'quarantined'),
       count(*) FILTER (WHERE l.state = 'missing'), min(r.uploaded_at), max(r.uploaded_at)
FROM trends.import_ledger l LEFT JOIN trends.raw_logs r USING (logid)
WHERE l.uploaded_at >= %(first)s::date AND l.uploaded_at < %(last)s::date + 1
GROUP BY 1
"""
ROWS_OF_DAYS = "SELECT day, count(*) FROM {table} WHERE day = ANY(%(days)s) GROUP BY day"

# Ids nobody has asked for lie between the first and the newest id of a block that has any.
BLOCKS = """
SELECT logid / 100000 AS block,
       count(*) FILTER (WHERE state IN ('parsed', 'bogus', 'duplicate', 'banned')) AS imported,
       count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
       count(*) FILTER (WHERE state = 'missing') AS missing,
       max(logid) - min(logid) + 1 - count(*) AS never_asked_for,
       max(logid) AS newest
FROM trends.import_ledger GROUP BY 1 ORDER BY 1 DESC
"""

# Logids in a row that nobody has asked for, between two we know. Where all days between the two were listed the site
# has no such logs, and nothing is missing. Reads the key of the ledger once: a second or two for millions.
LOGID_GAPS = """
SELECT first, last, since
FROM (SELECT logid + 1 AS first, lead(logid) OVER w - 1 AS last, coalesce(uploaded_at, changed_at) AS since,
             lead(coalesce(uploaded_at, changed_at)) OVER w AS until
      FROM trends.import_ledger WINDOW w AS (ORDER BY logid)) AS gap
WHERE last - first + 1 >= %(gap_logids)s
  AND until < now() - make_interval(hours => %(hours)s)
  AND (SELECT count(*) FROM trends.listed_days
       WHERE day BETWEEN (since AT TIME ZONE 'UTC')::date AND (until AT TIME ZONE 'UTC')::date)
      < abs((until AT TIME ZONE 'UTC')::date - (since AT TIME ZONE 'UTC')::date) + 1
ORDER BY first
"""

# The last days that have logs, whenever that was: a stopped import does not empty the chart.
FORMATS_PER_DAY = """
SELECT day, format::text, count(*) FROM trends.games
WHERE day > (SELECT max(day) FROM trends.days) - %(days)s AND format IS NOT NULL
GROUP BY day, format
"""
LAG_PER_DAY = """
SELECT (uploaded_at AT TIME ZONE 'UTC')::date AS day,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM changed_at - uploaded_at)) / 3600
FROM trends.import_ledger
WHERE uploaded_at > (SELECT max(day) FROM trends.days) - %(days)s AND state <> 'missing'
GROUP BY 1 ORDER BY 1
"""

# Of the newest logs, by upload, or by when they were tried where they tell no date.
SHARES = """
SELECT count(*), count(*) FILTER (WHERE state = 'quarantined'), count(*) FILTER (WHERE state = 'duplicate')
FROM trends.import_ledger
WHERE state <> 'missing'
  AND coalesce(uploaded_at, changed_at)
      > (SELECT max(uploaded_at) FROM trends.import_ledger) - %(days)s * interval '1 day'
"""
QUARANTINE_BY_REASON = "SELECT reason, count(*) FROM trends.quarantine GROUP BY reason ORDER BY count(*) DESC, reason"
# Rows whose game is not there or does not count.
STRAYS = """
SELECT count(*) FROM {table} t
WHERE t.day = ANY(%(days)s)
  AND NOT EXISTS (SELECT FROM trends.games g WHERE g.logid = t.logid AND g.day = t.day AND g.is_counted)
"""
# Kept apart from keys: most tables have none, see the migration of their block ranges.
REPEATED_ROWS = """
SELECT count(*) FROM (SELECT FROM {table} WHERE day = ANY(%(days)s) GROUP BY {key} HAVING count(*) > 1) AS repeated
"""

FILES_KNOWN = "SELECT name, version FROM trends.imported_files"
SET_IMPORTED = """
INSERT INTO trends.imported_files (name, version, file_bytes, logs, quarantined, imported_at)
VALUES (%(name)s, %(version)s, %(file_bytes)s, %(logs)s, %(quarantined)s, now())
ON CONFLICT (name) DO UPDATE
SET version = excluded.version, file_bytes = excluded.file_bytes, logs = excluded.logs,
    quarantined = excluded.quarantined, imported_at = excluded.imported_at
"""
