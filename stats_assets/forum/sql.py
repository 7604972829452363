"""The crawl's SQL. Statements of the daily counts are in `count_sql`, of the export in `export`."""

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
          is_whole
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

# --- the rate limit -----------------------------------------------------------------------------------------------

# Takes the next slot; slots are never closer than the rate allows, whoever takes them. A forum that has asked for
# patience is asked half as often, and after each quiet minute one step faster again.
TAKE_SLOT = """
INSERT INTO forum.pace AS p (base_url, next_at) VALUES (%(site)s, clock_timestamp() + %(gap)s * interval '1 second')
ON CONFLICT (base_url) DO UPDATE SET
    next_at = greatest(p.next_at, clock_timestamp()) + %(gap)s * interval '1 second' * p.slowdown,
    slowdown = CASE WHEN p.slowed_at < clock_timestamp() - interval '60 seconds' THEN greatest(1, p.slowdown / 2)
               ELSE p.slowdown END,
    slowed_at = CASE WHEN p.slowed_at < clock_timestamp() - interval '60 seconds' AND p.slowdown > 1
                THEN clock_timestamp() ELSE p.slowed_at END
RETURNING extract(epoch FROM p.next_at - %(gap)s * interval '1 second' * p.slowdown - clock_timestamp())
"""
SLOW_DOWN = """
INSERT INTO forum.pace AS p (base_url, next_at, slowdown, slowed_at)
VALUES (%(site)s, clock_timestamp() + %(seconds)s * interval '1 second', 2, clock_timestamp())
ON CONFLICT (base_url) DO UPDATE SET
    next_at = greatest(p.next_at, clock_timestamp() + %(seconds)s * interval '1 second'),
    slowdown = least(64, p.slowdown * 2), slowed_at = clock_timestamp()
"""
PAUSE = """
INSERT INTO forum.pace AS p (base_url, next_at)
VALUES (%(site)s, clock_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (base_url) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)
"""

# --- lists and listings -------------------------------------------------------------------------------------------

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
THREAD_COLUMNS = (
    *("tid", "bid", "title", "subtitle", "is_closed", "is_sticky", "is_important", "is_announcement", "is_global"),
    *("hit_count", "est_replies"),
)
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

# --- a page of a thread -------------------------------------------------------------------------------------------

# The whole page in one statement: what is stored and where the cursor goes stand or fall together. An unchanged page
# writes nothing but the cursor. `held` is empty when the lease has gone to another crawler: then nothing is written.
# Rows are ordered where crawlers often meet on them, so that they wait for each other instead of deadlocking. Where
# they hardly ever do, in the posts of one thread, the later one's page fails and is read again: ON CONFLICT would make
# every new post dearer.
PREPARE_STORE_PAGE = """
PREPARE forum_store_page (
    text, integer, bigint, integer,                                     -- 1 kind, key, fence, owner
    integer, integer, integer, integer, integer, integer,               -- 5 next_page, last_pid, tail_*, days
    integer, boolean, double precision,                                 -- 11 days if changed, is_end, seconds
    integer, text, text, boolean[], integer, integer,                   -- 14 bid, title, subtitle, flags, hits, replies
    boolean, integer, boolean, integer, integer,                        -- 20 first_pid; last_pid, n_posts
    integer, integer,                                                   -- 25 posts in this range and not given are gone
    integer[], integer[], double precision[], integer[], integer[],     -- 27 pid, uid, posted, edit_count, edit_uid
    double precision[], boolean[], integer[], text[], text[],           -- 32 edited, is_hidden, icon, title, content
    integer[], text[], integer[], integer[], integer[], integer[],      -- 37 users
    integer[], text[], double precision[], double precision[],          -- 43 names: uid, name, first, last
    integer[], text[],                                                  -- 47 avatars: avid, path
    integer                                                             -- 49 pages read in this pass
) AS
WITH held AS (
    SELECT last_ok_at, changes, guards FROM forum.work
    WHERE kind = $1 AND key = $2 AND fence = $3 AND lease_owner = $4 FOR UPDATE
), stored AS (
    SELECT o.* FROM held, forum.threads o WHERE o.tid = $2
), given AS (
    SELECT u.pid, u.uid, to_timestamp(u.posted) AS posted_at, u.edit_count, u.edit_uid,
           to_timestamp(u.edited) AS edited_at, u.is_hidden, u.icon_id, u.title, u.content,
           char_length(u.content) AS content_length
    FROM held, unnest($27, $28, $29, $30, $31, $32, $33, $34, $35, $36)
        AS u (pid, uid, posted, edit_count, edit_uid, edited, is_hidden, icon_id, title, content)
), changed AS (
    SELECT g.*, o.pid IS NOT NULL AS is_known, o.posted_at AS old_posted_at, coalesce(o.n_revisions, 0) AS n_revisions,
           o.edit_count AS old_edit_count, o.last_edit_uid AS old_edit_uid, o.last_edit_at AS old_edited_at,
           o.is_hidden AS old_is_hidden, c.title AS old_title, c.content AS old_content,
           o.pid IS NOT NULL AND (o.edit_count, o.last_edit_uid, o.last_edit_at, o.is_hidden, c.title, c.content)
               IS DISTINCT FROM (g.edit_count, g.edit_uid, g.edited_at, g.is_hidden, g.title, g.content) AS is_revised
    FROM given g
        LEFT JOIN LATERAL (SELECT * FROM forum.posts p WHERE p.pid = g.pid OFFSET 0) o ON true
        LEFT JOIN LATERAL (SELECT * FROM forum.post_contents p WHERE p.pid = g.pid OFFSET 0) c ON true
    WHERE o.pid IS NULL OR o.state <> 'live' OR
          (o.tid, o.poster_uid, o.posted_at, o.edit_count, o.last_edit_uid, o.last_edit_at, o.is_hidden, o.icon_id,
           c.title, c.content) IS DISTINCT FROM
          ($2, g.uid, g.posted_at, g.edit_count, g.edit_uid, g.edited_at, g.is_hidden, g.icon_id, g.title, g.content)
), revisions AS (
    INSERT INTO forum.post_revisions (pid, revision, edit_count, last_edit_uid, last_edit_at, is_hidden, title, content)
    SELECT pid, n_revisions + 1, old_edit_count, old_edit_uid, old_edited_at, old_is_hidden, old_title, old_content
    FROM changed WHERE is_revised
    ON CONFLICT DO NOTHING
), new_posts AS (
    INSERT INTO forum.posts (pid, tid, poster_uid, posted_at, edit_count, last_edit_uid, last_edit_at, is_hidden,
        content_length, icon_id)
    SELECT pid, $2, uid, posted_at, edit_count, edit_uid, edited_at, is_hidden, content_length, icon_id
    FROM changed WHERE NOT is_known
), new_contents AS (
    INSERT INTO forum.post_contents (pid, title, content)
    SELECT pid, title, content FROM changed WHERE NOT is_known
), posts AS (
    UPDATE forum.posts p SET
        tid = $2, poster_uid = c.uid, posted_at = c.posted_at, edit_count = c.edit_count, last_edit_uid = c.edit_uid,
        last_edit_at = c.edited_at, is_hidden = c.is_hidden, content_length = c.content_length, icon_id = c.icon_id,
        n_revisions = c.n_revisions + c.is_revised::integer, state = 'live', last_seen_at = now()
    FROM changed c WHERE c.is_known AND p.pid = c.pid AND p.pid = ANY(ARRAY(SELECT pid FROM changed WHERE is_known))
), contents AS (
    UPDATE forum.post_contents p SET title = c.title, content = c.content
    FROM changed c
    WHERE c.is_revised AND p.pid = c.pid AND p.pid = ANY(ARRAY(SELECT pid FROM changed WHERE is_revised))
), gone AS (
    UPDATE forum.posts p SET state = 'gone', last_seen_at = coalesce(held.last_ok_at, p.last_seen_at)
    FROM held
    WHERE (p.tid, p.pid) > ($2, $25) AND (p.tid, p.pid) <= ($2, $26) AND p.state = 'live' AND p.pid <> ALL($27)
    RETURNING p.posted_at
), days AS (
    INSERT INTO forum.changed_days (day)
    SELECT (posted_at AT TIME ZONE 'UTC')::date FROM changed
    UNION SELECT (old_posted_at AT TIME ZONE 'UTC')::date FROM changed WHERE is_known
    UNION SELECT (posted_at AT TIME ZONE 'UTC')::date FROM gone
), thread AS (
    INSERT INTO forum.threads AS t (tid, bid, title, subtitle, is_closed, is_sticky, is_important, is_announcement,
        is_global, hit_count, est_replies, first_pid, last_pid, n_posts)
    SELECT $2, $14, $15, $16, $17[1], $17[2], $17[3], $17[4], $17[5], $18, $19,
           CASE WHEN $20 THEN $21 ELSE o.first_pid END, CASE WHEN $22 THEN $23 ELSE o.last_pid END,
           CASE WHEN $22 THEN $24 ELSE o.n_posts END
    FROM held LEFT JOIN stored o ON true
    WHERE o.tid IS NULL OR o.state <> 'live' OR
          (o.bid, o.title, o.subtitle, o.is_closed, o.is_sticky, o.is_important, o.is_announcement, o.is_global,
           o.hit_count, o.est_replies) IS DISTINCT FROM
          ($14, $15, $16, $17[1], $17[2], $17[3], $17[4], $17[5], $18, $19)
       OR $20 AND o.first_pid IS DISTINCT FROM $21
       OR $22 AND (o.last_pid, o.n_posts) IS DISTINCT FROM ($23, $24)
    ON CONFLICT (tid) DO UPDATE SET
        bid = excluded.bid, title = excluded.title, subtitle = excluded.subtitle, is_closed = excluded.is_closed,
        is_sticky = excluded.is_sticky, is_important = excluded.is_important,
        is_announcement = excluded.is_announcement, is_global = excluded.is_global, hit_count = excluded.hit_count,
        est_replies = excluded.est_replies, first_pid = excluded.first_pid, last_pid = excluded.last_pid,
        n_posts = excluded.n_posts, state = 'live', last_seen_at = now()
    RETURNING 1
), moved AS (
    INSERT INTO forum.changed_days (day)
    SELECT (posted_at AT TIME ZONE 'UTC')::date FROM forum.posts
    WHERE state = 'live' AND tid = (SELECT tid FROM stored WHERE bid <> $14)
    UNION SELECT (posted_at AT TIME ZONE 'UTC')::date FROM forum.posts
    WHERE pid = ANY((SELECT ARRAY[first_pid, $21] FROM stored WHERE $20 AND first_pid <> $21)::integer[])
), users AS (
    INSERT INTO forum.users AS u (uid, name, name_pid, gid, gid_pid, avid)
    SELECT n.* FROM held, unnest($37, $38, $39, $40, $41, $42) AS n (uid, name, name_pid, gid, gid_pid, avid)
    ORDER BY n.uid
    ON CONFLICT (uid) DO UPDATE SET
        name = CASE WHEN excluded.name_pid >= u.name_pid THEN excluded.name ELSE u.name END,
        avid = CASE WHEN excluded.name_pid >= u.name_pid THEN excluded.avid ELSE u.avid END,
        name_pid = greatest(excluded.name_pid, u.name_pid),
        gid = CASE WHEN excluded.gid_pid >= u.gid_pid THEN coalesce(excluded.gid, u.gid) ELSE u.gid END,
        gid_pid = greatest(excluded.gid_pid, u.gid_pid)
    WHERE excluded.name_pid > u.name_pid OR excluded.gid_pid > u.gid_pid
       OR excluded.name_pid = u.name_pid AND (excluded.name, excluded.avid) IS DISTINCT FROM (u.name, u.avid)
       OR excluded.gid_pid = u.gid_pid AND excluded.gid IS NOT NULL AND excluded.gid IS DISTINCT FROM u.gid
), names AS (
    INSERT INTO forum.user_names AS u (uid, name, first_seen_at, last_seen_at)
    SELECT n.uid, n.name, to_timestamp(n.first), to_timestamp(n.last)
    FROM held, unnest($43, $44, $45, $46) AS n (uid, name, first, last) ORDER BY n.uid, n.name
    ON CONFLICT (uid, name) DO UPDATE SET
        first_seen_at = least(u.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at)
    WHERE excluded.first_seen_at < u.first_seen_at OR excluded.last_seen_at > u.last_seen_at
), avatars AS (
    INSERT INTO forum.avatars AS a (avid, path)
    SELECT n.* FROM held, unnest($47, $48) AS n (avid, path) ORDER BY n.avid
    ON CONFLICT (avid) DO UPDATE SET path = excluded.path WHERE a.path <> excluded.path
), listing AS (
    UPDATE forum.work l SET
        since = CASE WHEN has_grown THEN coalesce(l.since, l.last_ok_at) END,
        next_try_at = CASE WHEN has_grown THEN now() ELSE l.next_try_at END
    FROM held, (SELECT EXISTS (SELECT FROM changed WHERE NOT is_known)) AS g (has_grown)
    WHERE $12 AND l.kind = 'listing' AND l.key = held.guards AND l.parked_at IS NULL
      AND (has_grown OR l.since IS NOT NULL)
), refresh AS (
    INSERT INTO forum.work AS r (kind, key, bid, days, next_try_at)
    SELECT 'refresh', $2, $14, $10, now() + $13 * interval '1 second' FROM held WHERE $13 IS NOT NULL
    ON CONFLICT (kind, key) DO UPDATE SET
        bid = excluded.bid, next_try_at = excluded.next_try_at,
        days = excluded.days
    WHERE r.next_try_at > excluded.next_try_at
      AND ($13 = 0 OR (SELECT changes FROM held) > 0 OR EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM gone))
), total AS (
    SELECT held.changes + (SELECT count(*) FROM changed) + (SELECT count(*) FROM gone) AS changes FROM held
), cursor AS (
    UPDATE forum.work w SET
        bid = $14, next_page = $5, last_pid = $6, tail_page = $7, tail_pid = $8, tail_posts = $9,
        pages = CASE WHEN $12 THEN 0 ELSE $49 END, changes = CASE WHEN $12 THEN 0 ELSE total.changes END,
        days = CASE WHEN NOT $12 THEN days WHEN total.changes > 0 THEN $11 ELSE $10 END,
        guards = CASE WHEN $12 THEN NULL ELSE guards END, attempts = 0, last_error = NULL, last_ok_at = now(),
        next_try_at = CASE WHEN NOT $12 THEN next_try_at WHEN kind = 'thread' THEN 'infinity'
                      ELSE now() + CASE WHEN total.changes > 0 THEN $11 ELSE $10 END * interval '1 day' END,
        lease_owner = CASE WHEN $12 THEN NULL ELSE lease_owner END,
        lease_until = CASE WHEN $12 THEN NULL ELSE now() + interval '10 minutes' END
    FROM total WHERE kind = $1 AND key = $2
)
SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM changed WHERE NOT is_known),
       (SELECT count(*) FROM changed WHERE is_known), (SELECT count(*) FROM gone), (SELECT count(*) FROM thread)
"""
# A reading of the whole thread knows best where its end is; and when it changed, its next reading comes sooner.
AFTER_REFRESH = """
UPDATE forum.work SET next_page = %(tail_page)s, tail_page = %(tail_page)s, tail_pid = %(tail_pid)s,
    tail_posts = %(tail_posts)s
WHERE kind = 'thread' AND key = %(tid)s AND lease_owner IS NULL
  AND (tail_page, tail_pid, tail_posts) IS DISTINCT FROM (%(tail_page)s, %(tail_pid)s, %(tail_posts)s)
"""
THREAD_GONE = """
WITH held AS (
    SELECT last_ok_at FROM forum.work
    WHERE kind = %(kind)s AND key = %(tid)s AND fence = %(fence)s AND lease_owner = %(owner)s FOR UPDATE
), thread AS (
    UPDATE forum.threads t SET state = 'gone', last_seen_at = coalesce(held.last_ok_at, t.last_seen_at)
    FROM held WHERE t.tid = %(tid)s AND t.state = 'live' RETURNING 1
), posts AS (
    UPDATE forum.posts p SET state = 'gone', last_seen_at = coalesce(held.last_ok_at, p.last_seen_at)
    FROM held WHERE p.tid = %(tid)s AND p.state = 'live' RETURNING p.posted_at
), days AS (
    INSERT INTO forum.changed_days (day) SELECT DISTINCT (posted_at AT TIME ZONE 'UTC')::date FROM posts
), other AS (
    INSERT INTO forum.work AS w (kind, key, bid, days, next_try_at)
    SELECT 'refresh', %(tid)s, %(bid)s, 1, now() + interval '1 day' FROM held WHERE %(kind)s = 'thread'
    ON CONFLICT (kind, key) DO NOTHING
), cursor AS (
    UPDATE forum.work SET next_page = 1, last_pid = 0, pages = 0, changes = 0, guards = NULL, attempts = 0,
        tail_page = 1, tail_pid = 0, tail_posts = 0, days = %(days)s, last_error = NULL, lease_owner = NULL,
        lease_until = NULL,
        next_try_at = CASE WHEN kind = 'thread' THEN 'infinity' ELSE now() + %(days)s * interval '1 day' END
    WHERE kind = %(kind)s AND key = %(tid)s AND EXISTS (SELECT FROM held)
)
SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM posts), (SELECT count(*) FROM thread)
"""
STORE_TAGS = "UPDATE forum.threads SET tags = %(tags)s WHERE tid = %(tid)s AND tags IS DISTINCT FROM %(tags)s"
WANT_TAGS = """
INSERT INTO forum.work (kind, key, bid)
SELECT 'tags', tid, bid FROM forum.threads WHERE tags IS NULL AND state = 'live' AND n_posts IS NOT NULL
ON CONFLICT DO NOTHING
"""

# --- what is told of the frontier ---------------------------------------------------------------------------------

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
WHERE w.parked_at IS NOT NULL ORDER BY w.kind, w.key LIMIT 20
"""
BOARD_KEYS = """
SELECT bid FROM forum.boards WHERE state <> 'gone' AND (%(bids)s::integer[] IS NULL OR bid = ANY(%(bids)s)) ORDER BY bid
"""
BOARD_COUNTS = """
SELECT b.bid, count(t.tid) FILTER (WHERE t.state = 'live'),
       coalesce(sum(t.n_posts) FILTER (WHERE t.state = 'live'), 0)
FROM forum.boards b LEFT JOIN forum.threads t USING (bid) WHERE b.bid = ANY(%(bids)s) GROUP BY b.bid
"""
