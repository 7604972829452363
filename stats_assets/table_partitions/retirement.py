"""Steps that take rows away: archive, detach, shelve in the attic, truncate, and, after a time of grace, drop. Pure.

A table partition has expired when all of it lies before now minus the retention. Never the newest one, the current
one or one to come, and nothing while a policy is not confirmed or the clock looks wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_assets.shared.identifiers import quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions import statements
from stats_assets.table_partitions.catalog import Retiring, Table, TablePartition
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.periods import current_value, cutoff, shown
from stats_assets.table_partitions.steps import Kind, Lock, Refusal, Step


def expired(policy: PartitionPolicy, table: Table, now: datetime) -> list[TablePartition]:
    """Table partitions beyond their retention, oldest first; those that were restored stay until their day."""
    current: Any = current_value(policy, now, table.newest_id)
    limit: Any = cutoff(policy, current)
    if limit is None or policy.action == "keep":
        return []
    return [
        part
        for part in table.ranges[:-1]
        if part.upper is not None
        and part.upper <= limit
        and part.upper <= current
        and not part.is_pending
        and not (policy.action == "truncate" and part.is_empty)
        and not _is_held(table, part, now)
    ]


def retirement(
    policy: PartitionPolicy, table: Table, now: datetime, limits: Limits, clock_trouble: str | None
) -> tuple[list[Step], list[Refusal]]:
    """What is to leave the table now, and what stays although it has expired."""
    shelved = list(_shelves(policy, table))
    due = expired(policy, table, now)
    drops = _attic_steps(policy, table, now)
    if (due or drops) and not policy.is_confirmed:
        told = f"{len(due)} table partitions are beyond {policy.retention}; action {policy.action} needs confirm: true"
        return shelved, [Refusal(policy.table, told, is_wrong=False)]
    if (due or drops) and clock_trouble is not None:
        return shelved, [Refusal(policy.table, f"nothing is taken away: {clock_trouble}")]
    free, refusals = _unreferenced(policy, table, due)
    steps = [step for part in free[: limits.max_retired] for step in _leave(policy, table, part)]
    if len(free) > limits.max_retired:
        told = f"{len(free) - limits.max_retired} more have expired; a run takes at most {limits.max_retired} away"
        refusals.append(Refusal(policy.table, told, is_wrong=False))
    return [*shelved, *steps, *drops[: 2 * limits.max_retired]], refusals


def _leave(policy: PartitionPolicy, table: Table, part: TablePartition) -> Iterator[Step]:
    leaving = _Leaving.of_part(policy, part)
    why = f"all of it is older than {policy.retention}"
    parent = Lock("ACCESS EXCLUSIVE", quoted(table.schema, table.name))
    if policy.action == "truncate":
        readers = Lock("ACCESS EXCLUSIVE", quoted(part.schema, part.name))
        lock = "ACCESS EXCLUSIVE on the table partition"
        yield leaving.step("truncate", statements.truncate(part), lock, why, waits_for=(readers,))
        return
    if policy.action == "archive" and str(part.oid) not in table.archived:
        yield leaving.step("archive", (), "ACCESS SHARE on the table partition", why)
    is_concurrent = table.default is None
    # CONCURRENTLY keeps nobody waiting, but hides the rows until the last transaction that knows them has ended.
    lock = "SHARE UPDATE EXCLUSIVE on the table" if is_concurrent else "ACCESS EXCLUSIVE on the table"
    detach = statements.detach(table, part)
    yield leaving.step("detach", detach, lock, why, is_transaction=not is_concurrent, waits_for=(parent,))
    yield _shelve(leaving, part.indexes)


def _shelve(leaving: _Leaving, indexes: tuple[str, ...]) -> Step:
    schema, name, oid = leaving.schema, leaving.partition, leaving.oid
    return leaving.step(
        "shelve",
        statements.shelve(schema, name, oid, indexes),
        "ACCESS EXCLUSIVE on the detached table",
        "detached tables wait in the attic",
        moves_to=statements.attic_name(schema, name, oid),
    )


def _shelves(policy: PartitionPolicy, table: Table) -> Iterator[Step]:
    """What an earlier run has begun to detach; it is no partition any more, or will not be once finalized."""
    pending = {part.oid for part in table.partitions if part.is_pending}
    for each in table.retiring:
        if each.state == "detaching" and (not each.is_attached or each.oid in pending):
            yield _shelve(_Leaving.of_retiring(policy, each), each.indexes)


def _attic_steps(policy: PartitionPolicy, table: Table, now: datetime) -> list[Step]:
    """Drops that are due, and archives of what must not be dropped without."""
    if policy.action not in ("archive", "drop"):
        return []
    steps = []
    for kept in table.retiring:
        if kept.state != "kept" or kept.action not in ("archive", "drop"):
            continue
        leaving = _Leaving.of_retiring(policy, kept)
        if kept.action == "archive" and kept.archive_name is None:
            steps.append(leaving.step("archive", (), "ACCESS SHARE on the table in the attic", "not archived"))
        elif kept.drop_after is not None and kept.drop_after <= now:
            why = f"in the attic until {shown(kept.drop_after)}"
            steps.append(leaving.step("drop", statements.drop(kept), "ACCESS EXCLUSIVE on the table in the attic", why))
    return steps


def _unreferenced(
    policy: PartitionPolicy, table: Table, due: list[TablePartition]
) -> tuple[list[TablePartition], list[Refusal]]:
    """Those nobody's foreign key needs; PostgreSQL would refuse the others half-way."""
    free, refusals = [], []
    for part in due:
        needed = [key for key in table.inbound if key.rows.get(part.oid)]
        if needed:
            named = ", ".join(f"{key.rows[part.oid]:,} rows of {key.table} ({key.name})" for key in needed)
            refusals.append(Refusal(policy.table, f"{part.name} stays: {named} reference it"))
        elif policy.action == "truncate" and table.inbound:
            named = ", ".join(key.name for key in table.inbound)
            refusals.append(Refusal(policy.table, f"{part.name} cannot be truncated: {named} may reference it"))
        else:
            free.append(part)
    return free, refusals


@dataclass(frozen=True)
class _Leaving:
    """What all steps of one table partition on its way out have in common, by the fields of `Step`."""

    table: str
    schema: str
    partition: str
    lower: str
    upper: str
    rows: int
    bytes: int
    oid: int
    action: str
    name_below_parent: str
    archive_name: str | None = None

    @classmethod
    def of_part(cls, policy: PartitionPolicy, part: TablePartition) -> _Leaving:
        """One that is attached still: what becomes of it, the policy says."""
        bounds = shown(part.lower), shown(part.upper)
        size = part.rows, part.bytes
        return cls(policy.table, part.schema, part.name, *bounds, *size, part.oid, policy.action, part.name)

    @classmethod
    def of_retiring(cls, policy: PartitionPolicy, kept: Retiring) -> _Leaving:
        """One that is on its way or in the attic: what becomes of it was decided when it left."""
        place = kept.schema_now, kept.name_now, kept.lower, kept.upper
        return cls(policy.table, *place, kept.rows, kept.bytes, kept.oid, kept.action, kept.name, kept.archive_name)

    def step(self, kind: Kind, sql: tuple[str, ...], lock: str, why: str, **more: Any) -> Step:
        return Step(kind, statements=sql, lock=lock, why=why, **vars(self), **more)


def _is_held(table: Table, part: TablePartition, now: datetime) -> bool:
    until = table.held.get(shown(part.lower))
    return until is not None and now < until
