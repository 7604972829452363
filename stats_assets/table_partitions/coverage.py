"""Which periods a table has, lacks, or has cut differently. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Any

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions.catalog import Table, TablePartition
from stats_assets.table_partitions.periods import (
    Period,
    current_value,
    cutoff,
    following,
    period_of,
    periods_between,
)

_CEILINGS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


class Cover(Enum):
    FULL = "full"
    NONE = "none"


def cover(table: Table, period: Period) -> Cover | TablePartition:
    """Whether table partitions hold all of the period or nothing of it; else the first of those that fit it badly.

    One larger table partition is fine, as are several that make up the period exactly. Several that hold it and stick
    out were cut in another zone, or from another day on.
    """
    touching: list[Any] = [part for part in table.ranges if _overlaps(part, period)]
    if not touching:
        return Cover.NONE
    first, last = touching[0], touching[-1]
    is_held = _starts_by(first, period.lower) and _ends_by(last, period.upper)
    has_hole = any(one.upper != other.lower for one, other in pairwise(touching))
    fits = len(touching) == 1 or (first.lower, last.upper) == (period.lower, period.upper)
    return Cover.FULL if is_held and fits and not has_hole else first


def wanted_ahead(policy: PartitionPolicy, table: Table, current: Period) -> tuple[list[Period], list[str]]:
    """The current period and those ahead; a note when the key's type has no ids for more."""
    periods = [current]
    for _ in range(policy.ahead):
        periods.append(following(policy, periods[-1]))
    ceiling = _CEILINGS.get(table.key_type)
    if ceiling is None:
        return periods, []
    possible = [period for period in periods if isinstance(period.upper, int) and period.upper <= ceiling]
    if len(possible) == len(periods):
        return periods, []
    return possible, [f"the key's type {table.key_type} ends at {ceiling}: no table partition beyond is possible"]


def gaps_before(
    policy: PartitionPolicy, table: Table, current: Period, now: datetime, longest: int
) -> tuple[list[Period], list[str]]:
    """Periods missing between the oldest table partition and the current one, nearest first, and what is too long.

    A hole of more than `longest` periods is no gap but a time without rows: loaders make what they need there.
    """
    first = _first_period(policy, table, now)
    if first is None or not _before(first, current):
        return [], []
    missing = [period for period in _until(policy, table, first, current) if cover(table, period) is not Cover.FULL]
    gaps: list[Period] = []
    notes = []
    for hole in _holes(missing):
        if len(hole) > longest:
            notes.append(
                f"{len(hole)} periods without a table partition, {hole[0].lower} to {hole[-1].upper}: left out"
            )
        else:
            gaps = hole + gaps
    return gaps, notes


def missing_before(policy: PartitionPolicy, table: Table, now: datetime) -> list[Period]:
    """What is missing between the oldest table partition and the current one, however long the hole."""
    current = period_of(policy, current_value(policy, now, table.newest_id))
    return gaps_before(policy, table, current, now, longest=_MANY)[0]


def overlaps(table: Table) -> list[tuple[TablePartition, TablePartition]]:
    """Neighbours that hold the same keys; PostgreSQL lets none come to be."""
    ranges: list[Any] = table.ranges
    return [(a, b) for a, b in pairwise(ranges) if a.upper is None or b.lower is None or a.upper > b.lower]


def missing_ahead(policy: PartitionPolicy, table: Table, now: datetime) -> list[Period]:
    """Of the current period and those ahead, the ones that do not exist."""
    current = period_of(policy, current_value(policy, now, table.newest_id))
    return [period for period in wanted_ahead(policy, table, current)[0] if cover(table, period) is not Cover.FULL]


def _first_period(policy: PartitionPolicy, table: Table, now: datetime) -> Period | None:
    """That of the oldest table partition that has not expired: what is older was taken away, or is about to be."""
    limit: Any = cutoff(policy, current_value(policy, now, table.newest_id))
    if policy.action == "keep":
        limit = None
    for part in table.ranges:
        upper: Any = part.upper
        if limit is None or upper is None or upper > limit:
            bound = part.lower if part.lower is not None else part.upper
            return None if bound is None else period_of(policy, bound)
    return None


def _until(policy: PartitionPolicy, table: Table, first: Period, current: Period) -> list[Period]:
    """The periods before the current one. Huge ranges of ids are walked from table partition to table partition."""
    found = []
    for period in periods_between(policy, first, current):
        if period == current or len(found) > _MANY:
            break
        found.append(period)
    return found


_MANY = 200_000  # hours of twenty years; whoever has more looks for gaps by other means


def _holes(missing: list[Period]) -> list[list[Period]]:
    holes: list[list[Period]] = []
    for period in missing:
        if holes and holes[-1][-1].upper == period.lower:
            holes[-1].append(period)
        else:
            holes.append([period])
    return holes


def _overlaps(part: TablePartition, period: Period) -> bool:
    starts_before = part.lower is None or part.lower < period.upper  # type: ignore[operator]
    return starts_before and (part.upper is None or part.upper > period.lower)  # type: ignore[operator]


def _starts_by(part: TablePartition, bound: Any) -> bool:
    return part.lower is None or part.lower <= bound


def _ends_by(part: TablePartition, bound: Any) -> bool:
    return part.upper is None or part.upper >= bound


def _before(one: Period, other: Period) -> bool:
    lower: Any = one.lower
    return bool(lower < other.lower)
