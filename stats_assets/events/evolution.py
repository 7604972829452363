"""What it takes that the typed tables follow the schema file: steps that disturb nobody, and what is refused. Pure.

Steps add: a table, a column without a value, an index, NOT NULL where no row lacks a value; or they relax a NOT NULL.
Each takes its locks for an instant, or locks that let rows come in. What would rewrite or lose rows is refused, with
the statements an operator may decide to run, and what they lock. What the file no longer has stays, and is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stats_assets.events import ddl
from stats_assets.events.catalog import Catalog, DatabaseColumn, DatabaseTable
from stats_assets.events.ddl import COLUMN_TYPES, HOUSE_TYPES, Statements
from stats_assets.events.schema_file import Column, EventSchema, Table

Kind = Literal["create_table", "add_column", "create_index", "attach_index", "set_not_null", "drop_not_null"]

_SAME_TYPE = {"character varying": "text"}  # attolytics makes its strings so


@dataclass(frozen=True)
class Step:
    """One change. `transactions` are run one after the other; one that is `concurrent` holds no transaction open."""

    kind: Kind
    table: str
    column: str | None
    transactions: tuple[Statements, ...]
    lock: str
    is_concurrent: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.table}{f'.{self.column}' if self.column else ''}"


@dataclass(frozen=True)
class Refusal:
    """A change that is left to an operator: `statements` would make it, `lock` is what they would hold meanwhile."""

    table: str
    column: str | None
    found: str
    statements: Statements
    lock: str

    def __str__(self) -> str:
        what = f"{self.table}.{self.column}" if self.column else self.table
        return f"{what}: {self.found}; to do it by hand: {'; '.join(self.statements)} -- {self.lock}"


@dataclass(frozen=True)
class Plan:
    """Steps in their order; `notes` tell of what stays as it is though the file says otherwise."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the tables take every event the file allows."""
        return not self.steps and not self.refusals


def plan(schema: EventSchema, catalog: Catalog) -> Plan:
    """What is to be done for all tables of the file. Tables the file does not name are never touched."""
    return _joined(plan_table(name, table, catalog) for name, table in schema.tables.items())


def plan_table(name: str, table: Table, catalog: Catalog) -> Plan:
    """The same for one table."""
    found = catalog.tables.get(name)
    if found is None:
        lock = "none: nobody knows the table yet"
        return Plan((Step("create_table", name, None, (ddl.create_table(name, table, catalog.names_taken),), lock),))
    if found.kind != "p" or found.key != ("received_at",):
        return Plan(refusals=(_not_ours(found),))
    parts = [_column(found, column) for column in _wanted(table)]
    parts += [
        _left_over(found, table),
        *(_index(found, column.name, catalog) for column in table.columns if column.indexed),
    ]
    return _joined(parts)


@dataclass(frozen=True)
class _Wanted:
    name: str
    type: str
    is_required: bool
    is_house: bool


def _wanted(table: Table) -> list[_Wanted]:
    """Every column the table is to have; a declared event_id is the house's, maybe required."""
    declared = {c.name: _Wanted(c.name, COLUMN_TYPES[c.type], c.required, False) for c in table.columns}
    house = {name: _Wanted(name, kind, is_required, True) for name, (kind, is_required) in HOUSE_TYPES.items()}
    return list((house | declared).values())


def _joined(plans: Iterator[Plan] | list[Plan]) -> Plan:
    steps, refusals, notes = [], [], []
    for each in plans:
        steps += each.steps
        refusals += each.refusals
        notes += each.notes
    return Plan(tuple(steps), tuple(refusals), tuple(notes))


def _not_ours(found: DatabaseTable) -> Refusal:
    what = {"r": "a plain table", "p": f"partitioned by {', '.join(found.key)}", "v": "a view"}.get(
        found.kind, "no table"
    )
    return Refusal(
        found.name,
        None,
        f"is {what}, not partitioned by received_at",
        ddl.out_of_the_way(found.name, found.kind),
        "ACCESS EXCLUSIVE for an instant; then the table is made anew beside it",
    )


def _column(table: DatabaseTable, wanted: _Wanted) -> Plan:
    found = table.by_name.get(wanted.name)
    if found is None:
        return _missing(table, wanted)
    if _SAME_TYPE.get(found.type, found.type) != wanted.type:
        return Plan(refusals=(_other_type(table, found, wanted),))
    if found.is_not_null and not wanted.is_required:
        return Plan((_relax(table.name, found.name),))
    if wanted.is_required and not found.is_not_null:
        return _required(table, found)
    return Plan()


def _missing(table: DatabaseTable, wanted: _Wanted) -> Plan:
    if wanted.is_house and wanted.is_required:
        found = f"has no column {wanted.name}: it is not a table of this room"
        return Plan(
            refusals=(Refusal(table.name, None, found, ddl.out_of_the_way(table.name, "p"), "ACCESS EXCLUSIVE"),)
        )
    statements = ddl.add_column(table.name, wanted.name, wanted.type)
    lock = "ACCESS EXCLUSIVE for an instant: the catalog alone changes"
    return Plan((Step("add_column", table.name, wanted.name, (statements,), lock),))


def _other_type(table: DatabaseTable, found: DatabaseColumn, wanted: _Wanted) -> Refusal:
    return Refusal(
        table.name,
        found.name,
        f"is {found.type} in the database and {wanted.type} by the schema file (a new column comes by itself)",
        ddl.change_type(table.name, found.name, wanted.type),
        "ACCESS EXCLUSIVE on the table and all its table partitions while every row is written anew",
    )


def _relax(table: str, column: str) -> Step:
    lock = "ACCESS EXCLUSIVE for an instant: the catalog alone changes"
    return Step("drop_not_null", table, column, (ddl.drop_not_null(table, column),), lock)


def _required(table: DatabaseTable, found: DatabaseColumn) -> Plan:
    check = next((each for each in table.checks if each.column == found.name), None)
    if found.has_nulls:
        told = f"{table.name}.{found.name} is required, but stays nullable: rows from before have no value"
        steps = () if check is None else (_without_check(table.name, found.name, check.name),)
        return Plan(steps, notes=(told,))
    transactions = ddl.set_not_null(table.name, found.name, check)
    lock = "ACCESS EXCLUSIVE for an instant; SHARE UPDATE EXCLUSIVE, which lets rows come in, while rows are looked at"
    return Plan((Step("set_not_null", table.name, found.name, transactions, lock),))


def _without_check(table: str, column: str, check: str) -> Step:
    lock = "ACCESS EXCLUSIVE for an instant: the catalog alone changes"
    return Step("drop_not_null", table, column, (ddl.drop_check(table, check),), lock)


def _left_over(table: DatabaseTable, declared: Table) -> Plan:
    """Columns the file does not have (any more). Rows to come have no value there."""
    known = set(declared.by_name) | set(HOUSE_TYPES)
    steps, notes = [], []
    for column in table.columns:
        if column.name in known:
            continue
        if column.is_not_null and not column.has_default:
            steps.append(_relax(table.name, column.name))
        drop = "; ".join(ddl.drop_column(table.name, column.name))
        notes.append(
            f"{table.name}.{column.name} is not in the schema file; it stays. To drop it and its values: {drop}"
        )
    return Plan(tuple(steps), notes=tuple(notes))


def _index(table: DatabaseTable, column: str, catalog: Catalog) -> Plan:
    """An index on the whole table, made on one table partition after the other while rows come in."""
    if column not in table.by_name:
        return Plan()  # after the column is there
    mine = next((index for index in table.indexes if index.column == column), None)
    if mine is None:
        name = ddl.index_name(table.name, column, catalog.names_taken)
        statements = ddl.index_on_table_alone(table.name, column, name)
        return Plan((Step("create_index", table.name, column, (statements,), "SHARE on the table for an instant"),))
    if mine.is_valid:
        return Plan()
    return Plan(tuple(_leaf_steps(table, column, mine.name, catalog)))


def _leaf_steps(table: DatabaseTable, column: str, index: str, catalog: Catalog) -> Iterator[Step]:
    for leaf in table.leaves:
        if any(each.parent == index for each in leaf.indexes):
            continue
        usable = next((i for i in leaf.indexes if i.column == column and i.is_valid and i.parent is None), None)
        if usable is None:
            broken = [i.name for i in leaf.indexes if i.column == column and not i.is_valid]
            name = ddl.index_name(leaf.name, column, catalog.names_taken - set(broken))
            transactions = (*(ddl.drop_index(each) for each in broken), ddl.index_concurrently(leaf.name, column, name))
            lock = "SHARE UPDATE EXCLUSIVE on the table partition, which lets rows come in"
            yield Step("create_index", table.name, column, transactions, lock, is_concurrent=True)
        else:
            name = usable.name
        lock = "SHARE UPDATE EXCLUSIVE on the index for an instant"
        yield Step("attach_index", table.name, column, (ddl.attach_index(index, name),), lock)


def declared_columns(table: Table) -> tuple[Column, ...]:
    """The declared columns without event_id, which is the house's."""
    return tuple(column for column in table.columns if column.name not in HOUSE_TYPES)
