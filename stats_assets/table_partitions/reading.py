"""The catalog as values: what the planner may know of each table a policy names.

Each table is read in a short transaction of its own: one that somebody has locked for long is left out and told, and
the others are maintained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg2

from stats_assets.shared.failures import first_line
from stats_assets.shared.identifiers import quoted, text_literal
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row
from stats_assets.table_partitions import sql
from stats_assets.table_partitions.catalog import (
    Catalog,
    DefaultRows,
    Grant,
    InboundKey,
    MissingIndex,
    Retiring,
    Table,
    TablePartition,
    Traits,
    parse_bounds,
)
from stats_assets.table_partitions.clock import clock_trouble
from stats_assets.table_partitions.retirement import expired

_SEPARATOR = "\x1f"
# Bounds are read as text: it must not depend on how a role or database is set up.
READ_SET_UP = "SET LOCAL lock_timeout = '2s'; SET LOCAL datestyle = 'ISO, YMD'"


@dataclass(frozen=True)
class Snapshot:
    """The catalog, and the tables that could not be read, with the reason."""

    catalog: Catalog
    unread: dict[str, str]


def read_catalog(
    database: StatsDatabase, policies: Sequence[PartitionPolicy], now: datetime, trusts_clock: bool = False
) -> Snapshot:
    """What the database says now. `trusts_clock`: an operator vouches for it, or the time is made up."""
    tables: dict[str, Table] = {}
    unread: dict[str, str] = {}
    with database.transaction() as cursor:
        cursor.execute(sql.SESSION)
        is_read_only, database_now, last_event = one_row(cursor)
    trouble = None if trusts_clock else clock_trouble(now, database_now, last_event)
    for policy in policies:
        try:
            with database.transaction() as cursor:
                cursor.execute(READ_SET_UP)
                table = read_table(cursor, policy, now)
        except psycopg2.errors.LockNotAvailable as error:
            unread[policy.table] = f"deferred: somebody holds it locked ({first_line(error)})"
            continue
        except psycopg2.ProgrammingError as error:  # no right to read it, for one: the others are not to wait for that
            unread[policy.table] = f"cannot be read: {first_line(error)}"
            continue
        if table is not None:
            tables[policy.table] = table
    return Snapshot(Catalog(tables, is_read_only, trouble), unread)


def read_table(cursor: Cursor, policy: PartitionPolicy, now: datetime) -> Table | None:
    """One table; None when there is none of the name."""
    schema, name = policy.names
    cursor.execute(sql.TABLE, {"schema": schema, "name": name})
    found = cursor.fetchone()
    if found is None:
        return None
    oid, strategy, key, key_type, tablespace, columns = found
    traits = _traits(cursor, oid)
    table = Table(
        schema,
        name,
        strategy,
        tuple(key),
        key_type or "",
        traits[oid],
        columns=tuple(columns),
        tablespace=tablespace,
        partitions=tuple(_partitions(cursor, policy, oid, traits)) if strategy == "r" else (),
        references=_references(cursor, oid),
        names_taken=_column(cursor, sql.NAMES_TAKEN, schema=schema),
        retiring=_retiring(cursor, policy.table),
    )
    if strategy != "r" or table.key != (policy.key,):
        return table  # the planner refuses it; its rows are not for us to look at
    return _with_rows(cursor, policy, _with_archives(cursor, policy, table), oid, now)


def _with_archives(cursor: Cursor, policy: PartitionPolicy, table: Table) -> Table:
    cursor.execute(sql.ARCHIVED, {"table": policy.table})
    rows = cursor.fetchall()
    return replace(
        table,
        archived={oid: name for oid, name, _, _ in rows},
        held={lower: until for _, _, lower, until in rows if until is not None},
    )


def _with_rows(cursor: Cursor, policy: PartitionPolicy, table: Table, oid: int, now: datetime) -> Table:
    """What only the rows tell: the highest id, what is in the default partition, who references what is to go."""
    if policy.kind == "int":
        table = replace(table, newest_id=_newest_id(cursor, policy, table))
    if table.default is not None:
        table = replace(table, default_rows=_default_rows(cursor, policy, table.default))
    due = expired(policy, table, now)
    if policy.action == "truncate":
        empty = {part.oid: _is_empty(cursor, part) for part in due}
        parts = (replace(part, is_empty=empty.get(part.oid)) for part in table.partitions)
        table = replace(table, partitions=tuple(parts))
    return replace(table, inbound=tuple(_inbound(cursor, oid, due)))


def _partitions(
    cursor: Cursor, policy: PartitionPolicy, oid: int, traits: dict[int, Traits]
) -> Iterable[TablePartition]:
    missing: defaultdict[int, list[MissingIndex]] = defaultdict(list)
    cursor.execute(sql.MISSING_INDEXES, {"oid": oid})
    for child, *index in cursor.fetchall():
        missing[child].append(MissingIndex(*index))
    cursor.execute(sql.PARTITIONS, {"oid": oid})
    for child, schema, name, bound, is_pending, is_plain, rows, options, size, indexes, broken in cursor.fetchall():
        is_default = bound == "DEFAULT"
        lower, upper = (None, None) if is_default else _bounds(bound, policy.kind)
        yield TablePartition(
            child,
            schema,
            name,
            lower,
            upper,
            traits[child],
            is_default=is_default,
            is_pending=is_pending,
            is_plain=is_plain,
            rows=rows,
            bytes=int(size),
            options=tuple(options),
            indexes=tuple(indexes),
            broken_indexes=tuple(broken),
            missing_indexes=tuple(missing[child]),
        )


def _bounds(text: str, kind: str) -> tuple[Any, Any]:
    """Of another kind than the policy's they are not ours to read; the planner refuses the table for its key."""
    try:
        return parse_bounds(text, kind)
    except ValueError:
        return None, None


def _traits(cursor: Cursor, oid: int) -> dict[int, Traits]:
    grants: defaultdict[int, set[Grant]] = defaultdict(set)
    cursor.execute(sql.GRANTS, {"oid": oid})
    for owner_oid, grantee, privilege, column, is_grantable in cursor.fetchall():
        grants[owner_oid].add(Grant(grantee, privilege, column, is_grantable))
    cursor.execute(sql.TRAITS, {"oid": oid})
    found = {}
    for child, owner, has_security, forces_security, columns in cursor.fetchall():
        parts = [column.split(_SEPARATOR) for column in columns]
        found[child] = Traits(
            owner,
            frozenset(grants[child]),
            has_security,
            forces_security,
            frozenset((name, storage) for name, storage, _ in parts),
            frozenset((name, compression) for name, _, compression in parts),
        )
    return found


def _retiring(cursor: Cursor, table: str) -> tuple[Retiring, ...]:
    cursor.execute(sql.RETIRING, {"table": table})
    return tuple(Retiring(*row[:-1], indexes=tuple(row[-1])) for row in cursor.fetchall())


def _newest_id(cursor: Cursor, policy: PartitionPolicy, table: Table) -> int | None:
    """From the newest table partition down, so that no more than the last with rows is looked at."""
    for part in reversed(table.ranges):
        cursor.execute(sql.NEWEST_ID.format(key=quoted(policy.key), leaf=quoted(part.schema, part.name)))
        (newest,) = one_row(cursor)
        if newest is not None:
            return newest
    return None


def _default_rows(cursor: Cursor, policy: PartitionPolicy, default: TablePartition) -> DefaultRows:
    key = quoted(policy.key)
    parts = {"key": key, "default": quoted(default.schema, default.name), "period": _period(policy, key)}
    parts["is_movable"] = sql.IS_MOVABLE[policy.kind].format(key=key)
    cursor.execute(sql.DEFAULT_GROUPS.format(**parts))
    groups = tuple(cursor.fetchall())
    cursor.execute(sql.DEFAULT_REST.format(**parts))
    unmovable, oldest, newest = one_row(cursor)
    return DefaultRows(groups, unmovable, oldest, newest)


def _period(policy: PartitionPolicy, key: str) -> str:
    if isinstance(policy.step, int):
        return f"div({key}, {policy.step}), {key} < 0"
    if policy.kind == "date":
        return f"date_trunc('{policy.step}', {key}::timestamp)"
    return f"date_trunc('{policy.step}', {key}, {text_literal(policy.zone)})"


def _is_empty(cursor: Cursor, part: TablePartition) -> bool:
    cursor.execute(sql.IS_EMPTY.format(leaf=quoted(part.schema, part.name)))
    return bool(one_row(cursor)[0])


def _inbound(cursor: Cursor, oid: int, due: Sequence[TablePartition]) -> Iterable[InboundKey]:
    cursor.execute(sql.INBOUND, {"oid": oid})
    for name, schema, table, theirs, ours in cursor.fetchall():
        pairs = " AND ".join(f"r.{quoted(a)} = l.{quoted(b)}" for a, b in zip(theirs, ours, strict=True))
        rows = {}
        for part in due:
            leaf = quoted(part.schema, part.name)
            cursor.execute(sql.COUNT_REFERENCING.format(referencing=quoted(schema, table), leaf=leaf, pairs=pairs))
            (rows[part.oid],) = one_row(cursor)
        yield InboundKey(name, f"{schema}.{table}", rows)


def _references(cursor: Cursor, oid: int) -> frozenset[tuple[str, str]]:
    cursor.execute(sql.REFERENCES, {"oid": oid})
    return frozenset((schema, table) for schema, table in cursor.fetchall())


def _column(cursor: Cursor, statement: str, **parameters: Any) -> frozenset[str]:
    cursor.execute(statement, parameters)
    return frozenset(value for (value,) in cursor.fetchall())
