"""Benchmarks of the table_partitions room: how long writers are stalled, how small archived rows are."""
