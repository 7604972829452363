"""The one planner: policies, catalog and clock in, ordered steps out. Pure; `carry_out` does what it says.

Order of a whole plan: first what makes room for rows (finalize a broken-off detach, drain the default partition,
create ahead and fill gaps), for all tables, referenced tables first; then what takes rows away (archive, detach,
shelve, truncate, drop), referencing tables first. Trouble with the second never holds up the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions.catalog import Catalog, Table
from stats_assets.table_partitions.creation import creation
from stats_assets.table_partitions.drift import repairs
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.retirement import retirement
from stats_assets.table_partitions.steps import TAKES_NO_CHANGES, Plan, Refusal, Step

_STRATEGIES = {"l": "by LIST", "h": "by HASH", "": "not at all"}
_KINDS = {
    "timestamptz": {"timestamp with time zone"},
    "date": {"date"},
    "int": {"smallint", "integer", "bigint"},
}


def plan(
    policies: Sequence[PartitionPolicy],
    catalog: Catalog,
    now: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    with_repairs: bool = False,
) -> Plan:
    """What is to be done at `now`. A second plan after the first was carried out is empty."""
    if catalog.is_read_only:
        return Plan(refusals=(Refusal("every table", TAKES_NO_CHANGES, is_wrong=False),))
    refusals: list[Refusal] = []
    creating: list[Step] = []
    retiring: list[Step] = []
    sound = _sound(policies, catalog, refusals)
    for policy, table in _referenced_first(sound):
        steps, refused = creation(policy, table, now, limits)
        creating += steps
        refusals += refused
        if with_repairs:
            creating += repairs(policy, table)
    for policy, table in reversed(_referenced_first(sound)):
        steps, refused = retirement(policy, table, now, limits, catalog.clock_trouble)
        retiring += steps
        refusals += refused
    digests = {policy.table: table.digest for policy, table in sound}
    return Plan((*creating, *retiring), tuple(refusals), digests)


def problem_of(policy: PartitionPolicy, table: Table | None) -> str | None:
    """Why the policy cannot be carried out on this table; None when it can."""
    if table is None:
        return "there is no such table"
    if table.strategy != "r":
        return f"is partitioned {_STRATEGIES[table.strategy]}; a policy is for tables partitioned by RANGE"
    if table.key != (policy.key,):
        return f"is partitioned by ({', '.join(table.key)}), the policy says {policy.key}"
    if table.key_type not in _KINDS[policy.kind]:
        return f"the key {policy.key} is of type {table.key_type}, which kind {policy.kind} does not fit"
    if odd := [part.name for part in table.partitions if not part.is_plain]:
        return f"{odd[0]} is partitioned itself or not an ordinary table; a policy is for one level"
    return None


def _sound(
    policies: Sequence[PartitionPolicy], catalog: Catalog, refusals: list[Refusal]
) -> list[tuple[PartitionPolicy, Table]]:
    """The policies that can be carried out; why not, for the others."""
    count = Counter(policy.names for policy in policies)
    sound = []
    for policy in policies:
        table = catalog.tables.get(policy.table)
        problem = "two policies name it" if count[policy.names] > 1 else problem_of(policy, table)
        if problem is None and table is not None:
            sound.append((policy, table))
        elif problem is not None:
            refusals.append(Refusal(policy.table, problem))
    return sound


def _referenced_first(sound: Iterable[tuple[PartitionPolicy, Table]]) -> list[tuple[PartitionPolicy, Table]]:
    """A table partition that others are to reference has to be there before theirs."""
    by_name = {(table.schema, table.name): (policy, table) for policy, table in sound}
    sorter = TopologicalSorter(
        {name: (table.references & by_name.keys()) - {name} for name, (_, table) in by_name.items()}
    )
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError:  # tables that reference each other have no order; any will do
        return list(by_name.values())
