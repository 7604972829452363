"""The room's statements. The table and its columns are described in the migrations."""

# By primary key prefix (day).
ROWS_OF_DAYS = """
SELECT day, host, site, state, source_url, source_version, archive_name, file_bytes, content_bytes, sha256,
       fetched_at, checked_at, attempts, last_error
FROM log_sync.files
WHERE day BETWEEN %(first_day)s AND %(last_day)s
ORDER BY day, host, site
"""

# The last days anybody has asked for, whatever today is.
NEWEST_DAY = "SELECT max(day) FROM log_sync.files"
OLDEST_DAY = "SELECT min(day) FROM log_sync.files"

# A row is replaced as a whole: what it says of the copy and of the last try belongs together.
SAVE_ROW = """
INSERT INTO log_sync.files (day, host, site, state, source_url, source_version, archive_name, file_bytes,
                            content_bytes, sha256, fetched_at, checked_at, attempts, last_error)
VALUES (%(day)s, %(host)s, %(site)s, %(state)s, %(source_url)s, %(source_version)s, %(archive_name)s,
        %(file_bytes)s, %(content_bytes)s, %(sha256)s, %(fetched_at)s, %(checked_at)s, %(attempts)s,
        %(last_error)s)
ON CONFLICT (day, host, site) DO UPDATE
SET state = excluded.state, source_url = excluded.source_url, source_version = excluded.source_version,
    archive_name = excluded.archive_name, file_bytes = excluded.file_bytes,
    content_bytes = excluded.content_bytes, sha256 = excluded.sha256, fetched_at = excluded.fetched_at,
    checked_at = excluded.checked_at, attempts = excluded.attempts, last_error = excluded.last_error
"""

# A host taken out of stats.yaml owes nothing any more; what it delivered stays and is counted.
FORGET_UNEXPECTED = """
DELETE FROM log_sync.files
WHERE day = %(day)s AND state <> 'fetched'
  AND (host, site) NOT IN (SELECT * FROM unnest(%(hosts)s::text[], %(sites)s::text[]))
"""
