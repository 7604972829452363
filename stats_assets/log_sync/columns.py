"""What the columns of log_sync.files mean, as the Dagster UI shows it. The table is made in the migrations."""

from __future__ import annotations

import dagster as dg

_COLUMNS = {
    "day": ("date", "the date in the file's name"),
    "host": ("text", "log host, as named in stats.yaml"),
    "site": ("text", "web site the log is of"),
    "state": ("text", "fetched: we have a verified copy; missing: the host has none; failed: it could not be had"),
    "source_url": ("text", "where it comes from, without user and password"),
    "source_version": ("text", "version of our copy, or of the damaged file; compared only"),
    "archive_name": ("text", "our verified copy, below the archive"),
    "file_bytes": ("bigint", "size as stored, compressed"),
    "content_bytes": ("bigint", "size of the lines in it"),
    "sha256": ("text", "of the file as stored, in hex"),
    "fetched_at": ("timestamptz", "when our copy was verified, UTC"),
    "checked_at": ("timestamptz", "when the host was last asked, UTC"),
    "attempts": ("integer", "tries in the last run"),
    "last_error": ("text", "why there is no copy, or why the last run did not renew it"),
}

FILES_SCHEMA = dg.TableSchema([dg.TableColumn(name, kind, meaning) for name, (kind, meaning) in _COLUMNS.items()])
