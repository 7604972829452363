"""Statements on the listing: what the site named, and which of it has still to be fetched."""

from __future__ import annotations

SET_LISTED = """
INSERT INTO trends.listed_logs AS l (logid, day, uploaded_at, listed_at)
SELECT logid, (uploaded_at AT TIME ZONE 'UTC')::date, uploaded_at, %(listed_at)s
  FROM unnest(%(logids)s::integer[], %(uploaded_at)s::timestamptz[]) AS n (logid, uploaded_at)
 ORDER BY logid
ON CONFLICT (logid) DO UPDATE
   SET day = excluded.day, uploaded_at = excluded.uploaded_at, listed_at = excluded.listed_at
 WHERE excluded.listed_at > l.listed_at
"""
SET_LISTED_DAYS = """
INSERT INTO trends.listed_days AS l (day, listed_at, logs, pages)
SELECT n.day, %(listed_at)s, (SELECT count(*) FROM trends.listed_logs WHERE day = n.day), %(pages)s
  FROM unnest(%(days)s::date[]) AS n (day)
 ORDER BY n.day
ON CONFLICT (day) DO UPDATE
   SET listed_at = excluded.listed_at, logs = excluded.logs, pages = excluded.pages
 WHERE excluded.listed_at > l.listed_at
"""

# Never imported; missing or cut short, and long enough ago (20 minutes, or 2 where the site did not answer, then twice
# as long each time, at most a week; 15 times in all); or uploaded anew since, which is asked for once, whatever the log
# itself says of its time.
_IS_DUE = """
(i.logid IS NULL
 OR (%(again)s OR (i.attempts < 15 AND i.changed_at + least(
        CASE WHEN i.reason LIKE 'no_answer%%' THEN interval '1 minute' ELSE interval '10 minutes' END
        * 2 ^ least(i.attempts, 12), interval '7 days') <= now()))
    AND (i.state = 'missing' OR i.state = 'quarantined' AND i.reason LIKE 'not_json%%' AND i.source LIKE 'api:%%')
 OR l.uploaded_at > i.uploaded_at AND l.asked_for IS DISTINCT FROM l.uploaded_at)
"""
DUE_LOGS = f"""
SELECT l.logid, l.uploaded_at
  FROM trends.listed_logs l LEFT JOIN trends.import_ledger i USING (logid)
 WHERE l.day = %(day)s AND {_IS_DUE}
 ORDER BY l.logid
"""  # noqa: S608 - a piece of our own
SET_ASKED_FOR = "UPDATE trends.listed_logs SET asked_for = uploaded_at WHERE logid = ANY(%(logids)s)"

# What sensor and checks look at.
LISTED_DAYS = "SELECT day, listed_at FROM trends.listed_days"
DUE_DAYS = f"""
SELECT DISTINCT l.day
  FROM trends.listed_logs l LEFT JOIN trends.import_ledger i USING (logid)
 WHERE l.day >= %(first_day)s AND {_IS_DUE}
 ORDER BY l.day
 LIMIT 31
"""  # noqa: S608 - likewise
# Named by the site and not here, for longer than the site is given to deliver.
OLD_GAPS = """
SELECT l.logid / 100000 AS block, count(*), min(l.logid), max(l.logid), min(l.uploaded_at), min(i.reason)
  FROM trends.listed_logs l LEFT JOIN trends.import_ledger i USING (logid)
 WHERE (i.logid IS NULL OR i.state = 'missing' AND NOT (i.reason LIKE 'not_found%%' AND i.attempts >= 3))
   AND l.uploaded_at < now() - make_interval(hours => %(hours)s)
 GROUP BY 1
 ORDER BY 1
"""
DAY_STATE = """
SELECT count(*), count(*) FILTER (WHERE i.state IS NOT NULL AND i.state <> 'missing'),
       count(*) FILTER (WHERE i.state = 'missing'), count(*) FILTER (WHERE i.state = 'quarantined'),
       min(l.uploaded_at), max(l.uploaded_at)
  FROM trends.listed_logs l LEFT JOIN trends.import_ledger i USING (logid)
 WHERE l.day = %(day)s
"""
