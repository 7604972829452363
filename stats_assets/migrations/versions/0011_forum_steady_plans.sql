-- forum: the crawl's statements find their rows by one index each, whatever the statistics say.

-- Of live posts only: who looks for a post by its number alone cannot be sent through it from end to end.
DROP INDEX forum.posts_tid_pid_idx;
CREATE INDEX posts_of_thread ON forum.posts (tid, pid) WHERE state = 'live';

-- Holds the whole order in which units are taken: nothing is left to sort.
DROP INDEX forum.work_kind_next_try_at_idx;
CREATE INDEX work_due ON forum.work (kind, next_try_at, key) WHERE parked_at IS NULL;
