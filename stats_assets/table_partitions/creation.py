"""Steps that make room for rows: finalize, drain the default partition, create ahead, fill gaps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stats_assets.shared.identifiers import fitted, quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions import statements
from stats_assets.table_partitions.catalog import Table, TablePartition
from stats_assets.table_partitions.coverage import Cover, cover, gaps_before, wanted_ahead
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.periods import Period, current_value, period_of, shown, suffix
from stats_assets.table_partitions.steps import Lock, Refusal, Step

Drafted = tuple[list[Step], list[Refusal]]

_ATTACH_LOCK = "SHARE UPDATE EXCLUSIVE on the table"
_ATTACH_BESIDE_DEFAULT = "ACCESS EXCLUSIVE on the default partition"


def creation(policy: PartitionPolicy, table: Table, now: datetime, limits: Limits) -> Drafted:
    """What the table needs so that every row to come finds its place."""
    finalized = [_finalize(policy, table, part) for part in table.partitions if part.is_pending]
    current = period_of(policy, current_value(policy, now, table.newest_id))
    ahead, ceiling = wanted_ahead(policy, table, current)
    gaps, holes = gaps_before(policy, table, current, now, limits.max_created)
    if clash := _clash(table, ahead):
        return finalized, [Refusal(policy.table, f"{clash}; nothing is created until step and zone fit")]
    odd = _clash(table, gaps)
    refusals = [Refusal(policy.table, each) for each in (*ceiling, *holes, *([odd] if odd else []))]
    moved, kept = _default_groups(policy, table, ahead[-1] if ahead else current, limits)
    missing = {p: 0 for p in (*ahead, *sorted(moved, key=_lower), *gaps) if cover(table, p) is Cover.NONE} | moved
    ordered = [*[p for p in ahead if p in missing], *[p for p in missing if p not in ahead]]
    steps, refused = _made(policy, table, ordered[: limits.max_created], moved)
    if len(ordered) > limits.max_created:
        refused.append(_more_to_come(policy, len(ordered) - limits.max_created, limits))
    return finalized + steps, [*refusals, *refused, *kept]


def _made(policy: PartitionPolicy, table: Table, periods: Sequence[Period], moved: dict[Period, int]) -> Drafted:
    steps: list[Step] = []
    refusals: list[Refusal] = []
    for period in periods:
        name = partition_name(policy, table, period)
        if name in table.names_taken:
            refusals.append(Refusal(policy.table, _name_taken(table, name, period)))
        elif period in moved:
            steps.append(_drain(policy, table, name, period, moved[period]))
        else:
            steps.append(_create(policy, table, name, period))
    return steps, refusals


def partition_name(policy: PartitionPolicy, table: Table, period: Period) -> str:
    return fitted(table.name, suffix(policy, period), table.schema)


def _create(policy: PartitionPolicy, table: Table, name: str, period: Period) -> Step:
    return Step(
        "create",
        policy.table,
        table.schema,
        name,
        statements.create(table, name, period),
        lock=_ATTACH_LOCK if table.default is None else _ATTACH_BESIDE_DEFAULT,
        lower=shown(period.lower),
        upper=shown(period.upper),
        why="rows of this range have no table partition",
        waits_for=_in_attach(table),
    )


def _drain(policy: PartitionPolicy, table: Table, name: str, period: Period, rows: int) -> Step:
    assert table.default is not None, "rows are drained from a default partition"
    return Step(
        "drain",
        policy.table,
        table.schema,
        name,
        statements.drain(table, table.default, name, period),
        lock=_ATTACH_BESIDE_DEFAULT,
        lower=shown(period.lower),
        upper=shown(period.upper),
        why=f"{rows:,} rows of this range are in the default partition {table.default.name}",
        rows=rows,
        waits_for=_in_attach(table),
    )


def _in_attach(table: Table) -> tuple[Lock, ...]:
    """ATTACH lets readers and writers of the parent pass, but not those of the default partition, nor writers of what
    its foreign keys point to."""
    default = () if table.default is None else (table.default,)
    exclusive = (Lock("ACCESS EXCLUSIVE", quoted(part.schema, part.name)) for part in default)
    return (*exclusive, *(Lock("SHARE ROW EXCLUSIVE", quoted(*name)) for name in sorted(table.references)))


def _finalize(policy: PartitionPolicy, table: Table, part: TablePartition) -> Step:
    is_ours = any(each.oid == part.oid for each in table.retiring)
    return Step(
        "finalize",
        policy.table,
        part.schema,
        part.name,
        statements.finalize(table, part),
        lock="SHARE UPDATE EXCLUSIVE on the table",
        lower=shown(part.lower),
        upper=shown(part.upper),
        why="its detach was broken off" if is_ours else "somebody else's DETACH CONCURRENTLY was broken off",
        rows=part.rows,
        bytes=part.bytes,
        is_transaction=False,
        oid=part.oid,
    )


def _clash(table: Table, periods: Sequence[Period]) -> str | None:
    """The first period that is partly taken: there the bounds of policy and table do not meet."""
    for period in periods:
        taken = cover(table, period)
        if isinstance(taken, TablePartition):
            return (
                f"{period} would overlap {taken.name} ({taken.bounds}): the policy cuts elsewhere than the table is cut"
            )
    return None


def _default_groups(
    policy: PartitionPolicy, table: Table, last: Period, limits: Limits
) -> tuple[dict[Period, int], list[Refusal]]:
    """The default partition's rows by period, those that are to move; what is told of the others."""
    groups: dict[Period, int] = {}
    staying = table.default_rows.unmovable
    for value, rows in table.default_rows.groups:
        try:
            period = period_of(policy, value)
        except OverflowError:  # the last week of the year 9999
            staying += rows
            continue
        groups[period] = groups.get(period, 0) + rows
    moved = {p: rows for p, rows in groups.items() if p.lower <= last.lower and rows <= limits.max_drained_rows}  # type: ignore[operator]  # bounds of one table are of one kind
    staying += sum(rows for period, rows in groups.items() if period not in moved)
    if not staying or table.default is None:
        return moved, []
    told = f"{table.default.name} keeps {staying:,} rows that are to have no table partition, or that are too many"
    span = f" (all in it: {table.default_rows.oldest} to {table.default_rows.newest})"
    return moved, [Refusal(policy.table, f"{told} to move at once{span}; correct or delete them")]


def _name_taken(table: Table, name: str, period: Period) -> str:
    child = next((part for part in table.partitions if part.name == name and part.schema == table.schema), None)
    what = f"a table partition with the bounds {child.bounds}" if child else "something that is not its table partition"
    return f"{period}: the name {table.schema}.{name} is taken by {what}; rename it, then plan again"


def _more_to_come(policy: PartitionPolicy, more: int, limits: Limits) -> Refusal:
    told = f"{more} more table partitions are missing; a run makes at most {limits.max_created}, the next goes on"
    return Refusal(policy.table, told, is_wrong=False)


def _lower(period: Period) -> float:
    lower = period.lower
    if isinstance(lower, int):
        return lower
    return lower.timestamp() if isinstance(lower, datetime) else lower.toordinal()
