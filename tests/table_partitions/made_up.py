"""Catalogs made by hand, for the planner."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions.catalog import Catalog, Table, TablePartition, Traits
from stats_assets.table_partitions.plan import plan
from stats_assets.table_partitions.steps import Plan

OWNER = Traits("stats")
TYPES = {"timestamptz": "timestamp with time zone", "date": "date", "int": "bigint"}


def at(text: str) -> datetime:
    """'2016-05-25 12:00' as an instant, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def policy(**given: Any) -> PartitionPolicy:
    """Weekly, of the table s.m by its column ts, unless said otherwise."""
    return PartitionPolicy(**({"table": "s.m", "key": "ts", "step": "week", "ahead": 2} | given))


def part(name: str, lower: Any, upper: Any, oid: int = 0, **given: Any) -> TablePartition:
    return TablePartition(oid or abs(hash(name)) % 10**6, "s", name, lower, upper, given.pop("traits", OWNER), **given)


def weeks(*mondays: str) -> list[TablePartition]:
    """UTC weeks named as ours: weeks('20260504') is m_20260504."""
    starts = [datetime.strptime(each, "%Y%m%d").replace(tzinfo=UTC) for each in mondays]
    return [part(f"m_{start:%Y%m%d}", start, start + timedelta(days=7)) for start in starts]


def default(**given: Any) -> TablePartition:
    return part("m_default", None, None, is_default=True, **given)


def table(*parts: TablePartition, kind: str = "timestamptz", **given: Any) -> Table:
    names = frozenset({"m", *(each.name for each in parts)}) | given.pop("names_taken", frozenset())
    facts: dict[str, Any] = {"schema": "s", "name": "m", "strategy": "r", "key": ("ts",), "key_type": TYPES[kind]}
    return Table(
        **(facts | {"traits": OWNER, "columns": ("ts", "n"), "partitions": parts, "names_taken": names} | given)
    )


def planned(one: PartitionPolicy, existing: Table, now: datetime, **given: Any) -> Plan:
    return plan([one], Catalog({one.table: existing}), now, **given)


def names(found: Plan, *kinds: str) -> list[str]:
    """The table partitions of the steps of these kinds, of all when none is given."""
    return [step.partition for step in found.steps if not kinds or step.kind in kinds]


def kinds(found: Plan) -> list[str]:
    return [step.kind for step in found.steps]


def after(existing: Table, found: Plan) -> Table:
    """The table as it is when the create steps have been carried out."""
    new = [
        part(step.partition, _read(step.lower), _read(step.upper))
        for step in found.steps
        if step.kind in ("create", "drain")
    ]
    return replace(
        existing,
        partitions=(*existing.partitions, *new),
        names_taken=existing.names_taken | {each.name for each in new},
    )


def _read(bound: str) -> Any:
    if bound.lstrip("-").isdigit():
        return int(bound)
    return datetime.fromisoformat(bound).astimezone(UTC) if ":" in bound else date.fromisoformat(bound)
