"""What the database says of the tables, as plain values the planner decides on. Pure; `reading` fills them.

Table partitions are known by their bounds in the catalog, never by their names: loaders, older programs and people
make them, too, and call them as they like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256

from stats_assets.table_partitions.periods import Value, shown

_BOUNDS = re.compile(r"FOR VALUES FROM \((?P<lower>.+)\) TO \((?P<upper>.+)\)", re.DOTALL)


@dataclass(frozen=True)
class Grant:
    """A right somebody has on a table, or on one column of it."""

    grantee: str  # empty: PUBLIC
    privilege: str
    column: str | None = None
    is_grantable: bool = False


@dataclass(frozen=True)
class Traits:
    """What a table partition should have as its parent has it; PostgreSQL copies none of these."""

    owner: str
    grants: frozenset[Grant] = frozenset()
    has_row_security: bool = False
    forces_row_security: bool = False
    storage: frozenset[tuple[str, str]] = frozenset()  # column, letter of pg_attribute.attstorage
    compression: frozenset[tuple[str, str]] = frozenset()  # column, letter of pg_attribute.attcompression


@dataclass(frozen=True)
class MissingIndex:
    """An index of the parent that a table partition has no valid counterpart of."""

    schema: str
    name: str
    definition: str  # of the parent's, CREATE INDEX ...


@dataclass(frozen=True)
class TablePartition:
    """A child table in the catalog. A bound of None has no end on that side; rows and bytes are estimates."""

    oid: int
    schema: str
    name: str
    lower: Value | None
    upper: Value | None
    traits: Traits
    is_default: bool = False
    is_pending: bool = False  # a DETACH CONCURRENTLY has begun and not ended
    is_plain: bool = True  # neither partitioned further nor foreign
    is_empty: bool | None = None  # asked only where it matters
    rows: int = 0
    bytes: int = 0
    options: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    broken_indexes: tuple[str, ...] = ()  # left over from a build that was broken off
    missing_indexes: tuple[MissingIndex, ...] = ()

    @property
    def bounds(self) -> str:
        return f"{shown(self.lower)} to {shown(self.upper)}"


@dataclass(frozen=True)
class DefaultRows:
    """What the default partition holds: rows by a value of their period, and what no period can hold."""

    groups: tuple[tuple[Value, int], ...] = ()
    unmovable: int = 0  # NULL or infinity
    oldest: str | None = None
    newest: str | None = None

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.groups) + self.unmovable


@dataclass(frozen=True)
class InboundKey:
    """A foreign key of another table that points here, and how many rows keep which table partition (by oid)."""

    name: str
    table: str
    rows: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Retiring:
    """A table partition on its way out or in the attic, as table_partitions.attic and the catalog say."""

    oid: int
    name: str  # as it was called below its parent
    schema_now: str
    name_now: str
    lower: str
    upper: str
    action: str
    state: str  # detaching, kept
    is_attached: bool
    drop_after: datetime | None = None
    archive_name: str | None = None
    rows: int = 0
    bytes: int = 0
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table a policy names. `strategy` is pg_partitioned_table.partstrat, empty for a table of one piece."""

    schema: str
    name: str
    strategy: str
    key: tuple[str, ...]
    key_type: str
    traits: Traits
    columns: tuple[str, ...] = ()  # those that can be written to
    partitions: tuple[TablePartition, ...] = ()
    tablespace: str | None = None
    newest_id: int | None = None
    default_rows: DefaultRows = DefaultRows()
    references: frozenset[tuple[str, str]] = frozenset()  # schema and table its own foreign keys point to
    inbound: tuple[InboundKey, ...] = ()
    names_taken: frozenset[str] = frozenset()  # of its schema
    retiring: tuple[Retiring, ...] = ()
    held: Mapping[str, datetime] = field(default_factory=dict)  # lower bound of what was restored: until when
    archived: Mapping[str, str] = field(default_factory=dict)  # partition's oid as text: verified archive of it

    @property
    def default(self) -> TablePartition | None:
        return next((part for part in self.partitions if part.is_default), None)

    @property
    def ranges(self) -> list[TablePartition]:
        """All but the default, in the order of their bounds."""
        return sorted((part for part in self.partitions if not part.is_default), key=lambda part: _order(part.lower))

    @property
    def digest(self) -> str:
        """Changes when a plan made for the table may be wrong for it: not with rows, but with anything of its shape."""
        parts = [(p.oid, p.name, p.bounds, p.is_default, p.is_pending) for p in sorted(self.partitions, key=_oid)]
        leaving = [(r.oid, r.state, r.schema_now, r.archive_name) for r in sorted(self.retiring, key=_oid)]
        shape = [self.schema, self.name, self.strategy, list(self.key), self.key_type, self.traits.owner]
        return sha256(json.dumps([shape, parts, leaving]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Catalog:
    """Everything the planner may know. `tables` holds those that exist, by the policies' spelling of their name."""

    tables: Mapping[str, Table]
    is_read_only: bool = False
    clock_trouble: str | None = None


def parse_bounds(text: str, kind: str) -> tuple[Value | None, Value | None]:
    """The bounds in a `pg_get_expr(relpartbound)` of a session in UTC with ISO dates. Raises ValueError."""
    match = _BOUNDS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not the bound of a range")
    return _bound(match["lower"], kind), _bound(match["upper"], kind)


def _bound(text: str, kind: str) -> Value | None:
    plain = text.strip().strip("'")
    if plain in ("MINVALUE", "MAXVALUE", "infinity", "-infinity"):
        return None
    if kind == "int":
        return int(plain)
    try:
        return date.fromisoformat(plain) if kind == "date" else datetime.fromisoformat(plain).astimezone(UTC)
    except (ValueError, OverflowError):  # before year 1 or after 9999: no end, as far as we count
        return None


def _order(bound: Value | None) -> float:
    if bound is None:
        return float("-inf")
    if isinstance(bound, int):
        return bound
    return bound.timestamp() if isinstance(bound, datetime) else bound.toordinal()


def _oid(part: TablePartition | Retiring) -> int:
    return part.oid
