"""Statements of what the room publishes. Counting is in `sql`; tables are described in the migrations.

Statements share subqueries: they are put together from constants of this module, values travel as parameters.
"""

# ruff: noqa: S608

from __future__ import annotations

# --- which weeks, which rows ---------------------------------------------------------------------------------

# The weeks of a site that are published: the rule is the view's; with `unfinished` also those it holds back.
_WEEKS = """
    SELECT w.week, w.status, w.coverage, w.revision
    FROM countme.weeks w
    WHERE w.site = %(site)s
      AND (%(unfinished)s OR EXISTS (SELECT FROM countme.published_weeks p WHERE p.site = w.site AND p.week = w.week))
"""

_ROWS = f"""
    SELECT t.week, t.hits, t.os_name, t.os_version, t.os_variant, t.os_arch, t.sys_age, t.repo_tag, t.repo_arch,
           t.position, w.status, w.coverage, w.revision
    FROM countme.weekly_totals t JOIN ({_WEEKS}) w USING (week)
    WHERE t.site = %(site)s
"""

# Rows with few hits name odd systems: they are summed up as "other", so that the sums of a week stay what they are.
_ROLLED_UP = f"""
    SELECT week, sum(hits)::bigint AS hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch,
           min(position) AS position, status, coverage, revision
    FROM (SELECT r.week, r.hits, r.sys_age, r.status, r.coverage, r.revision,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.os_name ELSE 'other' END AS os_name,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.os_version ELSE 'other' END AS os_version,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.os_variant ELSE 'other' END AS os_variant,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.os_arch ELSE 'other' END AS os_arch,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.repo_tag ELSE 'other' END AS repo_tag,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.repo_arch ELSE 'other' END AS repo_arch,
                 CASE WHEN r.hits >= %(suppress_below)s THEN r.position END AS position
          FROM ({_ROWS}) r) AS named
    GROUP BY week, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, status, coverage, revision
"""

_TEXTS = 'os_name COLLATE "C", os_version COLLATE "C", os_variant COLLATE "C", os_arch COLLATE "C", sys_age,' + (
    ' repo_tag COLLATE "C", repo_arch COLLATE "C"'
)

# compat: as the established tool writes all weeks at once, countme before addresses, rows as they first appeared.
# strict: week by week, so that a new week is added at the end; then by the columns from left to right.
# Texts also order what has no position: what is summed up, and weeks counted under another policy.
_ORDERS = {
    "compat": f"sys_age < 0, week, position NULLS LAST, {_TEXTS}",
    "strict": f"week, sys_age < 0, {_TEXTS}",
}

# --- statements over the published rows ----------------------------------------------------------------------

# Empty texts become NULL, because COPY would write an empty text as "" and we want nothing between the commas.
_CSV_COLUMNS = """week AS week_start, week + 6 AS week_end, hits, nullif(os_name, '') AS os_name,
       nullif(os_version, '') AS os_version, nullif(os_variant, '') AS os_variant, nullif(os_arch, '') AS os_arch,
       sys_age, nullif(repo_tag, '') AS repo_tag, nullif(repo_arch, '') AS repo_arch"""

_STATUS_COLUMNS = "status, round(coverage::numeric, 4) AS coverage, revision"

_BY_POLICY = {
    "compat": _CSV_COLUMNS,
    "strict": f"{_CSV_COLUMNS}, {_STATUS_COLUMNS}",
}


def rows_of(suppresses: bool) -> str:
    """The published rows as a subquery: parameters site, unfinished and, if it sums up small counts, suppress_below."""
    return _ROLLED_UP if suppresses else _ROWS


def totals_csv(policy: str, suppresses: bool) -> str:
    """The rows of totals.csv as COPY writes them, header first."""
    return f"""
COPY (SELECT {_BY_POLICY[policy]}
      FROM ({rows_of(suppresses)}) AS published
      ORDER BY {_ORDERS[policy]}) TO STDOUT (FORMAT csv, HEADER)
"""


def totals_rows(policy: str, suppresses: bool) -> str:
    """The same rows in the same order, for other formats; `passes`: the sign of sys_age, -1 for addresses."""
    return f"""
SELECT week, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, status, coverage, revision
FROM ({rows_of(suppresses)}) AS published
WHERE CASE WHEN sys_age < 0 THEN -1 ELSE 1 END = ANY(%(passes)s)
ORDER BY {_ORDERS[policy]}
"""


PUBLISHED_WEEKS = f"""
SELECT week, status, coverage, revision FROM ({_WEEKS}) AS weeks ORDER BY week
"""

HELD_BACK_WEEKS = f"""
SELECT week, status, missing FROM countme.weeks
WHERE site = %(site)s AND week NOT IN (SELECT week FROM ({_WEEKS}) AS weeks)
ORDER BY week
"""

# For the reader of the index page, newest first.
NEWEST_WEEKS = f"""
SELECT w.week, w.status, w.coverage, w.revision, w.missing, w.hits,
       w.week IN (SELECT week FROM ({_WEEKS}) AS weeks)
FROM countme.weeks w
WHERE w.site = %(site)s
ORDER BY w.week DESC
LIMIT 6
"""

# --- charts --------------------------------------------------------------------------------------------------

# A system asks once a week for each of its repositories: the repository that most of a kind of system asked for
# tells how many they are. The sum over repositories would count a system several times.
_SYSTEMS = """
    SELECT week, os_name, os_version, os_variant, os_arch, sys_age, max(hits) AS systems
    FROM (SELECT week, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, sum(hits) AS hits
          FROM ({rows}) AS published
          WHERE sys_age >= 0
          GROUP BY week, os_name, os_version, os_variant, os_arch, sys_age, repo_tag) AS asked
    GROUP BY week, os_name, os_version, os_variant, os_arch, sys_age
"""

# Minor versions belong to their release: Rocky Linux 9.3 is Rocky Linux 9.
BY_RELEASE = """
    CASE WHEN os_name = '' AND os_version = '' THEN '(unknown)'
         WHEN os_name = 'other' THEN os_name
         ELSE trim(os_name || ' ' || split_part(os_version, '.', 1)) END"""
BY_VARIANT = "coalesce(nullif(os_variant, ''), '(unknown)')"
BY_ARCHITECTURE = "coalesce(nullif(os_arch, ''), '(unknown)')"
BY_AGE = """CASE sys_age WHEN 1 THEN 'first week' WHEN 2 THEN 'weeks 2 to 4' WHEN 3 THEN 'weeks 5 to 24'
                 WHEN 4 THEN 'week 25 and later' ELSE 'other' END"""


def systems_by(name: str, suppresses: bool) -> str:
    """Rows (week, name, systems); `name` is one of the expressions above."""
    return f"""
SELECT week, {name}, sum(systems)::bigint
FROM ({_SYSTEMS.format(rows=rows_of(suppresses))}) AS systems
GROUP BY 1, 2 ORDER BY 1, 2
"""


# --- unique hosts --------------------------------------------------------------------------------------------

# The counted days that are published: those whose files are loaded, of every log host or, with `gaps`, of any. The
# neighbours' files hold some minutes of a day, too: without its own it would look like a day of few hosts.
_HOST_DAYS = """
    SELECT d.day
    FROM countme.unique_host_days d
    WHERE d.site = %(site)s
      AND EXISTS (SELECT FROM countme.sources s WHERE s.site = d.site AND s.day = d.day + %(file_offset)s)
      AND (%(gaps)s OR NOT EXISTS (
          SELECT FROM log_sync.files f
          WHERE f.site = d.site AND f.day = d.day + %(file_offset)s AND f.state <> 'waived'
            AND NOT EXISTS (SELECT FROM countme.sources s
                            WHERE s.site = f.site AND s.day = f.day AND s.host = f.host)))
"""

HOST_ROWS = f"""
SELECT h.day, h.repository, h.architecture, h.hosts
FROM countme.daily_unique_hosts h
WHERE h.site = %(site)s AND h.day IN ({_HOST_DAYS})
ORDER BY h.day, h.repository, h.architecture
"""

HELD_BACK_DAYS = f"""
SELECT DISTINCT h.day
FROM countme.daily_unique_hosts h
WHERE h.site = %(site)s AND h.day NOT IN ({_HOST_DAYS})
ORDER BY h.day
"""

HOSTS_BY_REPOSITORY = f"""
SELECT h.day, h.repository, sum(h.hosts)::bigint
FROM countme.daily_unique_hosts h
WHERE h.site = %(site)s AND h.repository ~ %(pattern)s AND h.day IN ({_HOST_DAYS})
GROUP BY h.day, h.repository
ORDER BY h.day, h.repository
"""

# --- what is published ---------------------------------------------------------------------------------------

# What every published file of a site is made of. Settings count, because they change the files, too.
PUBLISHING_INPUTS = f"""
SELECT md5(
    coalesce((SELECT string_agg(concat_ws(' ', w.week, w.policy, w.revision, w.status, w.coverage, w.missing), ','
                                ORDER BY w.week)
              FROM countme.weeks w WHERE w.site = %(site)s), '')
    || ';' || coalesce((SELECT string_agg(concat_ws(' ', d.day, d.inputs), ',' ORDER BY d.day)
                        FROM countme.unique_host_days d WHERE d.site = %(site)s), '')
    || ';' || coalesce((SELECT string_agg(days.day::text, ',' ORDER BY days.day) FROM ({_HOST_DAYS}) AS days), '')
    || ';' || %(settings)s)
WHERE EXISTS (SELECT FROM countme.weeks w WHERE w.site = %(site)s)
   OR EXISTS (SELECT FROM countme.unique_host_days d WHERE d.site = %(site)s)
"""

PUBLICATION = "SELECT sha256 FROM countme.publications WHERE site = %(site)s AND name = %(name)s"

KEEP_PUBLICATION = """
INSERT INTO countme.publications
    (site, name, sha256, size_bytes, rows, oldest, newest, inputs, changed_at, checked_at)
VALUES (%(site)s, %(name)s, %(sha256)s, %(size_bytes)s, %(rows)s, %(oldest)s, %(newest)s, %(inputs)s, now(), now())
ON CONFLICT (site, name) DO UPDATE SET
    sha256 = excluded.sha256, size_bytes = excluded.size_bytes, rows = excluded.rows, oldest = excluded.oldest,
    newest = excluded.newest, inputs = excluded.inputs, checked_at = excluded.checked_at,
    changed_at = CASE WHEN %(is_new)s THEN excluded.changed_at ELSE publications.changed_at END
"""

PUBLICATIONS = """
SELECT name, size_bytes, rows, oldest, newest, changed_at
FROM countme.publications
WHERE site = %(site)s
ORDER BY name
"""

# The states of the inputs that the site's files were made of: one, the present, when all are up to date.
PUBLISHED_INPUTS = "SELECT DISTINCT inputs FROM countme.publications WHERE site = %(site)s ORDER BY inputs"

# --- order of first appearance (policy compat) ---------------------------------------------------------------

# The first line of each row of the totals that shares its first second with another. A repeat comes after the line
# it repeats, so it is never first. The list of seconds lets the index on hit_at leave most of a week unread.
FIRST_LINES = """
SELECT DISTINCT ON (r.client_id, r.sys_age) r.client_id, r.sys_age, s.day, s.host, r.byte_offset
FROM countme.raw_hits r
JOIN unnest(%(client_ids)s::integer[], %(ages)s::bigint[], %(seconds)s::timestamptz[])
     AS first (client_id, sys_age, hit_at) USING (client_id, sys_age, hit_at)
JOIN countme.sources s USING (source_id)
WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s AND s.site = %(site)s
  AND r.hit_at = ANY(%(distinct_seconds)s::timestamptz[])
ORDER BY r.client_id, r.sys_age, s.day, s.host COLLATE "C", r.byte_offset
"""

# Clients in the order of the established tool, and whether all their addresses of their first day are known.
FIRST_ADDRESSES = """
SELECT seen.client_id, seen.is_known
FROM (SELECT r.client_id, first.day_at, min(a.address COLLATE "C") AS address,
             bool_and(a.address IS NOT NULL) AS is_known
      FROM countme.raw_hits r
      JOIN unnest(%(client_ids)s::integer[], %(days)s::timestamptz[]) AS first (client_id, day_at) USING (client_id)
      LEFT JOIN countme.addresses a USING (source_id, address_key)
      WHERE r.hit_at >= %(start)s AND r.hit_at < %(end)s
        AND r.source_id IN (SELECT source_id FROM countme.sources WHERE site = %(site)s)
        AND r.hit_at >= first.day_at AND r.hit_at < first.day_at + interval '1 day'
      GROUP BY r.client_id, first.day_at) AS seen
JOIN countme.clients c USING (client_id)
ORDER BY seen.day_at, seen.address COLLATE "C", c.os_name, c.os_version, c.os_variant, c.os_arch, c.repo_tag,
         c.repo_arch
"""
