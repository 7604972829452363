"""The room's statements. The table and its columns are described in the migrations."""

_ROWS = """
SELECT day, host, site, state, source_url, source_version, archive_name, file_bytes, content_bytes, sha256,
       fetched_at, checked_at, attempts, last_error, version, lines, undatable_lines, oldest_line_at,
       newest_line_at, step_back_seconds
FROM log_sync.files
"""

# By primary key prefix (day).
ROWS_OF_DAYS = f"{_ROWS} WHERE day BETWEEN %(first_day)s AND %(last_day)s ORDER BY day, host, site"

LACKING_ROWS = f"{_ROWS} WHERE state IN ('missing', 'failed') ORDER BY day, host, site"

# The last days anybody has asked for, whatever today is.
NEWEST_DAY = "SELECT max(day) FROM log_sync.files"
OLDEST_DAY = "SELECT min(day) FROM log_sync.files"

# A row is replaced as a whole: what it says of the copy and of the last try belongs together.
SAVE_ROW = """
INSERT INTO log_sync.files (day, host, site, state, source_url, source_version, archive_name, file_bytes,
                            content_bytes, sha256, fetched_at, checked_at, attempts, last_error, is_expected,
                            version, lines, undatable_lines, oldest_line_at, newest_line_at, step_back_seconds)
VALUES (%(day)s, %(host)s, %(site)s, %(state)s, %(source_url)s, %(source_version)s, %(archive_name)s,
        %(file_bytes)s, %(content_bytes)s, %(sha256)s, %(fetched_at)s, %(checked_at)s, %(attempts)s,
        %(last_error)s, true, %(version)s, %(lines)s, %(undatable_lines)s, %(oldest_line_at)s,
        %(newest_line_at)s, %(step_back_seconds)s)
ON CONFLICT (day, host, site) DO UPDATE
SET state = excluded.state, source_url = excluded.source_url, source_version = excluded.source_version,
    archive_name = excluded.archive_name, file_bytes = excluded.file_bytes,
    content_bytes = excluded.content_bytes, sha256 = excluded.sha256, fetched_at = excluded.fetched_at,
    checked_at = excluded.checked_at, attempts = excluded.attempts, last_error = excluded.last_error,
    is_expected = true, version = excluded.version, lines = excluded.lines,
    undatable_lines = excluded.undatable_lines, oldest_line_at = excluded.oldest_line_at,
    newest_line_at = excluded.newest_line_at, step_back_seconds = excluded.step_back_seconds
"""

# One row per content: a copy that was only looked at again adds none.
ADD_VERSIONS = """
INSERT INTO log_sync.file_versions (day, host, site, version, sha256, file_bytes, source_version, fetched_at)
SELECT day, host, site, version, sha256, file_bytes, source_version, fetched_at
FROM log_sync.files
WHERE day = %(day)s AND state = 'fetched'
ON CONFLICT (day, host, site, version) DO NOTHING
"""

# A host taken out of stats.yaml owes nothing any more; what it delivered stays and is counted.
FORGET_UNEXPECTED = """
DELETE FROM log_sync.files
WHERE day = %(day)s AND state <> 'fetched'
  AND (host, site) NOT IN (SELECT * FROM unnest(%(hosts)s::text[], %(sites)s::text[]))
"""

NO_LONGER_EXPECTED = """
UPDATE log_sync.files SET is_expected = false
WHERE day = %(day)s AND is_expected
  AND (host, site) NOT IN (SELECT * FROM unnest(%(hosts)s::text[], %(sites)s::text[]))
"""

# --- combined logs -------------------------------------------------------------------------------------------

INPUTS = "SELECT inputs FROM log_sync.combinable WHERE site = %(site)s AND day = %(day)s"

COMBINED_NAMES = """
SELECT archive_name, undatable_name FROM log_sync.combined_logs WHERE site = %(site)s AND day = %(day)s
"""

SAVE_COMBINED = """
INSERT INTO log_sync.combined_logs (site, day, hosts, missing_hosts, archive_name, undatable_name, lines,
                                    undatable_lines, content_bytes, file_bytes, sha256, oldest_line_at,
                                    newest_line_at, inputs, seconds)
VALUES (%(site)s, %(day)s, %(hosts)s, %(missing_hosts)s::text[], %(archive_name)s, %(undatable_name)s, %(lines)s,
        %(undatable_lines)s, %(content_bytes)s, %(file_bytes)s, %(sha256)s, %(oldest_line_at)s,
        %(newest_line_at)s, %(inputs)s, %(seconds)s)
ON CONFLICT (site, day) DO UPDATE
SET hosts = excluded.hosts, missing_hosts = excluded.missing_hosts, archive_name = excluded.archive_name,
    undatable_name = excluded.undatable_name, lines = excluded.lines,
    undatable_lines = excluded.undatable_lines, content_bytes = excluded.content_bytes,
    file_bytes = excluded.file_bytes, sha256 = excluded.sha256, oldest_line_at = excluded.oldest_line_at,
    newest_line_at = excluded.newest_line_at, inputs = excluded.inputs, seconds = excluded.seconds,
    combined_at = now()
"""

REMOVE_COMBINED = """
DELETE FROM log_sync.combined_logs WHERE day < %(first_day)s RETURNING day, archive_name, undatable_name
"""

# However old: a day is asked for as long as what was made of it is not what there is.
UNCOMBINED_DAYS = """
SELECT n.day, string_agg(n.inputs, ',' ORDER BY n.site)
FROM log_sync.combinable n LEFT JOIN log_sync.combined_logs c USING (site, day)
WHERE n.site = ANY(%(sites)s) AND n.day >= %(first_day)s AND c.inputs IS DISTINCT FROM n.inputs
GROUP BY n.day
ORDER BY n.day
"""
