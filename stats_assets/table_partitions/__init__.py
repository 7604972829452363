"""table_partitions: partitioned tables that look after themselves, without stalling a writer or losing a row."""
