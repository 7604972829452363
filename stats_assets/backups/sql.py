"""SQL of the room: what is counted, and the books of backups and drills."""

from __future__ import annotations

# Permanent tables that hold rows themselves: partitioned parents hold none, unlogged ones are empty after a recovery.
# relfilenode is of the snapshot, pg_relation_filenode of now: they differ when a table was rewritten in between.
TABLES = """
SELECT n.nspname, c.relname, c.oid, c.relfilenode,
       (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text[]
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname COLLATE "C"
"""
REWRITTEN = """
SELECT count(*) FROM unnest(%(oids)s::oid[], %(nodes)s::oid[]) AS t(oid, node)
WHERE pg_relation_filenode(t.oid) IS DISTINCT FROM t.node
"""
# In one statement: the snapshot is taken first, the place read some microseconds later.
MOMENT = "SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text"
# Its commit is flushed, whatever the server or role is set to, and so is all WAL behind every moment before.
EMIT_MARK = """
SET synchronous_commit = on;
SELECT pg_logical_emit_message(true, 'stats_assets', 'behind a backup')
"""
FLUSHED = "SELECT pg_current_wal_flush_lsn()::text"
RECEIVED = "SELECT coalesce(max(flush_lsn), '0/0')::text FROM pg_stat_replication WHERE application_name = %(app)s"
SERVER = """
SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, current_database(),
       current_user,
       (SELECT coalesce(sum(pg_database_size(d.oid)), 0) FROM pg_database d
        WHERE has_database_privilege(d.oid, 'CONNECT'))::bigint,
       (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
"""
# Where the default would change how a value is written.
SETTLE_TEXTS = """
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL search_path = pg_catalog
"""
# Sessions that wait for each other's work for hours; nobody waits long for a lock behind one of them.
NO_TIMEOUTS = """
SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'
"""

KEEP_BACKUP = """
INSERT INTO backups.base_backup (backup_name, day, method, began_at, ended_at, server_version, recover_to,
    database_bytes, stored_bytes, table_count, row_count)
VALUES (%(name)s, %(day)s, %(method)s, %(began_at)s, %(ended_at)s, %(server_version)s, %(recover_to)s,
    %(database_bytes)s, %(stored_bytes)s, %(tables)s, %(rows)s)
ON CONFLICT (backup_name) DO NOTHING
"""
REMOVED = """
UPDATE backups.base_backup SET removed_at = clock_timestamp()
WHERE removed_at IS NULL AND NOT backup_name = ANY (%(present)s)
"""
SIZES_BY_DAY = """
SELECT day, max(stored_bytes), max(database_bytes) FROM backups.base_backup GROUP BY day ORDER BY day
"""
KEEP_DRILL = """
INSERT INTO backups.restore_drill (week, backup_name, began_at, ended_at, is_good, problem, restored_bytes,
    table_count, row_count)
VALUES (%(week)s, %(name)s, %(began_at)s, clock_timestamp(), %(is_good)s, %(problem)s, %(bytes)s, %(tables)s, %(rows)s)
"""
LAST_DRILLS = """
SELECT ended_at, is_good, backup_name, problem FROM backups.restore_drill ORDER BY ended_at DESC LIMIT 1
"""
LAST_GOOD_DRILL = "SELECT max(ended_at) FROM backups.restore_drill WHERE is_good"
