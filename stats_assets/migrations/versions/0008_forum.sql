-- forum: a copy of a forum, what is still to be read of it, and counts.
-- No foreign keys between the copied tables: pages come in any order, and checking costs a quarter of the crawl.
CREATE SCHEMA forum;

-- The frontier: one row per unit of crawling. Rows of a page and the unit's cursor are committed together.
CREATE TABLE forum.work (
    kind            text        COLLATE "C" NOT NULL
                    CHECK (kind IN ('boards', 'listing', 'audit', 'thread', 'refresh', 'tags')),
    key             integer     NOT NULL,             -- bid of listing and audit, tid of thread, refresh and tags, else 0
    bid             integer,                          -- the board it belongs to, where it is known
    next_page       integer     NOT NULL DEFAULT 1 CHECK (next_page >= 1),
    last_pid        integer     NOT NULL DEFAULT 0,   -- newest post of the pages this pass has read
    pages           integer     NOT NULL DEFAULT 0,   -- pages this pass has read
    changes         integer     NOT NULL DEFAULT 0,   -- posts this pass has found new, changed or gone
    tail_page       integer     NOT NULL DEFAULT 1,   -- page on which the thread's next new post will be
    tail_pid        integer     NOT NULL DEFAULT 0,   -- first post of the thread's last page that is not empty
    tail_posts      integer     NOT NULL DEFAULT 0,   -- posts on tail_page when it was last read
    guards          integer,                          -- bid whose listing is looked at again if this thread has grown
    since           timestamptz,                      -- of a listing looked at again: what was read since is up to date
    days            integer     NOT NULL DEFAULT 0,   -- distance of the last two readings of a refresh
    is_whole        boolean     NOT NULL DEFAULT false,  -- this audit reads the listing to its end
    attempts        integer     NOT NULL DEFAULT 0,   -- failures since it last went well
    next_try_at     timestamptz NOT NULL DEFAULT now(),
    last_ok_at      timestamptz,
    last_error      text,
    parked_at       timestamptz,                      -- given up until somebody asks again
    lease_owner     integer,                          -- crawler that works on it: holder of the advisory lock
    lease_until     timestamptz,
    fence           bigint      NOT NULL DEFAULT 0,   -- one more with each lease: who has an older one may not write
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 70);
COMMENT ON TABLE forum.work IS 'What is to be read of the forum, one row per unit, with cursor, lease and last error.';
CREATE INDEX ON forum.work (kind, next_try_at) WHERE parked_at IS NULL;

-- Numbers crawlers; a crawler holds the advisory lock of its number while it lives, so a killed one is known at once.
CREATE SEQUENCE forum.crawlers AS integer CYCLE;

-- The shared rate limit: one row per forum, moved on by whoever is about to ask.
CREATE TABLE forum.pace (
    base_url        text        PRIMARY KEY,
    next_at         timestamptz NOT NULL,             -- earliest time of the next request
    slowdown        real        NOT NULL DEFAULT 1 CHECK (slowdown BETWEEN 1 AND 64),
    slowed_at       timestamptz                       -- when the forum last asked us to slow down, or we sped up a step
);
COMMENT ON TABLE forum.pace IS 'The rate limit that all crawlers of a forum share.';

-- The last answer of each unit we could not use.
CREATE TABLE forum.quarantine (
    kind            text        COLLATE "C" NOT NULL,
    key             integer     NOT NULL,
    page            integer     NOT NULL,
    url             text        NOT NULL,
    failed_at       timestamptz NOT NULL DEFAULT now(),
    status          integer,                          -- of HTTP; none when no answer came
    reason          text        NOT NULL,
    found           text        NOT NULL,
    body_sample     bytea,                            -- its first bytes
    PRIMARY KEY (kind, key)
);
COMMENT ON TABLE forum.quarantine IS 'Answers that were not what was asked for: the last one of each unit.';

CREATE TABLE forum.categories (
    cid             integer     PRIMARY KEY,
    name            text        NOT NULL,
    description     text        NOT NULL
);
COMMENT ON TABLE forum.categories IS 'Categories of boards.';

CREATE TABLE forum.boards (
    bid             integer     PRIMARY KEY,
    cid             integer     NOT NULL,
    name            text        NOT NULL,
    description     text        NOT NULL,
    est_threads     integer     NOT NULL,             -- as the forum says; wrong in both directions
    est_replies     integer     NOT NULL,
    state           text        NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'no_access', 'gone')),
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE forum.boards IS 'Boards, those that are gone included.';
COMMENT ON COLUMN forum.boards.last_seen_at IS
    'When it was last stored; of a board that is gone, when the forum last showed it.';

CREATE TABLE forum.threads (
    tid             integer     PRIMARY KEY,
    bid             integer     NOT NULL,
    title           text        NOT NULL,
    subtitle        text        NOT NULL,
    is_closed       boolean     NOT NULL,
    is_sticky       boolean     NOT NULL,
    is_important    boolean     NOT NULL,
    is_announcement boolean     NOT NULL,
    is_global       boolean     NOT NULL,
    hit_count       integer     NOT NULL,
    est_replies     integer     NOT NULL,             -- as the forum says: counts removed posts
    first_pid       integer,
    last_pid        integer,
    n_posts         integer,                          -- null: not yet read to its end
    tags            text[],                           -- null: not read
    state           text        NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'gone')),
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE forum.threads IS 'Threads, those that are gone included; first, last and number of posts as last read.';
COMMENT ON COLUMN forum.threads.last_seen_at IS
    'When it was last stored; of a thread that is gone, when it was last read.';
CREATE INDEX ON forum.threads (bid);

CREATE TABLE forum.posts (
    pid             integer     PRIMARY KEY,
    tid             integer     NOT NULL,
    poster_uid      integer     NOT NULL,
    posted_at       timestamptz NOT NULL,
    edit_count      integer     NOT NULL,
    last_edit_uid   integer,
    last_edit_at    timestamptz,
    is_hidden       boolean     NOT NULL,
    content_length  integer     NOT NULL,             -- characters
    icon_id         integer,
    n_revisions     integer     NOT NULL DEFAULT 0,   -- earlier versions in post_revisions
    state           text        NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'gone')),
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (edit_count > 0 OR (last_edit_uid IS NULL AND last_edit_at IS NULL))
);
COMMENT ON TABLE forum.posts IS 'Posts as last read, those that are gone included.';
COMMENT ON COLUMN forum.posts.last_seen_at IS
    'When it was last stored; of a post that is gone, when its thread was last read with it.';
CREATE INDEX ON forum.posts (tid, pid);
CREATE INDEX ON forum.posts (posted_at);

CREATE TABLE forum.post_contents (
    pid             integer     PRIMARY KEY,
    title           text        NOT NULL,
    content         text        NOT NULL              -- BBCode; empty for hidden posts
);
COMMENT ON TABLE forum.post_contents IS 'Title and text of each post as last read.';

CREATE TABLE forum.post_revisions (
    pid             integer     NOT NULL,
    revision        integer     NOT NULL,             -- from 1, the oldest
    edit_count      integer     NOT NULL,
    last_edit_uid   integer,
    last_edit_at    timestamptz,
    is_hidden       boolean     NOT NULL,
    title           text        NOT NULL,
    content         text        NOT NULL,
    replaced_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pid, revision)
);
COMMENT ON TABLE forum.post_revisions IS 'What posts were before an edit, a hiding or an unhiding that we have seen.';

CREATE TABLE forum.users (
    uid             integer     PRIMARY KEY,
    name            text        NOT NULL,             -- on the newest post
    name_pid        integer     NOT NULL,             -- that post; 0: seen only as an editor
    gid             integer,                          -- on the newest post that tells it
    gid_pid         integer     NOT NULL,
    avid            integer
) WITH (fillfactor = 80);
COMMENT ON TABLE forum.users IS 'Who has written or edited a post we have read.';

CREATE TABLE forum.user_names (
    uid             integer     NOT NULL,
    name            text        COLLATE "C" NOT NULL,
    first_seen_at   timestamptz NOT NULL,             -- oldest and newest post or edit signed so
    last_seen_at    timestamptz NOT NULL,
    PRIMARY KEY (uid, name)
) WITH (fillfactor = 80);
COMMENT ON TABLE forum.user_names IS 'Every name a user has signed with, and from when to when.';

CREATE TABLE forum.avatars (
    avid            integer     PRIMARY KEY,
    path            text        NOT NULL
);
COMMENT ON TABLE forum.avatars IS 'Pictures of users.';

-- Written with every page that changes posts, deleted by the count of the day in the transaction that counts.
-- Rows are only added, so that no crawler waits for another or for a count.
CREATE TABLE forum.changed_days (
    day             date        NOT NULL
);
COMMENT ON TABLE forum.changed_days IS 'UTC days whose posts have changed since they were counted; may name a day often.';
CREATE INDEX ON forum.changed_days (day);

CREATE TABLE forum.data_generation (
    generation      bigint      NOT NULL,
    is_only         boolean     PRIMARY KEY DEFAULT true CHECK (is_only)
);
COMMENT ON TABLE forum.data_generation IS 'Goes up in the transaction that changes a count: part of every cache key.';
INSERT INTO forum.data_generation (generation) VALUES (0);

-- Everything below is counted from posts that are live, one UTC day of posted_at at a time.
CREATE TABLE forum.post_quotes (
    day             date        NOT NULL,
    pid             integer     NOT NULL,
    quoted_pid      integer     NOT NULL,             -- may be a post we do not have: see the view quotes
    count           integer     NOT NULL CHECK (count > 0),
    is_known        boolean     NOT NULL DEFAULT false,  -- we had the quoted post when the day was counted
    PRIMARY KEY (pid, quoted_pid)
);
COMMENT ON TABLE forum.post_quotes IS 'Posts quoted in posts, not those quoted inside a quote.';
CREATE INDEX ON forum.post_quotes (day);
CREATE INDEX ON forum.post_quotes (quoted_pid);

CREATE TABLE forum.post_links (
    day             date        NOT NULL,
    pid             integer     NOT NULL,
    url             text        COLLATE "C" NOT NULL,
    type            text        COLLATE "C" NOT NULL CHECK (type IN ('link', 'image', 'video')),
    domain          text        COLLATE "C" NOT NULL,
    count           integer     NOT NULL CHECK (count > 0),
    PRIMARY KEY (pid, url, type)
);
COMMENT ON TABLE forum.post_links IS 'Links, pictures and videos in posts, outside of quotes.';
CREATE INDEX ON forum.post_links (day);

CREATE TABLE forum.daily_stats (
    day             date        NOT NULL,
    bid             integer     NOT NULL,             -- where the thread is now
    posts           integer     NOT NULL,
    edits           integer     NOT NULL,
    content_length  bigint      NOT NULL,
    threads_created integer     NOT NULL,             -- by their first post
    active_users    integer[]   NOT NULL,             -- who has posted, ascending: unions over days are exact
    PRIMARY KEY (day, bid)
);
COMMENT ON TABLE forum.daily_stats IS 'Posts per UTC day and board.';

CREATE TABLE forum.poster_stats (
    day             date        NOT NULL,
    bid             integer     NOT NULL,
    uid             integer     NOT NULL,
    posts           integer     NOT NULL,
    edits           integer     NOT NULL,
    content_length  bigint      NOT NULL,
    threads_created integer     NOT NULL,
    PRIMARY KEY (day, bid, uid)
);
COMMENT ON TABLE forum.poster_stats IS 'Posts per UTC day, board and user.';

CREATE TABLE forum.quote_stats (
    day             date        NOT NULL,             -- of the quoting post
    bid             integer     NOT NULL,             -- of the quoting post
    quoter_uid      integer     NOT NULL,
    quoted_uid      integer     NOT NULL,
    count           integer     NOT NULL,
    PRIMARY KEY (day, bid, quoter_uid, quoted_uid)
);
COMMENT ON TABLE forum.quote_stats IS 'Who quotes whom, per UTC day and board.';

CREATE TABLE forum.link_relation (
    day             date        NOT NULL,
    uid             integer     NOT NULL,
    domain          text        COLLATE "C" NOT NULL,
    type            text        COLLATE "C" NOT NULL,
    count           integer     NOT NULL,
    PRIMARY KEY (day, uid, domain, type)
);
COMMENT ON TABLE forum.link_relation IS 'Which users link to which domains, per UTC day.';

CREATE VIEW forum.quotes AS
SELECT q.day, q.pid, q.quoted_pid, q.count, p.poster_uid AS quoter_uid, o.poster_uid AS quoted_uid
FROM forum.post_quotes q JOIN forum.posts p USING (pid) JOIN forum.posts o ON o.pid = q.quoted_pid;
COMMENT ON VIEW forum.quotes IS 'Quotes of posts we have, with who and whom.';

CREATE VIEW forum.yearly_stats AS
SELECT year, bid, posts, edits, content_length, threads_created,
       (SELECT count(DISTINCT uid)::integer FROM forum.daily_stats d, unnest(d.active_users) AS uid
        WHERE d.bid = y.bid AND d.day >= make_date(y.year, 1, 1) AND d.day < make_date(y.year + 1, 1, 1)) AS active_users
FROM (SELECT extract(year FROM day)::integer AS year, bid, sum(posts)::integer AS posts, sum(edits)::integer AS edits,
             sum(content_length)::bigint AS content_length, sum(threads_created)::integer AS threads_created
      FROM forum.daily_stats GROUP BY 1, 2) y;
COMMENT ON VIEW forum.yearly_stats IS 'Posts per year and board; a user active on many days counts once.';

CREATE VIEW forum.weekday_stats AS
SELECT extract(year FROM day)::integer AS year, extract(isodow FROM day)::integer AS weekday, bid,
       sum(posts)::integer AS posts, sum(edits)::integer AS edits, sum(content_length)::bigint AS content_length,
       sum(threads_created)::integer AS threads_created
FROM forum.daily_stats GROUP BY 1, 2, 3;
COMMENT ON VIEW forum.weekday_stats IS 'Posts per year, weekday (1 Monday to 7 Sunday, UTC) and board.';

CREATE VIEW forum.yearly_poster_stats AS
SELECT extract(year FROM day)::integer AS year, bid, uid, sum(posts)::integer AS posts, sum(edits)::integer AS edits,
       sum(content_length) / sum(posts) AS mean_content_length, sum(threads_created)::integer AS threads_created
FROM forum.poster_stats GROUP BY 1, 2, 3 HAVING sum(posts) >= 25;
COMMENT ON VIEW forum.yearly_poster_stats IS 'Users with 25 posts or more in a board and year.';

CREATE VIEW forum.yearly_quote_stats AS
SELECT extract(year FROM day)::integer AS year, bid, quoter_uid, quoted_uid, sum(count)::integer AS count
FROM forum.quote_stats GROUP BY 1, 2, 3, 4 HAVING sum(count) > 10;
COMMENT ON VIEW forum.yearly_quote_stats IS 'Pairs with more than 10 quotes in a board and year.';

CREATE VIEW forum.yearly_link_relation AS
SELECT extract(year FROM day)::integer AS year, uid, domain, type, sum(count)::integer AS count
FROM forum.link_relation GROUP BY 1, 2, 3, 4 HAVING sum(count) >= 10;
COMMENT ON VIEW forum.yearly_link_relation IS 'Domains a user has linked to 10 times or more in a year.';
