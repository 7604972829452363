"""What the room asks the catalog, and how it writes its own tables. Statements of steps are in `statements`."""

# Nothing here locks a table that is kept: sizes come from pages the last VACUUM or ANALYZE counted, because
# pg_total_relation_size would wait behind whoever holds it.

SESSION = """
SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool, clock_timestamp(),
       (SELECT max(happened_at) FROM table_partitions.events)
"""

TABLE = """
SELECT c.oid,
       coalesce(p.partstrat::text, ''),
       ARRAY(SELECT coalesce(a.attname::text, '(an expression)')
             FROM unnest(p.partattrs::int2[]) WITH ORDINALITY AS k (number, place)
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
             ORDER BY k.place),
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum = (p.partattrs::int2[])[0]),
       (SELECT spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

PARTITIONS = """
SELECT c.oid, n.nspname::text, c.relname::text, pg_get_expr(c.relpartbound, c.oid), i.inhdetachpending,
       c.relkind = 'r', greatest(c.reltuples, 0)::bigint, coalesce(c.reloptions, '{}'),
       coalesce((SELECT sum(x.relpages::bigint) FROM pg_index k JOIN pg_class x ON x.oid = k.indexrelid
                 WHERE k.indrelid IN (c.oid, c.reltoastrelid)), 0) * 8192
       + (c.relpages::bigint + coalesce((SELECT t.relpages FROM pg_class t WHERE t.oid = c.reltoastrelid), 0)) * 8192,
       ARRAY(SELECT x.relname::text FROM pg_index k JOIN pg_class x ON x.oid = k.indexrelid WHERE k.indrelid = c.oid),
       ARRAY(SELECT x.relname::text FROM pg_index k JOIN pg_class x ON x.oid = k.indexrelid
             WHERE k.indrelid = c.oid AND NOT k.indisvalid AND NOT x.relispartition)
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = %(oid)s
"""

# Of the parent (itself among them) and all its children.
TRAITS = """
SELECT c.oid, pg_get_userbyid(c.relowner)::text, c.relrowsecurity, c.relforcerowsecurity,
       ARRAY(SELECT concat(a.attname, chr(31), a.attstorage, chr(31), nullif(a.attcompression, ''))
             FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c
WHERE c.oid = %(oid)s OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(oid)s)
"""

# What the owner may do goes without saying.
GRANTS = """
WITH family AS (
    SELECT c.oid, c.relowner, c.relacl FROM pg_class c
    WHERE c.oid = %(oid)s OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(oid)s)
)
SELECT f.oid, CASE x.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END,
       x.privilege_type, NULL::text, x.is_grantable
FROM family f CROSS JOIN aclexplode(f.relacl) x
WHERE x.grantee <> f.relowner
UNION ALL
SELECT f.oid, CASE x.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END,
       x.privilege_type, a.attname::text, x.is_grantable
FROM family f
JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN aclexplode(a.attacl) x
WHERE x.grantee <> f.relowner
"""

MISSING_INDEXES = """
SELECT child.inhrelid, n.nspname::text, ic.relname::text, pg_get_indexdef(x.indexrelid)
FROM pg_index x
JOIN pg_class ic ON ic.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = ic.relnamespace
JOIN pg_inherits child ON child.inhparent = x.indrelid
WHERE x.indrelid = %(oid)s
  AND NOT EXISTS (SELECT FROM pg_inherits ii JOIN pg_index ci ON ci.indexrelid = ii.inhrelid
                  WHERE ii.inhparent = x.indexrelid AND ci.indrelid = child.inhrelid AND ci.indisvalid)
"""

# Prepared transactions hold locks, too, and have no process. What somebody without the right to see it does is not
# known to be old.
OLDEST_HOLDER = """
SELECT a.pid, a.application_name, a.state, to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = to_regclass(%(table)s)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode = ANY (%(modes)s) AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND (l.pid IS NULL OR a.xact_start < clock_timestamp() - %(old_seconds)s * interval '1 second')
ORDER BY a.xact_start NULLS FIRST LIMIT 1
"""

NAMES_TAKEN = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
"""

REFERENCES = """
SELECT DISTINCT n.nspname::text, c.relname::text
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conrelid = %(oid)s
"""

INBOUND = """
SELECT k.conname::text, n.nspname::text, c.relname::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = %(oid)s AND k.conparentid = 0 AND k.conrelid <> k.confrelid
"""

RETIRING = """
SELECT a.partition_oid, a.partition_name, n.nspname::text, c.relname::text, a.lower_bound, a.upper_bound, a.action,
       a.state, EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid), a.drop_after, a.archive_name,
       greatest(c.reltuples, 0)::bigint, c.relpages::bigint * 8192,
       ARRAY(SELECT x.relname::text FROM pg_index k JOIN pg_class x ON x.oid = k.indexrelid WHERE k.indrelid = c.oid)
FROM table_partitions.attic a
JOIN pg_class c ON c.oid = a.partition_oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.table_name = %(table)s AND a.state IN ('detaching', 'kept')
ORDER BY a.lower_bound, a.partition_oid
"""

ARCHIVED = """
SELECT partition_oid::text, archive_name, lower_bound, keep_until
FROM table_partitions.archives WHERE table_name = %(table)s AND problem IS NULL ORDER BY archived_at
"""

# The rows of a default partition by the period they belong to; {key}, {default} and {period} are put in.
DEFAULT_GROUPS = "SELECT min({key}), count(*) FROM ONLY {default} WHERE {is_movable} GROUP BY {period} ORDER BY 1"
DEFAULT_REST = """
SELECT count(*) FILTER (WHERE NOT coalesce({is_movable}, false)), min({key})::text, max({key})::text FROM ONLY {default}
"""
# Python counts to the year 9999, and infinity has no period.
IS_MOVABLE = {
    "timestamptz": "{key} >= '0001-01-02 00:00:00+00' AND {key} < '9999-12-31 00:00:00+00'",
    "date": "{key} >= '0001-01-02' AND {key} < '9999-12-31'",
    "int": "{key} IS NOT NULL",
}
NEWEST_ID = "SELECT max({key}) FROM ONLY {leaf}"
IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM ONLY {leaf})"
COUNT_REFERENCING = "SELECT count(*) FROM {referencing} r WHERE EXISTS (SELECT FROM ONLY {leaf} l WHERE {pairs})"

ADD_EVENT = """
INSERT INTO table_partitions.events (run_id, table_name, partition_name, step, lower_bound, upper_bound, result,
    statements, tries, waited_ms, rows, bytes, message)
VALUES (%(run_id)s, %(table)s, %(partition)s, %(step)s, %(lower)s, %(upper)s, %(result)s,
    %(statements)s, %(tries)s, %(waited_ms)s, %(rows)s, %(bytes)s, %(message)s)
"""

MIRROR_POLICY = """
INSERT INTO table_partitions.policies AS p (table_name, policy, policy_hash, problem)
VALUES (%(table)s, %(policy)s, %(hash)s, %(problem)s)
ON CONFLICT (table_name) DO UPDATE SET policy = excluded.policy, policy_hash = excluded.policy_hash,
    problem = excluded.problem, removed_at = NULL,
    changed_at = CASE WHEN p.policy_hash = excluded.policy_hash AND p.removed_at IS NULL
                      THEN p.changed_at ELSE now() END
"""
FORGET_POLICIES = """
UPDATE table_partitions.policies SET removed_at = now()
WHERE removed_at IS NULL AND NOT table_name = ANY (%(tables)s)
"""

# Written before the detach begins: after a crash it tells what was going on. An oid may have been there before, when
# a restored table retires again.
INTEND_DETACH = """
INSERT INTO table_partitions.attic (partition_oid, table_name, partition_name, attic_name, lower_bound, upper_bound,
    action, state, archive_name)
VALUES (%(oid)s, %(table)s, %(partition)s, %(moves_to)s, %(lower)s, %(upper)s, %(action)s, 'detaching',
    (SELECT archive_name FROM table_partitions.archives
     WHERE table_name = %(table)s AND partition_oid = %(oid)s AND problem IS NULL ORDER BY archived_at DESC LIMIT 1))
ON CONFLICT (partition_oid) DO UPDATE SET table_name = excluded.table_name, partition_name = excluded.partition_name,
    attic_name = excluded.attic_name, lower_bound = excluded.lower_bound, upper_bound = excluded.upper_bound,
    action = excluded.action, state = 'detaching', archive_name = excluded.archive_name, intended_at = now(),
    shelved_at = NULL, drop_after = NULL, ended_at = NULL
"""
SHELVED = """
UPDATE table_partitions.attic SET state = 'kept', attic_name = %(moves_to)s, shelved_at = %(now)s,
    drop_after = CASE WHEN action = 'detach' THEN NULL ELSE %(drop_after)s END
WHERE partition_oid = %(oid)s
"""
DROPPED = "UPDATE table_partitions.attic SET state = 'dropped', ended_at = now() WHERE partition_oid = %(oid)s"
RESTORED = "UPDATE table_partitions.attic SET state = 'restored', ended_at = now() WHERE partition_oid = %(oid)s"
FORGET_ARCHIVE = "UPDATE table_partitions.attic SET archive_name = NULL WHERE partition_oid = %(oid)s"
SET_ARCHIVE = "UPDATE table_partitions.attic SET archive_name = %(archive_name)s WHERE partition_oid = %(oid)s"

KEEP_ARCHIVE = """
INSERT INTO table_partitions.archives (archive_name, table_name, partition_name, partition_oid, lower_bound,
    upper_bound, rows, fingerprint, sha256, file_bytes, table_bytes, file_name, manifest_name, verified_at)
VALUES (%(archive_name)s, %(table)s, %(partition)s, %(oid)s, %(lower)s,
    %(upper)s, %(rows)s, %(fingerprint)s, %(sha256)s, %(file_bytes)s, %(table_bytes)s, %(file)s, %(manifest)s, now())
ON CONFLICT (archive_name) DO UPDATE SET partition_oid = excluded.partition_oid, sha256 = excluded.sha256,
    file_bytes = excluded.file_bytes, verified_at = now(), problem = NULL
"""
ARCHIVES = """
SELECT archive_name, table_name, partition_name, lower_bound, upper_bound, rows, fingerprint, sha256, file_bytes,
       table_bytes, file_name, manifest_name, archived_at, verified_at, problem
FROM table_partitions.archives
"""
JUDGE_ARCHIVE = """
UPDATE table_partitions.archives SET problem = %(problem)s,
    verified_at = CASE WHEN %(problem)s::text IS NULL THEN now() ELSE verified_at END
WHERE archive_name = %(archive_name)s
"""
HOLD_ARCHIVE = """
UPDATE table_partitions.archives SET keep_until = %(until)s WHERE table_name = %(table)s AND lower_bound = %(lower)s
"""

COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typname::text, t.typtype::text, a.attgenerated <> ''
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

TOTAL_SIZE = "SELECT pg_total_relation_size(%(oid)s::oid)"
CLEAR_INVENTORY = "DELETE FROM table_partitions.inventory WHERE day = %(day)s"
ADD_INVENTORY = """
INSERT INTO table_partitions.inventory (day, table_name, place, partition_name, lower_bound, upper_bound, rows, bytes,
    measured_at)
VALUES (%(day)s, %(table)s, %(place)s, %(partition)s, %(lower)s, %(upper)s, %(rows)s, %(bytes)s, %(measured_at)s)
"""
SIZES_BY_DAY = """
SELECT table_name, day, sum(bytes)::bigint, sum(bytes) FILTER (WHERE place = 'archive')::bigint
FROM table_partitions.inventory GROUP BY table_name, day ORDER BY table_name, day
"""
