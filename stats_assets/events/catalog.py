"""What the database has of the typed tables, as plain values for the planner. Pure; `tables_store` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = "events"


@dataclass(frozen=True)
class DatabaseColumn:
    """A column. `has_default` is true, too, for what fills itself; `has_nulls` is looked up where it matters only."""

    name: str
    type: str  # as format_type shows it
    is_not_null: bool = False
    has_default: bool = False
    has_nulls: bool = False


@dataclass(frozen=True)
class DatabaseIndex:
    """An index by its first column. `parent` is the index of the partitioned table that it is attached to."""

    name: str
    column: str
    is_valid: bool = True
    parent: str | None = None


@dataclass(frozen=True)
class NotNullCheck:
    """A CHECK that stands in for NOT NULL while that is being made."""

    name: str
    column: str
    is_validated: bool


@dataclass(frozen=True)
class DatabaseLeaf:
    """A table partition with its indexes."""

    name: str
    indexes: tuple[DatabaseIndex, ...] = ()


@dataclass(frozen=True)
class DatabaseTable:
    """Whatever bears the name of a typed table. `kind` is pg_class.relkind; `key` the columns it is partitioned by."""

    name: str
    kind: str = "p"
    key: tuple[str, ...] = ("received_at",)
    columns: tuple[DatabaseColumn, ...] = ()
    indexes: tuple[DatabaseIndex, ...] = ()
    checks: tuple[NotNullCheck, ...] = ()
    leaves: tuple[DatabaseLeaf, ...] = ()

    @property
    def by_name(self) -> Mapping[str, DatabaseColumn]:
        return {column.name: column for column in self.columns}

    @property
    def not_null(self) -> frozenset[str]:
        """Columns that take no NULL now."""
        return frozenset(c.name for c in self.columns if c.is_not_null) | {check.column for check in self.checks}


@dataclass(frozen=True)
class Catalog:
    """The tables by name, and every name of a relation that is taken in the schema."""

    tables: Mapping[str, DatabaseTable] = field(default_factory=dict)
    names_taken: frozenset[str] = frozenset()
