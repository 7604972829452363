"""SQL of a thread's pages, and of threads that are gone.

A whole page is one statement: what is stored and where the cursor goes stand or fall together. It is prepared once per
crawl, in the few variants that `page_statement` puts together: most pages are first readings signed by known users,
and to start the parts that those do not need would cost more than to store their posts.

Its cost must not hang on statistics: it may be planned over empty tables and then run for days. So whatever is looked
up is looked up by an index it cannot miss: in a LATERAL that OFFSET 0 keeps whole, by = ANY(ARRAY(...)), or by a row.
"""

from __future__ import annotations

_PARAMETERS = """
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
"""
PARAMETERS = 49

# `held` is empty when the lease has gone to another crawler: then nothing is written.
_HELD = """
held AS (
    SELECT last_ok_at, changes, guards FROM forum.work
    WHERE kind = $1 AND key = $2 AND fence = $3 AND lease_owner = $4 FOR UPDATE
)"""
# Of a first reading everything is new, so that its cursor can move first.
_HELD_AND_MOVED = """
held AS (
    UPDATE forum.work SET
        next_page = $5, last_pid = $6, tail_page = $7, tail_pid = $8, tail_posts = $9,
        pages = CASE WHEN $12 THEN 0 ELSE $49 END, changes = CASE WHEN $12 THEN 0 ELSE changes + cardinality($27) END,
        days = CASE WHEN $12 THEN $11 ELSE days END, attempts = 0, last_error = NULL, last_ok_at = now(),
        next_try_at = CASE WHEN $12 THEN 'infinity' ELSE next_try_at END,
        lease_owner = CASE WHEN $12 THEN NULL ELSE lease_owner END,
        lease_until = CASE WHEN $12 THEN NULL ELSE now() + interval '10 minutes' END
    WHERE kind = $1 AND key = $2 AND fence = $3 AND lease_owner = $4
    RETURNING 1
)"""
_GIVEN = """
stored AS (
    SELECT o.* FROM held, forum.threads o WHERE o.tid = $2
), given AS (
    SELECT u.pid, u.uid, to_timestamp(u.posted) AS posted_at, u.edit_count, u.edit_uid,
           to_timestamp(u.edited) AS edited_at, u.is_hidden, u.icon_id, u.title, u.content,
           char_length(u.content) AS content_length
    FROM held, unnest($27, $28, $29, $30, $31, $32, $33, $34, $35, $36)
        AS u (pid, uid, posted, edit_count, edit_uid, edited, is_hidden, icon_id, title, content)
)"""
_CHANGED = """
changed AS (
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
)"""
_DAYS_OF_NEW = """
days AS (
    INSERT INTO forum.changed_days (day) SELECT DISTINCT (posted_at AT TIME ZONE 'UTC')::date FROM given
)"""
# Where crawlers hardly ever meet, in the posts of one thread, the later one's page fails and is read again: ON CONFLICT
# would make every new post dearer.
_NEW = """
new_posts AS (
    INSERT INTO forum.posts (pid, tid, poster_uid, posted_at, edit_count, last_edit_uid, last_edit_at, is_hidden,
        content_length, icon_id)
    SELECT pid, $2, uid, posted_at, edit_count, edit_uid, edited_at, is_hidden, content_length, icon_id
    FROM {new}
), new_contents AS (
    INSERT INTO forum.post_contents (pid, title, content) SELECT pid, title, content FROM {new}
)"""
_THREAD = """
thread AS (
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
)"""
_MOVED = """
moved AS (
    INSERT INTO forum.changed_days (day)
    SELECT (posted_at AT TIME ZONE 'UTC')::date FROM forum.posts
    WHERE state = 'live' AND tid = (SELECT tid FROM stored WHERE bid <> $14)
    UNION SELECT (posted_at AT TIME ZONE 'UTC')::date FROM forum.posts
    WHERE pid = ANY((SELECT ARRAY[first_pid, $21] FROM stored WHERE $20 AND first_pid <> $21)::integer[])
)"""
# Rows are ordered where crawlers often meet on them, so that they wait for each other instead of deadlocking.
_SIGNERS = """
users AS (
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
)"""
_REFRESH = """
refresh AS (
    INSERT INTO forum.work AS r (kind, key, bid, days, next_try_at)
    SELECT 'refresh', $2, $14, $10, now() + $13 * interval '1 second' FROM held WHERE $13 IS NOT NULL
    ON CONFLICT (kind, key) DO UPDATE SET
        bid = excluded.bid, next_try_at = excluded.next_try_at, days = excluded.days
    WHERE r.next_try_at > excluded.next_try_at AND ({has_changed})
)"""
# The listing whose guard has grown is looked at again; and the cursor moves.
_AFTERWARDS = """
listing AS (
    UPDATE forum.work l SET
        since = CASE WHEN has_grown THEN coalesce(l.since, l.last_ok_at) END,
        next_try_at = CASE WHEN has_grown THEN now() ELSE l.next_try_at END
    FROM held, (SELECT EXISTS (SELECT FROM changed WHERE NOT is_known)) AS g (has_grown)
    WHERE $12 AND l.kind = 'listing' AND l.key = held.guards AND l.parked_at IS NULL
      AND (has_grown OR l.since IS NOT NULL)
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
)"""
# Lease held (1 or 0), posts new, changed and gone, threads changed.
_COUNTS = """
SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM {new}), {changed}, {gone}, (SELECT count(*) FROM thread)
"""
_FIRST_READING = ", ".join((_HELD_AND_MOVED, _GIVEN, _DAYS_OF_NEW, _NEW, _THREAD, _REFRESH)).format(
    new="given", has_changed="true"
)
_ANY_READING = ", ".join((_HELD, _GIVEN, _CHANGED, _NEW, _THREAD, _MOVED, _REFRESH, _AFTERWARDS)).format(
    new="changed WHERE NOT is_known",
    has_changed="$13 = 0 OR (SELECT changes FROM held) > 0 OR EXISTS (TABLE changed) OR EXISTS (TABLE gone)",
)
_COUNTS_OF_FIRST = _COUNTS.format(new="given", changed="0", gone="0")
_COUNTS_OF_ANY = _COUNTS.format(
    new="changed WHERE NOT is_known",
    changed="(SELECT count(*) FROM changed WHERE is_known)",
    gone="(SELECT count(*) FROM gone)",
)


def page_statement(is_first: bool, has_signers: bool) -> str:
    """The name under which a variant of the statement is prepared.

    `is_first`: nothing of the thread's page can be stored yet; should it be all the same, the statement fails with a
    unique violation and writes nothing. `has_signers`: there are users, names or avatars to store.
    """
    return f"forum_store_{'first' if is_first else 'any'}_page{'_and_signers' if has_signers else ''}"


def _prepared(is_first: bool, has_signers: bool) -> str:
    parts = (_FIRST_READING if is_first else _ANY_READING) + (f", {_SIGNERS}" if has_signers else "")
    counts = _COUNTS_OF_FIRST if is_first else _COUNTS_OF_ANY
    return f"PREPARE {page_statement(is_first, has_signers)} ({_PARAMETERS}) AS WITH {parts} {counts}"


PREPARE_STORE_PAGE = ";".join(_prepared(first, signers) for first in (True, False) for signers in (True, False))

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
