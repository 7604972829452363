"""Carries a plan out, step by step, each in a transaction or session of its own, and keeps a row of every try.

Whatever happens in the middle (a killed worker, a crashed server, a lock that never frees), the next plan begins where
the tables are: nothing is remembered but what the catalog and table_partitions.attic say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row, try_lock
from stats_assets.table_partitions import store
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.manifest import Manifest
from stats_assets.table_partitions.patience import Deferred, Patience, Tries
from stats_assets.table_partitions.reading import READ_SET_UP, read_table
from stats_assets.table_partitions.step_work import StepWork
from stats_assets.table_partitions.steps import CREATING, TAKES_NO_CHANGES, Plan, Step

# In the parent's way: the same step will go through once somebody else's has.
_NEXT_TIME = (psycopg2.errors.ObjectNotInPrerequisiteState, psycopg2.errors.CheckViolation)

# Somebody else, most often a loader, has made what we were about to make.
_CHANGED = (psycopg2.errors.DuplicateTable, psycopg2.errors.InvalidObjectDefinition)
_IS_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"
_PLAN_AGAIN = "the table has changed since the plan was made; plan again"


@dataclass(frozen=True)
class StepResult:
    """What became of a step. `message` says why it is not done."""

    step: Step
    result: Literal["done", "deferred", "failed", "skipped"]
    tries: int = 0
    waited_ms: int = 0
    message: str | None = None
    manifest: Manifest | None = None

    @property
    def is_outdated(self) -> bool:
        """Left out because the table is not as it was when the step was planned."""
        return self.result == "skipped" and (self.message or "").startswith(_PLAN_AGAIN)

    def __str__(self) -> str:
        return f"{self.step}: {self.result}" + (f", {self.message}" if self.message else "")


@dataclass
class Executor:
    """Carries plans out. Time and sleep come in; `boundary` is told each point at which a crash would matter."""

    database: StatsDatabase
    archive: Archive
    policies: Mapping[str, PartitionPolicy]
    limits: Limits
    patience: Patience
    run_id: str
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    boundary: Callable[[str], None] = lambda point: None
    told: Callable[[StepResult], None] = lambda result: None
    _stopped: dict[tuple[str, bool], str] = field(default_factory=dict)

    def carry_out(self, plan: Plan) -> list[StepResult]:
        """The results in the order of the steps. Raises SourceAway when the database goes away."""
        self._stopped = {}
        with self._at_database(), ExitStack() as stack:
            locks = stack.enter_context(self.database.session())
            locks.execute(_IS_READ_ONLY)
            if one_row(locks) == (True,):  # then there is nowhere to note it either
                return [StepResult(step, "skipped", message=TAKES_NO_CHANGES) for step in plan.steps]
            refused: dict[str, str | None] = {}
            results = []
            for step in plan.steps:
                if step.table not in refused:
                    refused[step.table] = self._begin_table(locks, step.table, plan)
                results.append(self._result(step, refused[step.table]))
                self.told(results[-1])
            return results

    def _begin_table(self, locks: Cursor, table: str, plan: Plan) -> str | None:
        """Takes the table for this session; why not, when somebody else has it or it is not as planned for."""
        if not try_lock(locks, f"{table}:maintenance"):
            return "another run maintains this table now"
        policy = self.policies.get(table)
        if policy is None:
            return "no policy names the table any more"
        try:
            with self.database.transaction() as cursor:
                cursor.execute(READ_SET_UP)
                found = read_table(cursor, policy, self.now())
        except psycopg2.errors.LockNotAvailable as error:
            return f"deferred: somebody holds it locked ({first_line(error)})"
        if found is None or found.digest != plan.digests.get(table):
            return _PLAN_AGAIN
        return None

    def _result(self, step: Step, refused: str | None) -> StepResult:
        """Runs the step unless something before it stands in its way, and notes what came of it."""
        phase = (step.table, step.kind in CREATING)
        refused = refused or self._stopped.get(phase)
        if refused is not None:
            result = StepResult(step, "skipped", message=refused)
        else:
            self.boundary(f"before {step.kind} {step.partition}")
            result = self._run(step)
            self.boundary(f"after {step.kind} {step.partition}")
        if result.result in ("deferred", "failed") and step.kind != "finalize":
            # Its table partition is not ready for the next step, and the next would meet the same lock.
            self._stopped[phase] = f"waits for {step.kind} {step.partition}, which was not done"
        with self.database.transaction() as cursor:
            store.add_event(cursor, self.run_id, step, _facts(result))
        return result

    def _run(self, step: Step) -> StepResult:
        tries = Tries(self.patience, self.clock, self.sleep)
        work = StepWork(
            self.database, self.archive, self.policies, self.limits, tries, self.run_id, self.now, self.boundary
        )
        try:
            manifest = work.do(step)
        except Deferred as error:
            return _not_done(step, "deferred", tries, str(error))
        except OurMistake as error:
            return _not_done(step, "failed", tries, str(error))
        except _CHANGED as error:
            return StepResult(step, "skipped", tries.count, message=f"{_PLAN_AGAIN} ({first_line(error)})")
        except _NEXT_TIME as error:
            return _not_done(step, "deferred", tries, first_line(error))
        except psycopg2.Error as error:
            if _is_away(error):
                raise
            return _not_done(step, "failed", tries, first_line(error))
        return StepResult(step, "done", tries.count, _milliseconds(tries), manifest=manifest)

    @contextmanager
    def _at_database(self) -> Any:
        try:
            yield
        except psycopg2.Error as error:
            raise SourceAway(
                f"table_partitions: the database went away in the middle ({first_line(error)}); nothing is lost,"
                " the next run goes on from there"
            ) from error


def _not_done(step: Step, result: Literal["deferred", "failed"], tries: Tries, why: str) -> StepResult:
    return StepResult(step, result, tries.count, _milliseconds(tries), why)


def _milliseconds(tries: Tries) -> int:
    return round(tries.waited_seconds * 1000)


def _facts(result: StepResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "result": result.result,
        "tries": result.tries,
        "waited_ms": result.waited_ms,
        "rows": manifest.rows if manifest else result.step.rows,
        "bytes": manifest.file_bytes if manifest else result.step.bytes,
        "message": result.message,
    }


def _is_away(error: psycopg2.Error) -> bool:
    """The connection broke, or the server is stopping: no step can go on."""
    is_broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and error.pgcode is None
    return is_broken or (error.pgcode or "").startswith("57P")
