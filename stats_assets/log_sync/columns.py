"""What the columns of the room's tables mean, as the Dagster UI shows it. They are made in the migrations."""

from __future__ import annotations

import dagster as dg

from stats_assets.shared.column_schemas import column_schema

_FILES = {
    "day": ("date", "the date in the file's name"),
    "host": ("text", "log host, as named in stats.yaml"),
    "site": ("text", "web site the log is of"),
    "state": ("text", "fetched: a verified copy; missing: the host has none; failed: not to be had; waived: excused"),
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
    "is_expected": ("boolean", "false: of a host that stats.yaml no longer names; kept and counted"),
    "version": ("integer", "of our copy: goes up with every other content; 0: there never was one"),
    "lines": ("bigint", "lines in it"),
    "undatable_lines": ("bigint", "lines without a time we can read"),
    "oldest_line_at": ("timestamptz", "the earliest time of all its lines, UTC"),
    "newest_line_at": ("timestamptz", "the latest"),
    "step_back_seconds": ("bigint", "most that a line is dated before an earlier line"),
}

_COMBINED = {
    "site": ("text", "web site the log is of"),
    "day": ("date", "the date in the names of the files it was made of"),
    "hosts": ("text[]", "whose lines are in it"),
    "missing_hosts": ("text[]", "expected, not waived, and not there when it was made"),
    "archive_name": ("text", "the lines in order, below the archive"),
    "undatable_name": ("text", "the lines without a time; none when there are none"),
    "lines": ("bigint", "lines in order"),
    "undatable_lines": ("bigint", "lines without a time we can read"),
    "content_bytes": ("bigint", "size of the lines in order"),
    "file_bytes": ("bigint", "the same as stored, compressed"),
    "sha256": ("text", "of the file in order as stored, in hex"),
    "oldest_line_at": ("timestamptz", "time of its first line, UTC"),
    "newest_line_at": ("timestamptz", "time of its last line"),
    "inputs": ("text", "digest of the files it was made of"),
    "seconds": ("real", "it took"),
    "combined_at": ("timestamptz", "when it was made, UTC"),
}


FILES_SCHEMA = column_schema(_FILES)
COMBINED_SCHEMA = column_schema(_COMBINED)


def combined_lineage(files: dg.AssetKey) -> dg.TableColumnLineage:
    """From which columns of log_sync.files those of log_sync.combined_logs come."""
    sources = {
        "hosts": ["host", "state"],
        "missing_hosts": ["host", "state"],
        "lines": ["archive_name"],
        "undatable_lines": ["archive_name"],
        "content_bytes": ["archive_name"],
        "oldest_line_at": ["archive_name"],
        "newest_line_at": ["archive_name"],
        "inputs": ["host", "state", "sha256"],
    }
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(files, column) for column in columns] for name, columns in sources.items()}
    )
