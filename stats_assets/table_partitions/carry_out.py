"""Carries a plan out, step by step, each in a transaction or session of its own, and keeps a row of every try.

Whatever happens in the middle (a killed worker, a crashed server, a lock that never frees), the next plan begins where
the tables are: nothing is remembered but what the catalog and table_partitions.attic say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg2

from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row
from stats_assets.table_partitions import sql, store
from stats_assets.table_partitions.archiving import (
    TEXT_SETTINGS,
    archive_table,
    columns_of,
    fingerprint_in,
    is_unchanged,
)
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.manifest import Manifest
from stats_assets.table_partitions.patience import Deferred, Patience, Tries
from stats_assets.table_partitions.reading import READ_SET_UP, read_table
from stats_assets.table_partitions.statements import attic_name
from stats_assets.table_partitions.steps import CREATING, Plan, Step

_STATE = "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = %(oid)s"
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))"
_STATEMENT_TIMEOUT = "10min"  # for what should take milliseconds, or move at most a million rows

# In the parent's way: the same step will go through once somebody else's has.
_NEXT_TIME = (psycopg2.errors.ObjectNotInPrerequisiteState, psycopg2.errors.CheckViolation)

# Somebody else, most often a loader, has made what we were about to make.
_CHANGED = (psycopg2.errors.DuplicateTable, psycopg2.errors.InvalidObjectDefinition)
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
        locks.execute(_TRY_LOCK, {"name": f"{table}:maintenance"})
        if one_row(locks) != (True,):
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
            self.boundary(f"before {step.kind}")
            result = self._run(step)
            self.boundary(f"after {step.kind}")
        if result.result in ("deferred", "failed") and step.kind != "finalize":
            # Its table partition is not ready for the next step, and the next would meet the same lock.
            self._stopped[phase] = f"waits for {step.kind} {step.partition}, which was not done"
        with self.database.transaction() as cursor:
            store.add_event(cursor, self.run_id, step, _facts(result))
        return result

    def _run(self, step: Step) -> StepResult:
        tries = Tries(self.patience, self.clock, self.sleep)
        manifest: list[Manifest] = []
        work: dict[str, Callable[[], None]] = {
            "detach": lambda: self._detach(step, tries),
            "finalize": lambda: tries.until_free(lambda: self._detach_once(step)),
            "archive": lambda: tries.until_free(lambda: manifest.append(self._archive(step))),
            "drop": lambda: self._drop(step, tries),
        }
        try:
            work.get(step.kind, lambda: tries.until_free(lambda: self._in_transaction(step)))()
        except Deferred as error:
            return self._not_done(step, "deferred", tries, str(error))
        except OurMistake as error:
            return self._not_done(step, "failed", tries, str(error))
        except _CHANGED as error:
            return StepResult(step, "skipped", tries.count, message=f"{_PLAN_AGAIN} ({first_line(error)})")
        except _NEXT_TIME as error:
            return self._not_done(step, "deferred", tries, first_line(error))
        except psycopg2.Error as error:
            if _is_away(error):
                raise
            return self._not_done(step, "failed", tries, first_line(error))
        waited = round(tries.waited_seconds * 1000)
        return StepResult(step, "done", tries.count, waited, manifest=manifest[0] if manifest else None)

    def _not_done(self, step: Step, result: Literal["deferred", "failed"], tries: Tries, why: str) -> StepResult:
        return StepResult(step, result, tries.count, round(tries.waited_seconds * 1000), why)

    def _in_transaction(self, step: Step) -> None:
        """Most steps: their statements and, with them, the books."""
        if not step.is_transaction:
            return self._each_alone(step)
        with self.database.transaction() as cursor:
            cursor.execute(self._set_up("SET LOCAL"))
            for statement in step.statements:
                cursor.execute(statement)
            if step.kind == "shelve":
                now = self.now()
                store.shelved(cursor, step, now, now + timedelta(days=self.limits.attic_days))
            if step.kind == "drop":
                store.dropped(cursor, step)
            self.boundary(f"inside {step.kind}")
        return None

    def _each_alone(self, step: Step) -> None:
        with self.database.session() as cursor:
            cursor.execute(self._set_up("SET"))
            for statement in step.statements:
                cursor.execute(statement)

    def _detach(self, step: Step, tries: Tries) -> None:
        """The intention is written first: a table partition that is half detached then has somebody to end it."""
        with self.database.transaction() as cursor:
            store.intend_detach(cursor, step, attic_name(step.schema, step.partition, step.oid or 0))
        self.boundary("detach intended")
        tries.until_free(lambda: self._detach_once(step))

    def _detach_once(self, step: Step) -> None:
        """One try: a detach that a try before has left pending is finalized, one that is complete is left alone."""
        with self.database.session() as cursor:
            cursor.execute(_STATE, {"oid": step.oid})
            state = cursor.fetchone()
            if state is None:
                return
            cursor.execute(self._set_up("SET"))
            if state == (True,):
                cursor.execute(_finalizing(step))
            elif step.is_transaction:
                self._in_transaction(step)
            else:
                cursor.execute(step.statements[0])

    def _archive(self, step: Step) -> Manifest:
        key = self.policies[step.table].key
        set_up = f"SET LOCAL lock_timeout = {self.patience.lock_timeout_milliseconds}"
        return archive_table(self.database, self.archive, step, key, set_up, self.boundary)

    def _drop(self, step: Step, tries: Tries) -> None:
        if step.action == "archive":
            self._agrees(step)
        tries.until_free(lambda: self._in_transaction(step))

    def _agrees(self, step: Step) -> None:
        """Raises OurMistake unless table and archived file hold the same rows still."""
        with self.database.transaction() as cursor:
            (row,) = store.archives(cursor, step.archive_name) or [None]
            cursor.execute(TEXT_SETTINGS)
            columns = columns_of(cursor, step.oid or 0)
            found = str(fingerprint_in(cursor, columns, quoted(step.schema, step.partition)))
        if row is None or found != row.fingerprint:
            with self.database.transaction() as cursor:
                cursor.execute(sql.FORGET_ARCHIVE, {"oid": step.oid})
            told = row.fingerprint if row else "missing"
            raise OurMistake(
                f"not dropped: the table's fingerprint is {found}, its archive's {told}: rows came after it was"
                " archived; the next run archives it anew"
            )
        if not is_unchanged(self.archive, row):
            with self.database.transaction() as cursor:
                store.judge_archive(cursor, row.name, "the file is gone or has changed since it was verified")
                cursor.execute(sql.FORGET_ARCHIVE, {"oid": step.oid})
            raise OurMistake(
                f"not dropped: the file {self.archive.location(row.file)} is gone or has changed since it was verified;"
                " the next run archives the table anew; look at the disk of the archive"
            )

    def _set_up(self, command: Literal["SET", "SET LOCAL"]) -> str:
        """How a session behaves that must not be in anybody's way."""
        settings: Sequence[tuple[str, Any]] = (
            ("lock_timeout", self.patience.lock_timeout_milliseconds),
            ("statement_timeout", f"'{_STATEMENT_TIMEOUT}'"),
            # When we are killed, the server notices, and does not go on waiting in our place.
            ("client_connection_check_interval", "'500ms'"),
            ("application_name", f"'stats_assets partitions {_plain(self.run_id)}'"),
        )
        return "; ".join(f"{command} {name} = {value}" for name, value in settings)

    @contextmanager
    def _at_database(self) -> Any:
        try:
            yield
        except psycopg2.Error as error:
            raise SourceAway(
                f"table_partitions: the database went away in the middle ({first_line(error)}); nothing is lost,"
                " the next run goes on from there"
            ) from error


def _finalizing(step: Step) -> str:
    """The end of the step's own DETACH ... CONCURRENTLY."""
    return step.statements[0].removesuffix(" CONCURRENTLY").removesuffix(" FINALIZE") + " FINALIZE"


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


def _plain(run_id: str) -> str:
    return "".join(letter for letter in run_id[:24] if letter.isalnum() or letter == "-")
