"""SQL of the daily counts. A day is the window [start, end) of posted_at in UTC; only live posts count."""

from __future__ import annotations

CONTENTS = """
SELECT p.pid, c.content FROM forum.posts p JOIN forum.post_contents c USING (pid)
WHERE p.posted_at >= %(start)s AND p.posted_at < %(end)s AND p.state = 'live' AND c.content LIKE '%%[%%'
"""
# By the window, and by the posts themselves should one have had another time when it was counted last.
DELETE_QUOTES = "DELETE FROM forum.post_quotes WHERE day = %(day)s OR pid = ANY(%(pids)s)"
DELETE_LINKS = "DELETE FROM forum.post_links WHERE day = %(day)s OR pid = ANY(%(pids)s)"

DELETE_DAY = {
    "daily_stats": "DELETE FROM forum.daily_stats WHERE day = %(day)s",
    "poster_stats": "DELETE FROM forum.poster_stats WHERE day = %(day)s",
    "quote_stats": "DELETE FROM forum.quote_stats WHERE day = %(day)s",
    "link_relation": "DELETE FROM forum.link_relation WHERE day = %(day)s",
}
# A thread is created by its first post; its board is the one it is in now.
INSERT_DAY = {
    "daily_stats": """
INSERT INTO forum.daily_stats (day, bid, posts, edits, content_length, threads_created, active_users)
SELECT %(day)s, t.bid, count(*), sum(p.edit_count), sum(p.content_length),
       count(*) FILTER (WHERE p.pid = t.first_pid), array_agg(DISTINCT p.poster_uid ORDER BY p.poster_uid)
FROM forum.posts p JOIN forum.threads t USING (tid)
WHERE p.posted_at >= %(start)s AND p.posted_at < %(end)s AND p.state = 'live' GROUP BY t.bid
""",
    "poster_stats": """
INSERT INTO forum.poster_stats (day, bid, uid, posts, edits, content_length, threads_created)
SELECT %(day)s, t.bid, p.poster_uid, count(*), sum(p.edit_count), sum(p.content_length),
       count(*) FILTER (WHERE p.pid = t.first_pid)
FROM forum.posts p JOIN forum.threads t USING (tid)
WHERE p.posted_at >= %(start)s AND p.posted_at < %(end)s AND p.state = 'live' GROUP BY t.bid, p.poster_uid
""",
    "quote_stats": """
INSERT INTO forum.quote_stats (day, bid, quoter_uid, quoted_uid, count)
SELECT %(day)s, t.bid, p.poster_uid, o.poster_uid, sum(q.count)
FROM forum.post_quotes q JOIN forum.posts p USING (pid) JOIN forum.threads t USING (tid)
    JOIN forum.posts o ON o.pid = q.quoted_pid
WHERE q.day = %(day)s GROUP BY t.bid, p.poster_uid, o.poster_uid
""",
    "link_relation": """
INSERT INTO forum.link_relation (day, uid, domain, type, count)
SELECT %(day)s, p.poster_uid, l.domain, l.type, sum(l.count)
FROM forum.post_links l JOIN forum.posts p USING (pid) WHERE l.day = %(day)s
GROUP BY p.poster_uid, l.domain, l.type
""",
}
KNOWN_QUOTES = """
UPDATE forum.post_quotes q SET is_known = true FROM forum.posts o WHERE q.day = %(day)s AND o.pid = q.quoted_pid
"""
# A post that comes after it has been quoted: the day of the quote counts one more.
MARK_QUOTING_DAYS = """
INSERT INTO forum.changed_days (day)
SELECT DISTINCT q.day FROM forum.posts p JOIN forum.post_quotes q ON q.quoted_pid = p.pid
WHERE p.posted_at >= %(start)s AND p.posted_at < %(end)s AND NOT q.is_known AND q.day <> %(day)s
"""
TAKE_MARKS = "DELETE FROM forum.changed_days WHERE day = %(day)s"
CHANGED_DAYS = "SELECT DISTINCT day FROM forum.changed_days ORDER BY day"
NEXT_GENERATION = "UPDATE forum.data_generation SET generation = generation + 1 RETURNING generation"
