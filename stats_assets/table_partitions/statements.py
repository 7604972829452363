"""The SQL of the steps, as text that can be shown before it is run. Pure.

Why it is written as it is (longest stall of writers at 400 inserts a second while a reader holds its transaction for
5 s, PostgreSQL 15):

    CREATE TABLE ... PARTITION OF            4,014 ms    LIKE + CHECK + ATTACH       4 ms
    DETACH, DROP of an attached partition    4,013 ms    DETACH CONCURRENTLY        14 ms

It is never the statement that is slow, but the queue behind a waiting ACCESS EXCLUSIVE; whatever needs one runs under
a lock_timeout (see `patience`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stats_assets.shared.identifiers import fitted, quoted, text_literal
from stats_assets.table_partitions.catalog import Grant, MissingIndex, Retiring, Table, TablePartition, Traits
from stats_assets.table_partitions.periods import Period, Value, shown

ATTIC = "attic"

_STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}
_COMPRESSION = {"p": "pglz", "l": "lz4", "": "default"}


def create(table: Table, name: str, period: Period) -> tuple[str, ...]:
    """An empty table partition: made apart, made like its parent, attached."""
    return (_alone(table), *_made_apart(table, name, period.lower, period.upper), *_attached(table, name, period))


def drain(table: Table, default: TablePartition, name: str, period: Period) -> tuple[str, ...]:
    """A table partition that takes its rows over from the default one, in one transaction.

    Writers to the default partition wait meanwhile: a row that came in between would make ATTACH fail. The parent is
    locked before its partition, as readers do it; the other way round they deadlock.
    """
    columns = ", ".join(quoted(column) for column in table.columns)
    return (
        _alone(table),
        f"LOCK TABLE ONLY {_parent(table)} IN SHARE UPDATE EXCLUSIVE MODE",
        f"LOCK TABLE ONLY {quoted(default.schema, default.name)} IN SHARE ROW EXCLUSIVE MODE",
        *_made_apart(table, name, period.lower, period.upper),
        f"WITH moved AS (DELETE FROM ONLY {quoted(default.schema, default.name)}"  # noqa: S608 - names are quoted
        f" WHERE {_inside(table, period.lower, period.upper)} RETURNING {columns})"
        f" INSERT INTO {quoted(table.schema, name)} ({columns}) SELECT {columns} FROM moved",
        *_attached(table, name, period),
    )


def detach(table: Table, part: TablePartition) -> tuple[str, ...]:
    """Away from its parent, with a CHECK of its bounds left on it, so that it can come back without a scan."""
    leaf = quoted(part.schema, part.name)
    if table.default is None:
        return (f"ALTER TABLE {_parent(table)} DETACH PARTITION {leaf} CONCURRENTLY",)
    return (  # PostgreSQL refuses CONCURRENTLY beside a default partition
        f"LOCK TABLE ONLY {_parent(table)} IN ACCESS EXCLUSIVE MODE",
        f"ALTER TABLE {leaf} ADD CONSTRAINT {_check_name(part.name)}"
        f" CHECK ({_inside(table, part.lower, part.upper)}) NOT VALID",
        f"ALTER TABLE {_parent(table)} DETACH PARTITION {leaf}",
    )


def finalize(table: Table, part: TablePartition) -> tuple[str, ...]:
    """The end of a DETACH CONCURRENTLY that was broken off."""
    return (f"ALTER TABLE {_parent(table)} DETACH PARTITION {quoted(part.schema, part.name)} FINALIZE",)


def attic_name(schema: str, name: str, oid: int) -> str:
    """What a table is called in the attic: several schemas and years may have had the same name."""
    return fitted(name, f"_{oid}", schema)


def shelve(schema: str, name: str, oid: int, indexes: tuple[str, ...]) -> tuple[str, ...]:
    """A detached table into the attic; its indexes move along and must not meet their namesakes there."""
    kept = attic_name(schema, name, oid)
    renamed = (
        f"ALTER INDEX {quoted(schema, index)} RENAME TO {quoted(fitted(kept, f'_i{number}', schema))}"
        for number, index in enumerate(sorted(indexes), start=1)
    )
    return (
        f"ALTER TABLE {quoted(schema, name)} RENAME TO {quoted(kept)}",
        *renamed,
        f"ALTER TABLE {quoted(schema, kept)} SET SCHEMA {quoted(ATTIC)}",
    )


def truncate(part: TablePartition) -> tuple[str, ...]:
    return (f"TRUNCATE TABLE ONLY {quoted(part.schema, part.name)}",)


def drop(kept: Retiring) -> tuple[str, ...]:
    return (f"DROP TABLE {quoted(kept.schema_now, kept.name_now)}",)


def apart(table: Table, name: str, lower: Value | None, upper: Value | None) -> tuple[str, ...]:
    """A table made like the parent that may hold the range, not attached yet."""
    return tuple(_made_apart(table, name, lower, upper))


def attach(table: Table, name: str, lower: Value | None, upper: Value | None) -> tuple[str, ...]:
    """A table with a CHECK of the range becomes a table partition; no scan, readers and writers go on."""
    return tuple(_attached_between(table, name, lower, upper))


def back_from_attic(table: Table, kept: Retiring) -> tuple[str, ...]:
    """The way of `shelve` back, up to a table beside its parent."""
    there = quoted(kept.schema_now, kept.name_now)
    return (
        f"ALTER TABLE {there} SET SCHEMA {quoted(table.schema)}",
        f"ALTER TABLE {quoted(table.schema, kept.name_now)} RENAME TO {quoted(kept.name)}",
    )


def like_parent(parent: Traits, part: TablePartition) -> tuple[str, ...]:
    """What brings a table partition that has drifted back to its parent's owner, rights, storage."""
    leaf = quoted(part.schema, part.name)
    statements = []
    if part.traits.owner != parent.owner:
        statements.append(f"ALTER TABLE {leaf} OWNER TO {quoted(parent.owner)}")
    statements += [_revoke(leaf, grant) for grant in sorted(part.traits.grants - parent.grants, key=_by_name)]
    statements += [_grant(leaf, grant) for grant in sorted(parent.grants - part.traits.grants, key=_by_name)]
    statements += _row_security(leaf, part.traits, parent)
    for column, letter in sorted(parent.storage - part.traits.storage):
        statements.append(f"ALTER TABLE {leaf} ALTER COLUMN {quoted(column)} SET STORAGE {_STORAGE[letter]}")
    for column, letter in sorted(parent.compression - part.traits.compression):
        statements.append(f"ALTER TABLE {leaf} ALTER COLUMN {quoted(column)} SET COMPRESSION {_COMPRESSION[letter]}")
    return tuple(statements)


def build_index(part: TablePartition, missing: MissingIndex) -> tuple[str, ...]:
    """The index a table partition lacks, built while it is written to, then known as its parent's.

    A build that is broken off leaves a broken index of its name behind.
    """
    name = fitted(f"{part.name}_{missing.name}", "", part.schema)
    broken = (f"DROP INDEX CONCURRENTLY {quoted(part.schema, name)}",) if name in part.broken_indexes else ()
    unique, _, using = missing.definition.partition(" INDEX ")
    body = re.sub(r"^.*? USING ", "USING ", using, count=1, flags=re.DOTALL)
    return (
        *broken,
        f"{unique} INDEX CONCURRENTLY {quoted(name)} ON {quoted(part.schema, part.name)} {body}",
        f"ALTER INDEX {quoted(missing.schema, missing.name)} ATTACH PARTITION {quoted(part.schema, name)}",
    )


def bound_literal(bound: Value | None, otherwise: str) -> str:
    if bound is None:
        return otherwise
    return str(bound) if isinstance(bound, int) else text_literal(shown(bound))


def _alone(table: Table) -> str:
    """Loaders make table partitions, too, under the same lock; it lasts as long as the transaction."""
    name = text_literal(f"{table.schema}.{table.name}:table partitions")
    return f"SELECT pg_advisory_xact_lock(hashtextextended({name}, 0))"


def _made_apart(table: Table, name: str, lower: Value | None, upper: Value | None) -> Iterator[str]:
    """Owner, rights and row security are not inherited; an identity belongs to the parent alone."""
    leaf = quoted(table.schema, name)
    options = _options_of_newest(table)
    yield (
        f"CREATE TABLE {leaf} (LIKE {_parent(table)} INCLUDING ALL EXCLUDING IDENTITY,"
        f" CONSTRAINT {_check_name(name)} CHECK ({_inside(table, lower, upper)}))"
        + (f" WITH ({', '.join(options)})" if options else "")
        + (f" TABLESPACE {quoted(table.tablespace)}" if table.tablespace else "")
    )
    yield f"ALTER TABLE {leaf} OWNER TO {quoted(table.traits.owner)}"
    yield from (_grant(leaf, grant) for grant in sorted(table.traits.grants, key=_by_name))
    yield from _row_security(leaf, Traits(table.traits.owner), table.traits)


def _attached(table: Table, name: str, period: Period) -> Iterator[str]:
    return _attached_between(table, name, period.lower, period.upper)


def _attached_between(table: Table, name: str, lower: Value | None, upper: Value | None) -> Iterator[str]:
    leaf = quoted(table.schema, name)
    start, end = bound_literal(lower, "MINVALUE"), bound_literal(upper, "MAXVALUE")
    yield f"ALTER TABLE {_parent(table)} ATTACH PARTITION {leaf} FOR VALUES FROM ({start}) TO ({end})"
    yield f"ALTER TABLE {leaf} DROP CONSTRAINT {_check_name(name)}"


def _inside(table: Table, lower: Value | None, upper: Value | None) -> str:
    """The range as a condition; with it ATTACH need not look at the rows."""
    (key,) = table.key
    terms = [f"{quoted(key)} IS NOT NULL"]
    if lower is not None:
        terms.append(f"{quoted(key)} >= {bound_literal(lower, '')}")
    if upper is not None:
        terms.append(f"{quoted(key)} < {bound_literal(upper, '')}")
    return " AND ".join(terms)


def _options_of_newest(table: Table) -> tuple[str, ...]:
    """A partitioned table has no storage parameters of its own: the newest table partition sets the example."""
    return table.ranges[-1].options if table.ranges else ()


def _row_security(leaf: str, now: Traits, wanted: Traits) -> list[str]:
    """Policies stay on the parent: with row security on, whoever reads the table partition itself sees nothing."""
    statements = []
    if now.has_row_security != wanted.has_row_security:
        word = "ENABLE" if wanted.has_row_security else "DISABLE"
        statements.append(f"ALTER TABLE {leaf} {word} ROW LEVEL SECURITY")
    if now.forces_row_security != wanted.forces_row_security:
        word = "FORCE" if wanted.forces_row_security else "NO FORCE"
        statements.append(f"ALTER TABLE {leaf} {word} ROW LEVEL SECURITY")
    return statements


def _grant(leaf: str, grant: Grant) -> str:
    option = " WITH GRANT OPTION" if grant.is_grantable else ""
    return f"GRANT {_privilege(grant)} ON {leaf} TO {_grantee(grant)}{option}"


def _revoke(leaf: str, grant: Grant) -> str:
    return f"REVOKE {_privilege(grant)} ON {leaf} FROM {_grantee(grant)}"


def _privilege(grant: Grant) -> str:
    return grant.privilege if grant.column is None else f"{grant.privilege} ({quoted(grant.column)})"


def _grantee(grant: Grant) -> str:
    return quoted(grant.grantee) if grant.grantee else "PUBLIC"


def _by_name(grant: Grant) -> tuple[str, str, str]:
    return grant.grantee, grant.privilege, grant.column or ""


def _parent(table: Table) -> str:
    return quoted(table.schema, table.name)


def _check_name(name: str) -> str:
    return quoted(fitted(name, "_bounds"))
