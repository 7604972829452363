"""The statements of `daily_unique_hosts`."""

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
