"""Lets the typed tables follow the schema file: plans, runs the steps, plans again until nothing is left to do.

Whatever ends it in the middle, the next call begins where the tables are. A lock that is not to be had within a tenth
of a second is given up and asked for again after a pause: whoever comes behind us must not wait for whom we wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg2
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from stats_assets.events.catalog_store import keep_version, read_catalog
from stats_assets.events.evolution import Plan, Step, plan
from stats_assets.events.schema_file import EventSchema
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row

_LOCK_TIMEOUT = "100ms"
# While an index is made concurrently nobody waits for us; we may wait long for transactions that began before.
_CONCURRENT_LOCK_TIMEOUT = "10min"
_BUDGET_SECONDS = 60.0
_ROUNDS = 10  # a table, its columns, indexes, table partitions that came in between; more is no progress

_PASSING = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)
# Somebody was faster: a row without a value, a table partition or index of the name. The next plan sees it.
_OVERTAKEN = (
    psycopg2.errors.CheckViolation,
    psycopg2.errors.DuplicateTable,
    psycopg2.errors.DuplicateObject,
    psycopg2.errors.DuplicateColumn,
    psycopg2.errors.UndefinedObject,
    psycopg2.errors.UndefinedTable,
)
_ALONE = "SELECT pg_advisory_lock(hashtextextended('events.schema', 0))"
_SET_UP = "SELECT set_config('lock_timeout', %(wait)s, %(is_local)s)"


@dataclass
class Evolution:
    """What was done, and the plan for what is left: nothing, refusals, or steps whose lock was not to be had."""

    statements: list[str] = field(default_factory=list)
    deferred: list[str] = field(default_factory=list)
    left: Plan = field(default_factory=Plan)

    @property
    def is_settled(self) -> bool:
        return self.left.is_settled


def evolve(
    database: StatsDatabase,
    schema: EventSchema,
    sleep: Callable[[float], None] = time.sleep,
    budget_seconds: float = _BUDGET_SECONDS,
) -> Evolution:
    """Does what disturbs nobody. Others of us wait until this one has ended. Raises SourceAway."""
    evolution = Evolution()
    with database.session() as alone:
        alone.execute(_ALONE)
        for _ in range(_ROUNDS):
            evolution.left = planned(database, schema)
            before = len(evolution.statements)
            evolution.deferred.clear()
            for step in evolution.left.steps:
                _try(database, step, evolution, sleep, budget_seconds)
            if len(evolution.statements) == before:
                break
        with database.transaction() as cursor:
            keep_version(cursor, schema, evolution.statements, evolution.is_settled)
    return evolution


def planned(database: StatsDatabase, schema: EventSchema) -> Plan:
    """What is to be done now; changes nothing."""
    with database.transaction() as cursor:
        return plan(schema, read_catalog(cursor, schema.tables))


def _try(
    database: StatsDatabase, step: Step, evolution: Evolution, sleep: Callable[[float], None], budget: float
) -> None:
    patiently = Retrying(
        retry=retry_if_exception_type(_PASSING),
        stop=stop_after_delay(budget),
        wait=wait_exponential_jitter(multiplier=0.2, max=5),
        sleep=sleep,
    )
    for statements in step.transactions:
        try:
            patiently(_run, database, step, statements)
        except RetryError:
            evolution.deferred.append(f"{step}: no lock to be had for {budget:.0f} s; the next run tries again")
            return
        except _OVERTAKEN:
            return
        evolution.statements += statements


def _run(database: StatsDatabase, step: Step, statements: tuple[str, ...]) -> None:
    if step.is_concurrent:
        with database.session() as cursor:
            _wait_at_most(cursor, _CONCURRENT_LOCK_TIMEOUT, is_local=False)
            for statement in statements:
                cursor.execute(statement)
        return
    with database.transaction() as cursor:
        _wait_at_most(cursor, _LOCK_TIMEOUT, is_local=True)
        for statement in statements:
            cursor.execute(statement)


def _wait_at_most(cursor: Cursor, wait: str, is_local: bool) -> None:
    cursor.execute(_SET_UP, {"wait": wait, "is_local": is_local})
    one_row(cursor)
