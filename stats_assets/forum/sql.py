"""The frontier's SQL: crawlers, their leases, what is due and what is told of it.

What a page stores is in `board_sql` and `page_sql`, the rate limit in `pace_sql`, the daily counts in `count_sql`.
"""

from __future__ import annotations

# --- crawlers -----------------------------------------------------------------------------------------------------

CRAWLERS_LOCK = 0x464F5255  # class of the advisory locks by which crawlers show that they live

NEW_CRAWLER = "SELECT nextval('forum.crawlers')::integer"
REGISTER = "SELECT pg_advisory_lock(%(lock)s, %(owner)s)"

# Nothing a crawl commits needs to reach the disk at once: after a crash of the server rows and cursors are both as
# they were a moment earlier. A page's plan is the same whatever is on it.
SESSION = (
    "SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan; "
    "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
)

# Kinds in the order in which they are worked on.
KINDS = ("boards", "listing", "thread", "audit", "refresh", "tags")

# A lease ends by its time or with its owner's session. Served by the index on (kind, next_try_at).
CLAIM = """
UPDATE forum.work SET lease_owner = %(owner)s, lease_until = now() + interval '10 minutes', fence = fence + 1
WHERE kind = %(kind)s AND key = ANY(ARRAY(
    SELECT key FROM forum.work
    WHERE kind = %(kind)s AND next_try_at <= now() AND parked_at IS NULL
      AND (%(bids)s::integer[] IS NULL OR bid = ANY(%(bids)s))
      AND (lease_owner IS NULL OR lease_until < now() OR lease_owner <> ALL(ARRAY(
              SELECT objid::integer FROM pg_locks
              WHERE locktype = 'advisory' AND classid = %(lock)s AND objsubid = 2 AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))))
    ORDER BY kind, next_try_at, key LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING kind, key, bid, fence, next_page, last_pid, pages, tail_page, tail_pid, tail_posts, days, attempts, changes,
          is_whole, kind = 'thread' AND last_ok_at IS NULL
"""
GIVE_BACK = """
UPDATE forum.work SET lease_owner = NULL, lease_until = NULL
WHERE kind = %(kind)s AND key = %(key)s AND fence = %(fence)s
"""
RELEASE = "UPDATE forum.work SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = %(owner)s"

# Seconds until something is due: 0 for now, NULL for nothing that is to be waited for (only what has failed is).
NEXT_DUE = """
SELECT min(CASE WHEN next_try_at <= now() THEN 0 ELSE extract(epoch FROM next_try_at - now()) END)
FROM forum.work
WHERE parked_at IS NULL AND (next_try_at <= now() OR attempts > 0)
  AND (%(bids)s::integer[] IS NULL OR bid = ANY(%(bids)s)) AND kind = ANY(%(kinds)s)
"""

FAILED = """
WITH failed AS (
    UPDATE forum.work SET attempts = attempts + 1, last_error = %(error)s, lease_owner = NULL, lease_until = NULL,
        next_try_at = now() + %(delay)s * interval '1 second',
        parked_at = CASE WHEN attempts + 1 >= %(most)s THEN now() END
    WHERE kind = %(kind)s AND key = %(key)s AND fence = %(fence)s
    RETURNING parked_at IS NOT NULL AS is_parked)
INSERT INTO forum.quarantine (kind, key, page, url, status, reason, found, body_sample)
SELECT %(kind)s, %(key)s, %(page)s, %(url)s, %(status)s, %(reason)s, %(error)s, %(body)s FROM failed
ON CONFLICT (kind, key) DO UPDATE SET
    page = excluded.page, url = excluded.url, failed_at = now(), status = excluded.status,
    reason = excluded.reason, found = excluded.found, body_sample = excluded.body_sample
RETURNING (SELECT is_parked FROM failed)
"""
# What failed only because the forum was away is not to be blamed on the pages.
ABSOLVE = """
UPDATE forum.work SET attempts = greatest(0, attempts - %(failures)s), parked_at = NULL
WHERE kind = %(kind)s AND key = %(key)s
"""
MENDED = "DELETE FROM forum.quarantine WHERE kind = %(kind)s AND key = %(key)s"

# Ends a unit's pass; what it is asked of again and when is given. 0 rows: the lease is not ours any more.
FINISH = """
UPDATE forum.work SET next_page = %(next_page)s, last_pid = 0, pages = 0, is_whole = false, attempts = 0,
    next_try_at = now() + %(delay)s * interval '1 second', last_ok_at = now(), last_error = NULL,
    lease_owner = NULL, lease_until = NULL
WHERE kind = %(kind)s AND key = %(key)s AND fence = %(fence)s AND lease_owner = %(owner)s
"""
GO_ON = """
UPDATE forum.work SET next_page = %(next_page)s, pages = pages + 1, attempts = 0, last_ok_at = now(),
    lease_until = now() + interval '10 minutes'
WHERE kind = %(kind)s AND key = %(key)s AND fence = %(fence)s AND lease_owner = %(owner)s
"""

# A new round: lists and listings are looked at now, whatever their time.
FIRST_UNIT = "INSERT INTO forum.work (kind, key) VALUES ('boards', 0) ON CONFLICT DO NOTHING"
LOOK_NOW = """
UPDATE forum.work SET next_try_at = now()
WHERE kind IN ('boards', 'listing') AND next_try_at > now() AND attempts = 0 AND parked_at IS NULL
"""
# The lists are never given up for good: without them nothing new would be seen.
UNPARK_LISTS = """
UPDATE forum.work SET parked_at = NULL, attempts = 0, next_try_at = now()
WHERE kind IN ('boards', 'listing') AND parked_at IS NOT NULL
  AND (%(look_now)s OR parked_at < now() - interval '1 hour')
"""
READ_ALL_AGAIN = """
UPDATE forum.work SET next_try_at = now(), is_whole = (kind = 'audit'),
    next_page = CASE WHEN kind = 'audit' THEN 1 ELSE next_page END
WHERE kind IN ('refresh', 'audit') AND parked_at IS NULL AND attempts = 0
"""
UNPARK = """
WITH again AS (
    UPDATE forum.work SET parked_at = NULL, attempts = 0, next_try_at = now() WHERE parked_at IS NOT NULL
    RETURNING kind, key)
DELETE FROM forum.quarantine q USING again WHERE q.kind = again.kind AND q.key = again.key
"""

# --- what is told of the frontier ------------------------------------------------------------------------------------

STATUS = """
SELECT kind, count(*), count(*) FILTER (WHERE next_try_at <= now() AND parked_at IS NULL
           OR kind IN ('boards', 'listing') AND parked_at < now() - interval '1 hour'),
       count(*) FILTER (WHERE parked_at IS NOT NULL), count(*) FILTER (WHERE attempts > 0 AND parked_at IS NULL),
       coalesce(max(extract(epoch FROM now() - next_try_at))
           FILTER (WHERE parked_at IS NULL AND next_try_at <= now()), 0)::float8
FROM forum.work GROUP BY kind ORDER BY kind
"""
PARKED = """
SELECT w.kind, w.key, coalesce(q.url, ''), coalesce(w.last_error, '')
FROM forum.work w LEFT JOIN forum.quarantine q USING (kind, key)
WHERE w.parked_at IS NOT NULL ORDER BY w.kind, w.key
"""
BOARD_KEYS = """
SELECT bid FROM forum.boards WHERE state <> 'gone' AND (%(bids)s::integer[] IS NULL OR bid = ANY(%(bids)s)) ORDER BY bid
"""
BOARD_COUNTS = """
SELECT b.bid, count(t.tid) FILTER (WHERE t.state = 'live'),
       coalesce(sum(t.n_posts) FILTER (WHERE t.state = 'live'), 0)
FROM forum.boards b LEFT JOIN forum.threads t USING (bid) WHERE b.bid = ANY(%(bids)s) GROUP BY b.bid
"""
