"""The statements that read what the database has of the typed tables, and that keep the versions of the schema file."""

# Whatever bears one of the names, in the catalog's words. A constraint trigger or rule is nobody's business here.
TABLES = """
SELECT c.oid, c.relname, c.relkind::text,
       coalesce((SELECT array_agg(a.attname::text ORDER BY k.place)
                 FROM pg_partitioned_table p
                 CROSS JOIN LATERAL unnest(p.partattrs) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.number
                 WHERE p.partrelid = c.oid), '{}') AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'events' AND c.relname = ANY(%(names)s)
"""

NAMES_TAKEN = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'events'::regnamespace
"""

COLUMNS = """
SELECT attname::text, format_type(atttypid, NULL), attnotnull, atthasdef OR attidentity <> '' OR attgenerated <> ''
FROM pg_attribute WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

# Indexes any query on the column can use: the whole table, the column first. Of the table and of its partitions.
INDEXES = """
SELECT t.relname::text, i.relname::text, a.attname::text, x.indisvalid, p.relname::text
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
LEFT JOIN pg_inherits h ON h.inhrelid = i.oid
LEFT JOIN pg_class p ON p.oid = h.inhparent
WHERE x.indpred IS NULL
  AND (x.indrelid = %(oid)s OR x.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(oid)s))
ORDER BY i.relname
"""

LEAVES = """
SELECT c.relname::text FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
WHERE h.inhparent = %(oid)s ORDER BY c.relname
"""

CHECKS = """
SELECT conname::text, a.attname::text, convalidated
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
WHERE k.conrelid = %(oid)s AND k.contype = 'c'
"""

# Ends at the first one; looks at every row only once, before the column becomes NOT NULL.
HAS_NULLS = "SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NULL)"

# --- versions ------------------------------------------------------------------------------------------------

KEEP_VERSION = """
INSERT INTO events.schema_versions (version, document, applied_at, statements)
VALUES (%(version)s, %(document)s, CASE WHEN %(is_settled)s THEN clock_timestamp() END, %(statements)s)
ON CONFLICT (version) DO UPDATE
SET applied_at = coalesce(schema_versions.applied_at, excluded.applied_at),
    statements = schema_versions.statements || excluded.statements
"""

VERSIONS = """
SELECT version, document FROM events.schema_versions
"""

IS_APPLIED = """
SELECT EXISTS (SELECT FROM events.schema_versions WHERE version = %(version)s AND applied_at IS NOT NULL)
"""
