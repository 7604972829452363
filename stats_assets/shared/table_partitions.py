"""Leaves of range-partitioned tables: a loader asks for those it needs before it loads, and they are there or made.

Making them ahead, retiring and archiving them is the room table_partitions, by the policies the rooms declare; why
loaders do not wait for that room: docs/decisions/0010-loaders-make-what-they-need.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg2
from psycopg2 import sql

from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice

# Made apart and then attached: ATTACH takes a lock that lets readers and writers of the parent go on
# (CREATE TABLE ... PARTITION OF would stop them); the CHECK spares it the scan.
_CREATE = """
CREATE TABLE {leaf} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY,
    CONSTRAINT {bounds} CHECK ({key} IS NOT NULL AND {key} >= {start} AND {key} < {end}))
"""
_ATTACH = "ALTER TABLE {parent} ATTACH PARTITION {leaf} FOR VALUES FROM ({start}) TO ({end})"
_DROP_CHECK = "ALTER TABLE {leaf} DROP CONSTRAINT {bounds}"
_IS_PENDING = """
SELECT inhdetachpending FROM pg_inherits
WHERE inhparent = to_regclass(%(parent)s) AND inhrelid = to_regclass(%(leaf)s)
"""
# A second load may make the same leaves just now, or the room move rows out of a default partition.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '15s'"


@dataclass(frozen=True)
class Leaf:
    """One table partition: rows of `schema.table` whose `key` is from `start` to before `end` (SQL literals)."""

    schema: str
    table: str
    name: str
    key: str
    start: str | int
    end: str | int

    @property
    def qualified(self) -> tuple[str, str]:
        return self.schema, self.name

    def __str__(self) -> str:
        return f"{'.'.join(self.qualified)} from {self.start} to {self.end}"


def leaf_of_days(schema: str, table: str, key: str, first: date, days: int) -> Leaf:
    """The leaf of `days` UTC days from `first`; fits keys of type timestamptz and date."""
    end = first + timedelta(days=days)
    return Leaf(schema, table, f"{table}_{first:%Y%m%d}", key, f"{first} 00:00:00+00", f"{end} 00:00:00+00")


def ensure_leaf(database: StatsDatabase, leaf: Leaf) -> None:
    """Makes and attaches the table partition unless it is there; commits on its own.

    Raises OurMistake when there is no room for it: a table of its name is there that is none of the parent's (to
    attach that would bring back, beside new rows, those it holds), or another table partition holds a part of its
    range. Raises SourceAway when somebody is in the way who will be gone later.
    """
    ensure_leaves(database, [leaf])


def ensure_leaves(database: StatsDatabase, leaves: Sequence[Leaf]) -> None:
    """As `ensure_leaf`, for many in one transaction; give tables in the same order everywhere."""
    if leaves:
        with database.transaction() as cursor:
            for leaf in leaves:
                _ensure(cursor, leaf)


def _ensure(cursor: Cursor, leaf: Leaf) -> None:
    parent = f"{leaf.schema}.{leaf.table}"
    with _explained(leaf, parent):
        cursor.execute(_LOCK_TIMEOUT)
        lock_slice(cursor, parent, "table partitions")
        cursor.execute(_IS_PENDING, {"parent": parent, "leaf": ".".join(leaf.qualified)})
        attached = cursor.fetchone()
        if attached is None:
            _make(cursor, leaf)
        elif attached == (True,):
            raise SourceAway(
                f"{leaf} is half detached: it takes no rows, and those it has are not seen; the next run of"
                " table_partitions/created ends that, or ./stats partitions apply; then rerun"
            )


def _make(cursor: Cursor, leaf: Leaf) -> None:
    names = {
        "parent": sql.Identifier(leaf.schema, leaf.table),
        "leaf": sql.Identifier(*leaf.qualified),
        "bounds": sql.Identifier(f"{leaf.name}_bounds"),
        "key": sql.Identifier(leaf.key),
        "start": sql.Literal(leaf.start),
        "end": sql.Literal(leaf.end),
    }
    for statement in (_CREATE, _ATTACH, _DROP_CHECK):
        cursor.execute(sql.SQL(statement).format(**names))


@contextmanager
def _explained(leaf: Leaf, parent: str) -> Iterator[None]:
    """PostgreSQL's refusals in our words: what is in the way, and what to do about it."""
    try:
        yield
    except psycopg2.errors.DuplicateTable as error:
        raise OurMistake(
            f"{'.'.join(leaf.qualified)} is there, but is no table partition of {parent}; if it is on its way to the"
            " attic, ./stats partitions apply moves it there; else rename it, then rerun"
        ) from error
    except psycopg2.errors.InvalidObjectDefinition as error:
        raise OurMistake(
            f"{leaf} cannot be made: {first_line(error)}; the table is cut otherwise than its loader cuts it, see"
            " ./stats partitions plan"
        ) from error
    except psycopg2.errors.LockNotAvailable as error:
        raise SourceAway(f"{leaf} cannot be made: somebody holds {parent} locked ({first_line(error)})") from error
