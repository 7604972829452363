"""The statements of weeks: what they are counted from, their totals, and where they stand."""

# What happened to each expected file a week needs: the manifest beside what is loaded of it.
WEEK_FILES = """
SELECT f.day, f.host, f.state, f.sha256 IS NOT DISTINCT FROM s.sha256 AS is_loaded,
       coalesce(s.lines, 0), coalesce(s.hits, 0),
       coalesce((SELECT sum(v.lines) FROM countme.verdicts v
                 WHERE v.source_id = s.source_id AND v.verdict = ANY(%(rejections)s)), 0)
FROM log_sync.files f
LEFT JOIN countme.sources s ON s.site = f.site AND s.day = f.day AND s.host = f.host
                           AND s.policy = %(policy)s
WHERE f.site = %(site)s AND f.day >= %(first_file)s AND f.day <= %(last_file)s
ORDER BY f.day, f.host
"""

# What is loaded of a week: its sources, how many hits each has in it, and by which of the week's keys.
WEEK_SOURCES = """
SELECT s.source_id, s.day, d.key_generation, sum(d.hits)::bigint
FROM countme.source_days d JOIN countme.sources s USING (source_id)
WHERE s.site = %(site)s AND d.hit_day >= %(week)s AND d.hit_day < %(week)s + 7
GROUP BY s.source_id, s.day, d.key_generation
ORDER BY s.source_id
"""

# Compat closes a week when a row of the same kind is later than the week's end by the jitter.
IS_CLOSED = """
SELECT EXISTS (SELECT FROM countme.raw_hits JOIN countme.sources USING (source_id)
               WHERE site = %(site)s AND hit_at >= %(closing)s AND sys_age >= 0),
       EXISTS (SELECT FROM countme.raw_hits JOIN countme.sources USING (source_id)
               WHERE site = %(site)s AND hit_at >= %(closing)s AND sys_age < 0)
   AND EXISTS (SELECT FROM countme.raw_hits JOIN countme.sources USING (source_id)
               WHERE site = %(site)s AND hit_at < %(end)s AND sys_age < 0)
"""

# The week's hits in one pass: per UTC day, client and countme value their address keys, as array_send writes them.
# Counting distinct keys here would take four times as long: nearly every row is a group of its own.
WEEK_HITS = """
SELECT date_bin('1 day', r.hit_at, %(start)s), r.client_id, r.sys_age, min(r.hit_at),
       array_send(array_agg(r.address_key))
FROM countme.raw_hits r
WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s AND r.source_id = ANY(%(source_ids)s)
GROUP BY 1, 2, 3
"""

# The planner takes the groups of WEEK_HITS for a tenth of the rows and would sort them on disk, in two processes (seen:
# 4.3 CPU s for 4 million hits, 1.7 in one hash table); compiling the statement would cost more than it gives.
ONE_HASH_TABLE = """
SET LOCAL work_mem = '256MB';
SET LOCAL enable_sort = off;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off
"""

WEEK_REPEATS = """
SELECT client_id, sys_age, count(*)
FROM countme.repeats
WHERE hit_at >= %(start)s AND hit_at < %(end)s AND source_id = ANY(%(source_ids)s)
GROUP BY client_id, sys_age
"""

COUNTED_TOTALS = """
CREATE TEMPORARY TABLE counted_totals ON COMMIT DROP AS
SELECT n.hits, c.os_name, c.os_version, c.os_variant, c.os_arch, n.sys_age, c.repo_tag, c.repo_arch, n.position
FROM unnest(%(client_ids)s::integer[], %(ages)s::bigint[], %(hits)s::bigint[], %(positions)s::integer[])
     AS n (client_id, sys_age, hits, position)
JOIN countme.clients c USING (client_id)
"""

TOTALS_DIFFER = """
WITH present AS (
    SELECT hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, position
    FROM countme.weekly_totals WHERE site = %(site)s AND week = %(week)s
)
SELECT EXISTS (SELECT FROM counted_totals c
               FULL JOIN present USING (os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch)
               WHERE (c.hits, c.position) IS DISTINCT FROM (present.hits, present.position))
"""

DELETE_WEEK = "DELETE FROM countme.weekly_totals WHERE site = %(site)s AND week = %(week)s"

ADD_WEEK = """
INSERT INTO countme.weekly_totals
    (site, week, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, position)
SELECT %(site)s, %(week)s, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, position
FROM counted_totals
"""

KEEP_WEEK = """
INSERT INTO countme.weeks AS w (site, week, policy, status, coverage, missing, inputs, hits, revision, counted_at)
VALUES (%(site)s, %(week)s, %(policy)s, %(status)s, %(coverage)s, %(missing)s, %(inputs)s, %(hits)s, 1, now())
ON CONFLICT (site, week) DO UPDATE SET
    policy = excluded.policy, status = excluded.status, coverage = excluded.coverage, missing = excluded.missing,
    inputs = excluded.inputs, hits = excluded.hits, counted_at = excluded.counted_at,
    revision = w.revision + CASE WHEN %(differ)s THEN 1 ELSE 0 END
RETURNING revision
"""

# What the totals and the state of each week depend on: its sources (a reload gives a source a new id), the policy,
# for compat whether anything came after it, and what became of the files it needs. A file that was fetched anew is not
# enough: the week stays as it is published until that file is loaded. Weeks that nothing is loaded of
# have none, nor have weeks whose hits are retired (no table partition), or do not compare (see WEEK_SOURCES).
WEEK_INPUTS = """
WITH newest AS (
    SELECT max(d.newest_at) AS at FROM countme.source_days d JOIN countme.sources s USING (source_id)
    WHERE s.site = %(site)s
), hits AS (
    SELECT date_trunc('week', d.hit_day)::date AS week,
           string_agg(d.source_id::text, ',' ORDER BY d.hit_day, d.source_id) AS sources,
           (max(newest.at) >= (date_trunc('week', d.hit_day) AT TIME ZONE 'UTC')
                              + interval '7 days' + %(jitter)s)::text AS is_closed
    FROM countme.source_days d JOIN countme.sources s USING (source_id) CROSS JOIN newest
    WHERE s.site = %(site)s AND d.hit_day >= %(monday)s AND d.hit_day < %(end)s
    GROUP BY date_trunc('week', d.hit_day)
    HAVING count(DISTINCT d.key_generation) = 1
       AND to_regclass('countme.raw_hits_' || to_char(date_trunc('week', d.hit_day), 'YYYYMMDD')) IS NOT NULL
), files AS (
    SELECT hits.week,
           concat_ws(' ', count(*), count(*) FILTER (WHERE f.state = 'waived'),
                     count(s.source_id),
                     string_agg(f.day || f.host || f.state, ',' ORDER BY f.day, f.host)
                         FILTER (WHERE f.state NOT IN ('fetched', 'waived'))) AS found
    FROM hits
    JOIN log_sync.files f ON f.site = %(site)s
                         AND f.day >= hits.week + %(first_offset)s AND f.day <= hits.week + %(last_offset)s
    LEFT JOIN countme.sources s ON s.site = f.site AND s.day = f.day AND s.host = f.host AND s.policy = %(policy)s
    GROUP BY hits.week
)
SELECT week, md5(concat_ws(' ', sources, %(policy)s, CASE WHEN %(policy)s = 'compat' THEN is_closed END, found))
FROM hits LEFT JOIN files USING (week)
ORDER BY week
"""

COUNTED_INPUTS = """
SELECT week, inputs FROM countme.weeks WHERE site = %(site)s AND week >= %(monday)s AND week < %(end)s
"""

# Weeks that were counted from hits and have none any more: their files hold other weeks' hits now, or are gone.
EMPTIED_WEEKS = """
SELECT w.week
FROM countme.weeks w
WHERE w.site = %(site)s AND w.week >= %(monday)s AND w.week < %(end)s AND w.inputs <> ''
  AND NOT EXISTS (SELECT FROM countme.source_days d JOIN countme.sources s USING (source_id)
                  WHERE s.site = w.site AND d.hit_day >= w.week AND d.hit_day < w.week + 7)
"""

# Looks back from the newest counted week, so that a pipeline that stands still does not run out of findings.
PARTIAL_WEEKS = """
SELECT w.site, w.week, w.coverage, w.missing
FROM countme.weeks w
WHERE w.status = 'partial' AND w.site = ANY(%(sites)s)
  AND w.week > (SELECT max(newest.week) FROM countme.weeks newest WHERE newest.site = w.site) - 7 * %(check_weeks)s
ORDER BY w.site, w.week
"""
