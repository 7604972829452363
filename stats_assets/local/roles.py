"""`./stats roles`: the database roles beside the owner, with the least rights each needs. Pure decisions, thin acting.

owner     the role of STATS_DSN: owns schemas and tables, migrates, makes and drops table partitions. The services run
          as it, because loading makes the table partitions it meets no place for.
loader    for programs that bring rows from elsewhere: reads and writes rows, creates and drops nothing.
reader    for people and reports: reads what is no secret and no personal data.
dagster   owns nothing of the data: reads and writes Dagster's own tables only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import cursor as Cursor

from stats_assets.shared.identifiers import quoted

LOADER, READER, DAGSTER = "stats_loader", "stats_reader", "stats_dagster"

# For the owner and loaders: keys of address hashes, addresses, samples of input, e-mail addresses; events as they were
# sent, with headers and undeclared keys; messages and whom they went to. Typed tables of events are readable, because
# the schema file says what they hold. Secrets of apps and addresses of channels are in no table.
PRIVATE = frozenset(
    {
        ("countme", "week_keys"),
        ("countme", "addresses"),
        ("countme", "quarantine"),
        ("crashes", "reports_private"),
        ("crashes", "quarantine"),
        ("events", "raw_events"),
        ("events", "quarantine"),
        ("forum", "quarantine"),
        ("notifications", "messages"),
        ("trends", "quarantine"),
    }
)
# Where detached table partitions wait for their end, those of private tables beside others: nobody's but the owner's.
CLOSED = frozenset({"attic"})

_FOUND = """
SELECT current_database(), current_user,
       (SELECT coalesce(array_agg(rolname), '{}') FROM pg_roles WHERE rolname = ANY (%(roles)s))::text[],
       (SELECT coalesce(array_agg(nspname ORDER BY nspname COLLATE "C"), '{}') FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public'))::text[]
"""
# A table and the table partitions below it: rights on those are their own.
_PRIVATE = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN (
    SELECT * FROM unnest(%(schemas)s::text[], %(tables)s::text[]))
UNION
SELECT n.nspname, c.relname
FROM unnest(%(schemas)s::text[], %(tables)s::text[]) AS t(s, r),
     pg_partition_tree(to_regclass(quote_ident(s) || '.' || quote_ident(r))) p
JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Found:
    """What there is in a database: its name, our role, the roles of ours on the server, its schemas, private tables."""

    database: str
    owner: str
    roles: frozenset[str]
    schemas: tuple[str, ...]
    private: tuple[tuple[str, str], ...] = ()


def data_statements(found: Found) -> Iterator[str]:
    """What gives loader and reader their rights on the data, whatever they had. Safe to repeat."""
    yield from _made(found, LOADER, READER)
    database, loader, reader = quoted(found.database), quoted(LOADER), quoted(READER)
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    yield f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {loader}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {reader}"
    guarded = {schema for schema, _table in PRIVATE}
    for name in found.schemas:
        schema = quoted(name)
        future = f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(found.owner)} IN SCHEMA {schema}"
        if name in CLOSED:
            yield f"REVOKE ALL ON SCHEMA {schema} FROM {loader}, {reader}"
            continue
        yield f"GRANT USAGE ON SCHEMA {schema} TO {loader}, {reader}"
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {loader}"
        yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {loader}"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}"
        yield f"{future} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {loader}"
        yield f"{future} GRANT USAGE ON SEQUENCES TO {loader}"
        # Not where a table is private: its table partitions to come would be readable under their own names. Those
        # of other tables there are read through the table, whose rights are enough for that.
        if name in guarded:
            yield f"{future} REVOKE ALL ON TABLES FROM {reader}"
        else:
            yield f"{future} GRANT SELECT ON TABLES TO {reader}"
    for names in found.private:
        yield f"REVOKE ALL ON TABLE {quoted(*names)} FROM {reader}"


def dagster_statements(found: Found, schema: str) -> Iterator[str]:
    """What lets Dagster work on its own tables, which the owner has made."""
    yield from _made(found, DAGSTER)
    role = quoted(DAGSTER)
    future = f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(found.owner)} IN SCHEMA {quoted(schema)}"
    yield f"GRANT CONNECT ON DATABASE {quoted(found.database)} TO {role}"
    yield f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {role}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {quoted(schema)} TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {quoted(schema)} TO {role}"
    yield f"{future} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
    yield f"{future} GRANT USAGE, SELECT ON SEQUENCES TO {role}"


def give_roles(dsn: str, dagster_dsn: str, dry_run: bool) -> list[str]:
    """Carries the statements out, each database's in one transaction; gives them. Nobody else's rights are touched."""
    done: dict[str, list[str]] = {}
    for name, where in (("data", dsn), ("dagster", dagster_dsn)):
        with closing(psycopg2.connect(where)) as connection, connection, connection.cursor() as cursor:
            statements = list(_statements(cursor, name))
            for statement in () if dry_run else statements:
                cursor.execute(statement)
        done[name] = statements
    return [statement for statements in done.values() for statement in statements]


def _statements(cursor: Cursor, name: str) -> Iterator[str]:
    found = read_found(cursor)
    if name == "data":
        return data_statements(found)
    cursor.execute("SELECT current_schema()")
    (schema,) = cursor.fetchone() or ("public",)
    return dagster_statements(found, schema)


def read_found(cursor: Cursor) -> Found:
    cursor.execute(_FOUND, {"roles": [LOADER, READER, DAGSTER]})
    database, owner, roles, schemas = cursor.fetchone() or ("", "", [], [])
    names: Sequence[tuple[str, str]] = sorted(PRIVATE)
    given: Mapping[str, list[str]] = {"schemas": [s for s, _ in names], "tables": [t for _, t in names]}
    cursor.execute(_PRIVATE, given)
    return Found(database, owner, frozenset(roles), tuple(schemas), tuple(cursor.fetchall()))


def _made(found: Found, *roles: str) -> Iterator[str]:
    # Without a password nobody logs in as them: \password in psql sets it, and keeps it out of every log.
    yield from (f"CREATE ROLE {quoted(role)} LOGIN" for role in roles if role not in found.roles)
