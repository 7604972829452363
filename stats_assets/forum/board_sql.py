"""SQL of the list of boards and of the boards' listings."""

from __future__ import annotations

STORE_CATEGORIES = """
INSERT INTO forum.categories AS c (cid, name, description)
SELECT * FROM unnest(%(cid)s::integer[], %(name)s::text[], %(description)s::text[])
ON CONFLICT (cid) DO UPDATE SET name = excluded.name, description = excluded.description
WHERE (c.name, c.description) IS DISTINCT FROM (excluded.name, excluded.description)
"""
# A board we may not read stays so until its own listing says otherwise.
STORE_BOARDS = """
INSERT INTO forum.boards AS b (bid, cid, name, description, est_threads, est_replies)
SELECT * FROM unnest(%(bid)s::integer[], %(cid)s::integer[], %(name)s::text[], %(description)s::text[],
                     %(est_threads)s::integer[], %(est_replies)s::integer[])
ON CONFLICT (bid) DO UPDATE SET
    cid = excluded.cid, name = excluded.name, description = excluded.description, est_threads = excluded.est_threads,
    est_replies = excluded.est_replies, state = CASE b.state WHEN 'gone' THEN 'live' ELSE b.state END,
    last_seen_at = now()
WHERE (b.cid, b.name, b.description, b.est_threads, b.est_replies) IS DISTINCT FROM
      (excluded.cid, excluded.name, excluded.description, excluded.est_threads, excluded.est_replies)
   OR b.state = 'gone'
"""
BOARDS_GONE = """
UPDATE forum.boards SET state = 'gone', last_seen_at = coalesce(
    (SELECT last_ok_at FROM forum.work WHERE kind = 'boards' AND key = 0), last_seen_at)
WHERE bid <> ALL(%(bid)s) AND state <> 'gone' RETURNING bid
"""
BOARD_STATE = (
    "UPDATE forum.boards SET state = %(state)s, last_seen_at = now() WHERE bid = %(bid)s AND state <> %(state)s"
)
# Its listings are asked no more; its threads have moved or are gone, as reading them will tell.
FORGET_LISTINGS = "DELETE FROM forum.work WHERE kind IN ('listing', 'audit') AND key = ANY(%(bid)s)"
READ_THREADS_OF = """
UPDATE forum.work w SET next_try_at = now() FROM forum.threads t
WHERE w.kind = 'refresh' AND w.key = t.tid AND t.bid = ANY(%(bid)s) AND t.state = 'live' AND w.next_try_at > now()
"""
WANT_LISTINGS = """
INSERT INTO forum.work (kind, key, bid, next_try_at)
SELECT kind, bid, bid, now() + delay FROM unnest(%(bid)s::integer[]) AS bid,
    (VALUES ('listing', interval '0'), ('audit', interval '1 day')) AS kinds (kind, delay)
ON CONFLICT DO NOTHING
"""
KNOWN_THREADS = """
SELECT t.tid, t.est_replies, t.state = 'live', t.n_posts IS NOT NULL, coalesce(w.last_ok_at > l.since, false)
FROM forum.threads t
    LEFT JOIN LATERAL (SELECT last_ok_at FROM forum.work WHERE kind = 'thread' AND key = t.tid OFFSET 0) w ON true
    LEFT JOIN forum.work l ON l.kind = 'listing' AND l.key = %(bid)s
WHERE t.tid = ANY(%(tid)s)
"""
# State, ends and number of posts are told by the thread's own pages only.
STORE_LISTED = """
INSERT INTO forum.threads AS t (tid, bid, title, subtitle, is_closed, is_sticky, is_important, is_announcement,
    is_global, hit_count, est_replies)
SELECT * FROM unnest(%(tid)s::integer[], %(bid)s::integer[], %(title)s::text[], %(subtitle)s::text[],
    %(is_closed)s::boolean[], %(is_sticky)s::boolean[], %(is_important)s::boolean[], %(is_announcement)s::boolean[],
    %(is_global)s::boolean[], %(hit_count)s::integer[], %(est_replies)s::integer[])
ON CONFLICT (tid) DO UPDATE SET
    bid = excluded.bid, title = excluded.title, subtitle = excluded.subtitle, is_closed = excluded.is_closed,
    is_sticky = excluded.is_sticky, is_important = excluded.is_important, is_announcement = excluded.is_announcement,
    is_global = excluded.is_global, hit_count = excluded.hit_count, est_replies = excluded.est_replies,
    last_seen_at = now()
WHERE (t.bid, t.title, t.subtitle, t.is_closed, t.is_sticky, t.is_important, t.is_announcement, t.is_global,
       t.hit_count, t.est_replies) IS DISTINCT FROM
      (excluded.bid, excluded.title, excluded.subtitle, excluded.is_closed, excluded.is_sticky, excluded.is_important,
       excluded.is_announcement, excluded.is_global, excluded.hit_count, excluded.est_replies)
"""
# Before STORE_LISTED: the posts of a thread that moves count in another board from now on.
MARK_MOVED = """
INSERT INTO forum.changed_days (day)
SELECT DISTINCT (p.posted_at AT TIME ZONE 'UTC')::date
FROM unnest(%(tid)s::integer[], %(bid)s::integer[]) AS u (tid, bid),
    LATERAL (SELECT tid FROM forum.threads WHERE tid = u.tid AND bid <> u.bid OFFSET 0) t,
    LATERAL (SELECT posted_at FROM forum.posts WHERE tid = t.tid AND state = 'live' OFFSET 0) p
"""
WANT_THREADS = """
INSERT INTO forum.work AS w (kind, key, bid)
SELECT 'thread', tid, bid FROM unnest(%(tid)s::integer[], %(bid)s::integer[]) AS u (tid, bid) ORDER BY tid
ON CONFLICT (kind, key) DO UPDATE SET bid = excluded.bid, next_try_at = now()
WHERE w.attempts = 0 AND w.parked_at IS NULL AND (w.next_try_at > now() OR w.bid <> excluded.bid)
"""
GUARD = "UPDATE forum.work SET guards = %(bid)s WHERE kind = 'thread' AND key = %(tid)s"
