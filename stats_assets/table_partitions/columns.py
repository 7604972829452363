"""What the columns of table_partitions.inventory mean, as the Dagster UI shows it. Made in the migrations."""

from __future__ import annotations

from stats_assets.shared.column_schemas import column_schema

_COLUMNS = {
    "day": ("date", "when it was measured, UTC"),
    "table_name": ("text", "the partitioned table, schema.table"),
    "place": ("text", "attached, pending (half detached), default, attic (detached), archive (a file)"),
    "partition_name": ("text", "the table partition, its name in the attic, or the archive's name"),
    "lower_bound": ("text", "the first key that belongs to it"),
    "upper_bound": ("text", "the first key that does not"),
    "rows": ("bigint", "about; exact for archives"),
    "bytes": ("bigint", "with indexes and TOAST; of the file for archives"),
    "measured_at": ("timestamptz", "when it was measured, UTC"),
}

INVENTORY_SCHEMA = column_schema(_COLUMNS)
