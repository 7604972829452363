"""What the columns of the room's tables mean, as the Dagster UI shows it. Made in the migrations."""

from __future__ import annotations

from stats_assets.shared.column_schemas import column_schema

BASE_BACKUP_SCHEMA = column_schema(
    {
        "backup_name": ("text", "its folder below backups.url: the UTC second it was begun"),
        "day": ("date", "that day, UTC"),
        "method": ("text", "physical (the whole server) or dump (the data database by schema)"),
        "began_at": ("timestamptz", "UTC"),
        "ended_at": ("timestamptz", "when the copy was verified, UTC"),
        "server_version": ("text", "of PostgreSQL"),
        "recover_to": ("pg_lsn", "where a recovery stops, before the record there; NULL for dumps"),
        "database_bytes": ("bigint", "of all databases of the server"),
        "stored_bytes": ("bigint", "compressed"),
        "table_count": ("integer", "tables in the manifest"),
        "row_count": ("bigint", "rows in the manifest"),
        "removed_at": ("timestamptz", "when it was first seen that it is gone"),
    }
)
RESTORE_DRILL_SCHEMA = column_schema(
    {
        "drill_id": ("bigint", ""),
        "week": ("date", "its Monday"),
        "backup_name": ("text", "the backup that was restored"),
        "began_at": ("timestamptz", "UTC"),
        "ended_at": ("timestamptz", "UTC"),
        "is_good": ("boolean", "every table has the rows the manifest says"),
        "problem": ("text", "why it is not good"),
        "restored_bytes": ("bigint", "of all databases of the server"),
        "table_count": ("integer", "tables compared"),
        "row_count": ("bigint", "rows compared"),
    }
)
