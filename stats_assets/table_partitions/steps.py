"""A plan as values: steps, what is refused, and both as JSON and as a table for people. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["finalize", "drain", "create", "repair", "archive", "detach", "shelve", "truncate", "drop"]

CREATING: frozenset[Kind] = frozenset({"finalize", "drain", "create", "repair"})
RETIRING: frozenset[Kind] = frozenset({"archive", "detach", "shelve", "truncate", "drop"})


TAKES_NO_CHANGES = "the database takes no changes (a standby, or read only)"

# By pg_locks' names: what stands in the way of a lock of this mode.
_SHARED = ("ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_CONFLICTS = {
    "SHARE ROW EXCLUSIVE": ("RowExclusiveLock", *_SHARED),
    "ACCESS EXCLUSIVE": ("AccessShareLock", "RowShareLock", "RowExclusiveLock", *_SHARED),
}


@dataclass(frozen=True)
class Lock:
    """A lock that readers or writers queue behind while it is waited for. `table` is written as in SQL."""

    mode: Literal["SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"]
    table: str

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The modes that have to be gone first, as pg_locks calls them."""
        return _CONFLICTS[self.mode]


@dataclass(frozen=True)
class Step:
    """One thing to do to one table partition: a transaction of its own, or a session where none is allowed."""

    kind: Kind
    table: str
    schema: str  # where the table partition is when the step begins
    partition: str
    statements: tuple[str, ...]
    lock: str  # the strongest it takes, and on what
    lower: str
    upper: str
    why: str
    rows: int = 0  # an estimate
    bytes: int = 0
    is_transaction: bool = True
    oid: int | None = None
    action: str | None = None
    archive_name: str | None = None
    moves_to: str | None = None  # its name in the attic
    name_below_parent: str | None = None
    waits_for: tuple[Lock, ...] = ()  # not begun while an old transaction holds what conflicts with these

    def __str__(self) -> str:
        return f"{self.kind} {self.table} {self.partition} ({self.lower} to {self.upper})"


@dataclass(frozen=True)
class Refusal:
    """Something the policies ask for, or that should not be, and why nothing is done about it now."""

    table: str
    why: str
    is_wrong: bool = True  # False: as configured, told so that nobody wonders

    def __str__(self) -> str:
        return f"{self.table}: {self.why}"


@dataclass(frozen=True)
class Plan:
    """The steps in their order. `digests` tell, per table, for which shape of it the plan was made."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def only(self, kinds: Iterable[Kind]) -> Plan:
        """The plan with the steps of these kinds alone."""
        return dataclasses.replace(self, steps=tuple(step for step in self.steps if step.kind in set(kinds)))

    def of(self, table: str) -> Plan:
        """The plan for one table alone."""
        return Plan(
            tuple(step for step in self.steps if step.table == table),
            tuple(refusal for refusal in self.refusals if refusal.table == table),
            {name: digest for name, digest in self.digests.items() if name == table},
        )

    def as_json(self, now: datetime) -> dict[str, Any]:
        return {
            "now": now.isoformat(),
            "steps": [dataclasses.asdict(step) for step in self.steps],
            "refusals": [dataclasses.asdict(refusal) for refusal in self.refusals],
            "digests": dict(self.digests),
        }

    def as_markdown(self) -> str:
        """A table of the steps and a list of what is refused, for asset metadata."""
        lines = ["| step | table | table partition | from | to | rows (about) | MB | lock | why |", "|---" * 9 + "|"]
        for step in self.steps:
            cells = (step.kind, step.table, step.partition, step.lower, step.upper, f"{step.rows:,}")
            cells += (f"{step.bytes / 1e6:,.1f}", step.lock, step.why)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        if not self.steps:
            lines = ["nothing to do"]
        return "\n".join([*lines, "", *(f"- {refusal}" for refusal in self.refusals)])


def plan_from_json(text: Mapping[str, Any]) -> Plan:
    """A plan as `as_json` gave it. Raises KeyError or TypeError for anything else."""
    return Plan(
        tuple(_step_from_json(step) for step in text["steps"]),
        tuple(Refusal(**refusal) for refusal in text["refusals"]),
        dict(text["digests"]),
    )


def _step_from_json(step: Mapping[str, Any]) -> Step:
    locks = tuple(Lock(**lock) for lock in step["waits_for"])
    return Step(**{**step, "statements": tuple(step["statements"]), "waits_for": locks})
