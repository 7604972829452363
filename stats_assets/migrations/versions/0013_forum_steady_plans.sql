-- forum: the crawl's statements find their rows by one index each, whatever the statistics say; views of active users.

-- Of live posts only: who looks for a post by its number alone cannot be sent through it from end to end.
DROP INDEX forum.posts_tid_pid_idx;
CREATE INDEX posts_of_thread ON forum.posts (tid, pid) WHERE state = 'live';

-- Holds the whole order in which units are taken: nothing is left to sort.
DROP INDEX forum.work_kind_next_try_at_idx;
CREATE INDEX work_due ON forum.work (kind, next_try_at, key) WHERE parked_at IS NULL;

CREATE OR REPLACE VIEW forum.weekday_stats AS
SELECT year, weekday, bid, posts, edits, content_length, threads_created,
       (SELECT count(DISTINCT uid)::integer FROM forum.daily_stats d, unnest(d.active_users) AS uid
        WHERE d.bid = w.bid AND d.day >= make_date(w.year, 1, 1) AND d.day < make_date(w.year + 1, 1, 1)
          AND extract(isodow FROM d.day) = w.weekday) AS active_users
FROM (SELECT extract(year FROM day)::integer AS year, extract(isodow FROM day)::integer AS weekday, bid,
             sum(posts)::integer AS posts, sum(edits)::integer AS edits, sum(content_length)::bigint AS content_length,
             sum(threads_created)::integer AS threads_created
      FROM forum.daily_stats GROUP BY 1, 2, 3) w;
COMMENT ON VIEW forum.weekday_stats IS
    'Posts per year, weekday (1 Monday to 7 Sunday, UTC) and board; a user active on many such days counts once.';
