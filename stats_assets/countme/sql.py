"""The statements of files, days and keys; weeks, unique hosts, publishing and exports have theirs in `*_sql`.

Windows are half-open and UTC; tables are described in the migrations.
"""

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
