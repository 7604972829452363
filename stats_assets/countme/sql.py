"""The room's statements. Windows are half-open and UTC; tables are described in the migrations."""

# --- which files a day has, and which are loaded -------------------------------------------------------------

# The verified files of one day of one site: what countme/raw_hits reads.
DELIVERED_FILES = """
SELECT host, archive_name, sha256
FROM log_sync.files
WHERE site = %(site)s AND day = %(day)s AND state = 'fetched'
ORDER BY host
"""

# Days whose files are all there (or waived) but differ from what is loaded (or nothing is loaded, or by another
# policy), and days of whose hits some have address keys that do not compare to others of their week any more.
# The quiet time leaves a run that is fetching right now room to finish and to load them itself.
CHANGED_DAYS = """
WITH delivered AS (
    SELECT day, string_agg(host || ' ' || sha256, ',' ORDER BY host) FILTER (WHERE state = 'fetched') AS files
    FROM log_sync.files
    WHERE site = %(site)s AND day >= %(first_day)s
    GROUP BY day
    HAVING bool_and(state IN ('fetched', 'waived')) AND coalesce(max(fetched_at), '-infinity') < now() - %(quiet)s
), loaded AS (
    SELECT day, string_agg(host || ' ' || sha256, ',' ORDER BY host) AS files
    FROM countme.sources
    WHERE site = %(site)s AND policy = %(policy)s
    GROUP BY day
), hashed AS (
    SELECT s.day, d.key_generation < max(d.key_generation) OVER (PARTITION BY k.week) AS is_outdated
    FROM countme.week_keys k
    JOIN countme.source_days d ON d.hit_day >= k.week AND d.hit_day < k.week + 7
    JOIN countme.sources s USING (source_id)
    WHERE k.generation > 1 AND s.site = %(site)s
)
SELECT delivered.day
FROM delivered LEFT JOIN loaded USING (day)
WHERE loaded.files IS DISTINCT FROM delivered.files
UNION
SELECT day FROM hashed WHERE is_outdated AND day >= %(first_day)s
ORDER BY 1
"""

# --- keys and names that loads share -------------------------------------------------------------------------

ADD_WEEK_KEY = """
INSERT INTO countme.week_keys (week, key) VALUES (%(week)s, %(key)s) ON CONFLICT (week) DO NOTHING
"""

WEEK_KEY = "SELECT key, generation FROM countme.week_keys WHERE week = %(week)s"

# Gives no row when another load has begun the week anew in the meantime.
RENEW_WEEK_KEY = """
UPDATE countme.week_keys SET key = %(key)s, generation = generation + 1, destroyed_at = NULL
WHERE week = %(week)s AND generation = %(generation)s - 1 AND key IS NULL
RETURNING generation
"""

# Sorted, so that two loads adding the same clients wait for each other instead of deadlocking.
ADD_CLIENTS = """
INSERT INTO countme.clients (os_name, os_version, os_variant, os_arch, repo_tag, repo_arch, identity_hash)
SELECT os_name, os_version, os_variant, os_arch, repo_tag, repo_arch, identity_hash
FROM unnest(%(os_name)s::text[], %(os_version)s::text[], %(os_variant)s::text[], %(os_arch)s::text[],
            %(repo_tag)s::text[], %(repo_arch)s::text[], %(identity_hash)s::bytea[])
     AS new (os_name, os_version, os_variant, os_arch, repo_tag, repo_arch, identity_hash)
ORDER BY identity_hash
ON CONFLICT (identity_hash) DO NOTHING
"""

CLIENT_IDS = """
SELECT identity_hash, client_id FROM countme.clients WHERE identity_hash = ANY(%(identity_hash)s::bytea[])
"""

# --- what is destroyed in time ---------------------------------------------------------------------------------

# Weeks that every site with hits of them has counted as final, and not anew for some time. A week without hits keeps
# its key: one may just be loaded.
DESTROY_WEEK_KEYS = """
UPDATE countme.week_keys k SET key = NULL, destroyed_at = now()
WHERE k.key IS NOT NULL
  AND EXISTS (SELECT FROM countme.source_days d WHERE d.hit_day >= k.week AND d.hit_day < k.week + 7)
  AND NOT EXISTS (SELECT FROM countme.source_days d
                  JOIN countme.sources s USING (source_id)
                  LEFT JOIN countme.weeks w ON w.site = s.site AND w.week = k.week
                  WHERE d.hit_day >= k.week AND d.hit_day < k.week + 7 AND s.site = ANY(%(sites)s)
                    AND (w.status IS DISTINCT FROM 'final' OR w.counted_at >= %(counted_before)s
                         OR d.key_generation <> k.generation))
RETURNING week
"""

WEEK_KEYS_LEFT = "SELECT count(*), min(week) FROM countme.week_keys WHERE key IS NOT NULL"

# A sample is as old as the load of its file.
DELETE_OLD_SAMPLES = """
DELETE FROM countme.quarantine q
USING countme.sources s
WHERE s.source_id = q.source_id AND s.loaded_at < %(before)s
"""

SAMPLES_LEFT = """
SELECT q.verdict, count(*) FROM countme.quarantine q GROUP BY q.verdict ORDER BY q.verdict
"""

# --- replacing a day -----------------------------------------------------------------------------------------

# Where the loaded rows of a day lie: lets the deletes and the search for repeats touch few table partitions.
LOADED_SPANS = """
SELECT min(d.oldest_at), max(d.newest_at), array_agg(DISTINCT s.source_id)
FROM countme.sources s JOIN countme.source_days d USING (source_id)
WHERE s.site = %(site)s AND s.day = %(day)s
GROUP BY d.hit_day
ORDER BY d.hit_day
"""

DELETE_HITS = """
DELETE FROM countme.raw_hits
WHERE hit_at >= %(oldest)s AND hit_at <= %(newest)s AND source_id = ANY(%(source_ids)s)
  AND NOT EXISTS (SELECT FROM unnest(%(kept_ids)s::integer[], %(kept_weeks)s::date[]) AS kept (source_id, week)
                  WHERE kept.source_id = raw_hits.source_id
                    AND raw_hits.hit_at >= kept.week::timestamp AT TIME ZONE 'UTC'
                    AND raw_hits.hit_at < (kept.week + 7)::timestamp AT TIME ZONE 'UTC')
"""

# Hits of the day's unchanged files in weeks whose key is destroyed: their address keys cannot be made again.
SEALED_HITS = """
SELECT s.host, s.source_id, k.week, k.generation, sum(d.hits)::bigint
FROM countme.sources s
JOIN log_sync.files f ON f.site = s.site AND f.day = s.day AND f.host = s.host
                     AND f.state = 'fetched' AND f.sha256 = s.sha256
JOIN countme.source_days d USING (source_id)
JOIN countme.week_keys k ON k.week = date_trunc('week', d.hit_day)::date
                        AND k.key IS NULL AND k.generation = d.key_generation
WHERE s.site = %(site)s AND s.day = %(day)s AND s.policy = %(policy)s
GROUP BY s.host, s.source_id, k.week, k.generation
"""

TAKE_OVER_HITS = """
UPDATE countme.raw_hits SET source_id = %(source_id)s
WHERE hit_at >= %(start)s AND hit_at < %(end)s AND source_id = %(old_source_id)s
"""

# Takes verdicts, samples, addresses, spans and repeats of the sources along.
DELETE_SOURCES = "DELETE FROM countme.sources WHERE site = %(site)s AND day = %(day)s"

ADD_SOURCE = """
INSERT INTO countme.sources (site, day, host, sha256, policy, lines, hits)
VALUES (%(site)s, %(day)s, %(host)s, %(sha256)s, %(policy)s, 0, 0)
RETURNING source_id
"""

# A block tells the addresses it has not told before, but may forget that it has.
ADD_ADDRESSES = """
INSERT INTO countme.addresses (source_id, address_key, address)
SELECT %(source_id)s, address_key, address
FROM unnest(%(keys)s::bigint[], %(addresses)s::text[]) AS seen (address_key, address)
ON CONFLICT (source_id, address_key) DO NOTHING
"""

FINISH_SOURCE = "UPDATE countme.sources SET lines = %(lines)s, hits = %(hits)s WHERE source_id = %(source_id)s"

# --- repeats (policy compat) ---------------------------------------------------------------------------------

DELETE_REPEATS = """
DELETE FROM countme.repeats p
USING countme.sources s
WHERE s.source_id = p.source_id AND s.site = %(site)s AND p.hit_at >= %(oldest)s AND p.hit_at <= %(newest)s
"""

# The time that rows of a day's files share with the files of other days: usually some minutes after midnight.
SHARED_TIME = """
SELECT min(greatest(d.oldest_at, %(oldest)s)), max(least(d.newest_at, %(newest)s))
FROM countme.source_days d JOIN countme.sources s USING (source_id)
WHERE s.site = %(site)s AND s.day <> %(day)s AND d.oldest_at <= %(newest)s AND d.newest_at >= %(oldest)s
"""

# Equal rows share their second, so a second holds all copies of each of its rows. The first copy by day of the
# file, host and place counts. The hash aggregate finds the few equal groups; only those are sorted.
_ADD_REPEATS = """
WITH rows AS (
    SELECT r.hit_at, r.address_key, r.client_id, r.sys_age, r.source_id, r.byte_offset, s.day, s.host
    FROM countme.raw_hits r JOIN countme.sources s USING (source_id)
    WHERE s.site = %(site)s AND {when}
), equal AS (
    SELECT hit_at, address_key, client_id, sys_age
    FROM rows
    GROUP BY hit_at, address_key, client_id, sys_age
    HAVING count(*) > 1
), copies AS (
    SELECT source_id, byte_offset, hit_at,
           client_id, sys_age,
           row_number() OVER (PARTITION BY hit_at, address_key, client_id, sys_age
                              ORDER BY day, host, byte_offset) AS copy
    FROM rows JOIN equal USING (hit_at, address_key, client_id, sys_age)
)
INSERT INTO countme.repeats (source_id, byte_offset, hit_at, client_id, sys_age)
SELECT source_id, byte_offset, hit_at, client_id, sys_age FROM copies WHERE copy > 1
"""
ADD_REPEATS_BETWEEN = _ADD_REPEATS.format(when="r.hit_at >= %(oldest)s AND r.hit_at <= %(newest)s")
# The bounds spare the scan of other table partitions; the seconds alone would do.
ADD_REPEATS_AT = _ADD_REPEATS.format(
    when="r.hit_at >= %(oldest)s AND r.hit_at <= %(newest)s AND r.hit_at = ANY(%(seconds)s::timestamptz[])"
)

DAY_REPEATS = """
SELECT count(*) FROM countme.repeats JOIN countme.sources USING (source_id)
WHERE site = %(site)s AND day = %(day)s
"""

# --- weeks ---------------------------------------------------------------------------------------------------

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

# --- what is published ---------------------------------------------------------------------------------------

# Whose counts there are.
SITES = """
SELECT site FROM countme.sources UNION SELECT site FROM countme.weeks ORDER BY site
"""

# Empty texts become NULL, because COPY would write an empty text as "" and we want nothing between the commas.
# The order is the column order, texts by code point: the same file whatever the order rows were loaded in.
EXPORT_HITS = """
COPY (
    SELECT extract(epoch FROM hit_at)::bigint AS "timestamp", host, nullif(os_name, '') AS os_name,
           nullif(os_version, '') AS os_version, nullif(os_variant, '') AS os_variant,
           nullif(os_arch, '') AS os_arch, sys_age, nullif(repo_tag, '') AS repo_tag,
           nullif(repo_arch, '') AS repo_arch
    FROM countme.hits h
    WHERE h.site = %(site)s
    ORDER BY h.hit_at, h.host COLLATE "C", h.os_name, h.os_version, h.os_variant, h.os_arch, h.sys_age,
             h.repo_tag, h.repo_arch
) TO STDOUT (FORMAT csv, HEADER)
"""

_TOTALS = """
    SELECT t.week AS week_start, t.week + 6 AS week_end, t.hits, nullif(t.os_name, '') AS os_name,
           nullif(t.os_version, '') AS os_version, nullif(t.os_variant, '') AS os_variant,
           nullif(t.os_arch, '') AS os_arch, t.sys_age, nullif(t.repo_tag, '') AS repo_tag,
           nullif(t.repo_arch, '') AS repo_arch
    FROM countme.weekly_totals t JOIN countme.published_weeks w USING (site, week)
"""

# Numbers are sorted as texts here, as sorting the lines of the file by their fields would.
EXPORT_WEEKLY_TOTALS = f"""
COPY ({_TOTALS}
    WHERE t.site = %(site)s
    ORDER BY t.week, t.hits::text COLLATE "C", t.os_name, t.os_version, t.os_variant, t.os_arch,
             t.sys_age::text COLLATE "C", t.repo_tag, t.repo_arch
) TO STDOUT (FORMAT csv, HEADER)
"""

# --- unique hosts per day ------------------------------------------------------------------------------------

# What a day's hosts are counted from: every source with hits of that UTC day, whatever the date of its file.
HOST_DAY_INPUTS = "SELECT inputs FROM countme.hit_day_inputs WHERE site = %(site)s AND day = %(day)s"

# The dates of files whose hits of the day have address keys that do not compare to the newest of its week.
OUTDATED_HOST_DAY_FILES = """
SELECT s.day
FROM countme.source_days d JOIN countme.sources s USING (source_id)
WHERE s.site = %(site)s AND d.hit_day = %(day)s
  AND d.key_generation < (SELECT max(other.key_generation)
                          FROM countme.source_days other JOIN countme.sources t ON t.source_id = other.source_id
                          WHERE t.site = %(site)s AND other.hit_day = %(day)s)
ORDER BY s.day
"""

# Days counted from other sources than there are now, among them days that have lost all their hits.
CHANGED_HOST_DAYS = """
WITH present AS (
    SELECT day, inputs FROM countme.hit_day_inputs
    WHERE site = %(site)s AND day >= %(first_day)s AND day < %(end_day)s
), counted AS (
    SELECT day, inputs FROM countme.unique_host_days
    WHERE site = %(site)s AND day >= %(first_day)s AND day < %(end_day)s
), incomparable AS (
    SELECT d.hit_day
    FROM countme.source_days d JOIN countme.sources s USING (source_id)
    WHERE s.site = %(site)s AND d.hit_day >= %(first_day)s AND d.hit_day < %(end_day)s
    GROUP BY d.hit_day
    HAVING count(DISTINCT d.key_generation) > 1
)
SELECT day
FROM present FULL JOIN counted USING (day)
WHERE coalesce(present.inputs, '') <> coalesce(counted.inputs, '') AND day NOT IN (SELECT hit_day FROM incomparable)
ORDER BY day
"""

# What a day's clients asked for; a few thousand rows at most, to be given names.
HOST_DAY_CLIENTS = """
SELECT c.client_id, c.repo_tag, c.repo_arch
FROM countme.clients c
WHERE c.client_id IN (SELECT r.client_id FROM countme.raw_hits r
                      WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s
                        AND r.source_id IN (SELECT source_id FROM countme.sources WHERE site = %(site)s))
ORDER BY c.client_id
"""

DELETE_HOST_DAY = "DELETE FROM countme.daily_unique_hosts WHERE site = %(site)s AND day = %(day)s"

# An address that asked under two tags of one name is one host. An address key is comparable inside a week, and a day
# lies in one; repeats cannot add to a distinct count.
ADD_HOST_DAY = """
INSERT INTO countme.daily_unique_hosts (site, day, repository, architecture, hosts)
SELECT %(site)s, %(day)s, seen.repository, seen.architecture, count(*)
FROM (SELECT DISTINCT named.repository, named.architecture, r.address_key
      FROM countme.raw_hits r
      JOIN unnest(%(client_ids)s::integer[], %(repositories)s::text[], %(architectures)s::text[])
           AS named (client_id, repository, architecture) USING (client_id)
      WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s
        AND r.source_id IN (SELECT source_id FROM countme.sources WHERE site = %(site)s)) AS seen
GROUP BY seen.repository, seen.architecture
"""

HOST_DAY_SIZE = """
SELECT count(*), coalesce(sum(hosts), 0), coalesce(sum(hosts) FILTER (WHERE repository = %(unmapped)s), 0)
FROM countme.daily_unique_hosts WHERE site = %(site)s AND day = %(day)s
"""

# The tags that need a name most. Clients write tags: they may be of any length.
LARGEST_UNMAPPED_TAGS = """
SELECT left(c.repo_tag, 60), count(DISTINCT r.address_key)
FROM countme.raw_hits r JOIN countme.clients c USING (client_id)
WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s AND r.client_id = ANY(%(unmapped_ids)s::integer[])
  AND r.source_id IN (SELECT source_id FROM countme.sources WHERE site = %(site)s)
GROUP BY left(c.repo_tag, 60)
ORDER BY 2 DESC, 1
LIMIT 10
"""

KEEP_HOST_DAY = """
INSERT INTO countme.unique_host_days (site, day, inputs, counted_at)
VALUES (%(site)s, %(day)s, %(inputs)s, now())
ON CONFLICT (site, day) DO UPDATE SET inputs = excluded.inputs, counted_at = excluded.counted_at
"""

EXPORT_DAILY_UNIQUE_HOSTS = """
COPY (
    SELECT day, repository, architecture, hosts
    FROM countme.daily_unique_hosts
    WHERE site = %(site)s
    ORDER BY day, repository, architecture
) TO STDOUT (FORMAT csv, HEADER)
"""
