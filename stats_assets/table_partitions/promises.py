"""What is promised of every table under a policy, and whether it holds. Pure; `checks` tells it to Dagster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.phrases import named
from stats_assets.table_partitions.catalog import Table
from stats_assets.table_partitions.coverage import missing_ahead, missing_before, overlaps
from stats_assets.table_partitions.drift import drift
from stats_assets.table_partitions.plan import problem_of
from stats_assets.table_partitions.retirement import expired

# By the asset whose run looks after it.
OF_PLAN = ("policy_fits", "no_rows_in_default", "no_drift", "enough_disk")
OF_CREATED = ("future_partitions_exist", "no_gap_or_overlap")
OF_RETIRED = ("nothing_overdue", "nothing_pending", "archive_verified")
# Stops what follows in the same run: nothing is taken away, and nothing loaded, while there is no room for rows. The
# rooms' own loaders are in other runs, and make what they lack (docs/decisions/0010-loaders-make-what-they-need.md).
BLOCKING = frozenset({"future_partitions_exist"})
# A person should look, and nothing is lost meanwhile.
WARNING = frozenset({"no_rows_in_default", "no_drift", "nothing_overdue", "enough_disk"})

MEANINGS = {
    "policy_fits": "The table is as its policy says: partitioned by range of that key.",
    "no_rows_in_default": "No row lies in a default partition.",
    "no_drift": "Table partitions have their parent's owner, rights, row security, storage and indexes.",
    "enough_disk": "There is room for twice the largest closed table partition, where archives are written.",
    "future_partitions_exist": "The current table partition and those ahead exist.",
    "no_gap_or_overlap": "No period is missing between the oldest table partition and now; none is there twice.",
    "nothing_overdue": "Nothing that has expired is still attached.",
    "nothing_pending": "No detach is half done.",
    "archive_verified": "Every archive of the table agreed with its manifest when it was last looked at.",
}


@dataclass(frozen=True)
class Finding:
    """Whether a promise holds for a table, in a line, with what there is to know."""

    promise: str
    table: str
    holds: bool
    told: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What is to be known beside the catalog: problems of archives by table and name, free bytes where known."""

    archive_problems: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    free_bytes: int | None = None
    unread: Mapping[str, str] = field(default_factory=dict)  # tables that could not be looked at, and why


def findings(
    promises: Sequence[str], policy: PartitionPolicy, table: Table | None, now: datetime, around: Surroundings
) -> Iterator[Finding]:
    """One finding for each of the promises."""
    problem = around.unread.get(policy.table) or problem_of(policy, table)
    for promise in promises:
        if table is None or problem is not None:
            # The one finding says why; the others would only repeat it.
            fits = promise not in ("policy_fits", *BLOCKING)
            yield Finding(promise, policy.table, fits, problem or "")
        else:
            holds, told, facts = _JUDGES[promise](policy, table, now, around)
            yield Finding(promise, policy.table, holds, told, facts)


Judged = tuple[bool, str, Mapping[str, Any]]


def _policy_fits(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    return True, f"{len(table.partitions)} table partitions by {policy.key}", {"policy": policy.model_dump()}


def _no_rows_in_default(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    found = table.default_rows
    if table.default is None:
        return True, "there is no default partition", {}
    told = f"{found.rows:,} rows in {table.default.name}, {found.oldest} to {found.newest}"
    return not found.rows, told, {"rows": found.rows, "oldest": str(found.oldest), "newest": str(found.newest)}


def _no_drift(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    found = drift(table)
    told = f"{', '.join(found)}: not as {policy.table} is; ./stats partitions apply --repair" if found else "none"
    return not found, told, {"statements": {name: "; ".join(sql) for name, sql in found.items()}}


def _enough_disk(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    largest = max((part.bytes for part in table.ranges[:-1]), default=0)
    if around.free_bytes is None:
        return True, "the archive is not on a disk of this machine", {"largest_closed_bytes": largest}
    told = f"{around.free_bytes / 1e9:,.1f} GB free, the largest closed table partition has {largest / 1e9:,.3f} GB"
    facts = {"free_bytes": around.free_bytes, "largest_closed_bytes": largest}
    return around.free_bytes > 2 * largest, told, facts


def _future_partitions_exist(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    missing = missing_ahead(policy, table, now)
    told = f"missing: {', '.join(map(str, missing))}" if missing else f"{policy.ahead} ahead of the current one"
    return not missing, told, {"missing": [str(period) for period in missing]}


def _no_gap_or_overlap(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    gaps = missing_before(policy, table, now)
    twice = overlaps(table)
    wrong = {f"{period}": "no table partition" for period in gaps}
    wrong |= {f"{one.name}": f"overlaps {other.name}" for one, other in twice}
    return not wrong, named(wrong) or "none", {"gaps": len(gaps), "overlaps": len(twice)}


def _nothing_overdue(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    due = [part.name for part in expired(policy, table, now)]
    facts = {"expired": due}
    if due and not policy.is_confirmed:
        told = f"{len(due)} are older than {policy.retention} and stay, because the policy is not confirmed"
        return True, told, facts
    return not due, f"still attached: {', '.join(due)}" if due else "nothing has expired", facts


def _nothing_pending(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    pending = [part.name for part in table.partitions if part.is_pending]
    halfway = [each.name for each in table.retiring if each.state == "detaching" and not each.is_attached]
    told = f"half detached: {', '.join(pending)}; on their way to the attic: {', '.join(halfway)}"
    return not pending and not halfway, told if pending or halfway else "none", {"pending": pending}


def _archive_verified(policy: PartitionPolicy, table: Table, now: datetime, around: Surroundings) -> Judged:
    problems = around.archive_problems.get(policy.table, {})
    return not problems, named(problems) or f"{len(table.archived)} archives", {"problems": dict(problems)}


_JUDGES = {
    "policy_fits": _policy_fits,
    "no_rows_in_default": _no_rows_in_default,
    "no_drift": _no_drift,
    "enough_disk": _enough_disk,
    "future_partitions_exist": _future_partitions_exist,
    "no_gap_or_overlap": _no_gap_or_overlap,
    "nothing_overdue": _nothing_overdue,
    "nothing_pending": _nothing_pending,
    "archive_verified": _archive_verified,
}
