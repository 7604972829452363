"""What is taken out of Dagster's own tables, by the ages of `UpkeepConfig`, a portion per transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from stats_assets.shared.postgres import Cursor
from stats_assets.upkeep import sql
from stats_assets.upkeep.config import UpkeepConfig
from stats_assets.upkeep.instance_database import transaction

PORTION = 500  # runs per transaction: some ten thousand rows, a second


@dataclass
class Pruned:
    """How much was taken away."""

    runs: int = 0
    emptied_runs: int = 0
    event_rows: int = 0
    snapshots: int = 0
    backfills: int = 0
    ticks: int = 0


def prune(
    instance: dg.DagsterInstance, config: UpkeepConfig, now: datetime, portion: int = PORTION
) -> tuple[Pruned, list[str]]:
    """Takes away what is old; gives how much that was, and the ids of the runs that are gone."""
    pruned, gone = Pruned(), []
    ages = _ages(config, now, portion)

    def runs(cursor: Cursor) -> bool:
        removed = _remove_runs(cursor, ages, pruned)
        gone.extend(removed)
        return len(removed) == portion

    def keepers(cursor: Cursor) -> bool:
        return _empty_keepers(cursor, ages, pruned) == portion

    def backfills(cursor: Cursor) -> bool:
        return _remove_backfills(cursor, ages, pruned) == portion

    for step in (runs, keepers, backfills):
        _repeated(instance, step)
    with transaction(instance) as cursor:
        cursor.execute(sql.DELETE_FRESHNESS, ages)
        pruned.event_rows += cursor.rowcount
        cursor.execute(sql.DELETE_TICKS, ages)
        pruned.ticks += cursor.rowcount
    pruned.snapshots = _remove_snapshots(instance)
    return pruned, gone


def _repeated(instance: dg.DagsterInstance, step: Callable[[Cursor], bool]) -> None:
    """Each time in a transaction of its own, as long as there is more."""
    has_more = True
    while has_more:
        with transaction(instance) as cursor:
            has_more = step(cursor)


def _ages(config: UpkeepConfig, now: datetime, portion: int) -> dict[str, object]:
    """Before when things are old: `..._before` in Unix seconds, as Dagster keeps ends of runs, `at_before` in UTC."""

    def before(days: int) -> float:
        return (now - timedelta(days=days)).timestamp()

    longest = max(config.keep_runs_days, config.keep_failed_runs_days)
    return {
        "runs_before": before(config.keep_runs_days),
        "failed_before": before(longest),
        "events_before": before(config.keep_event_days),
        "at_before": (now - timedelta(days=config.keep_runs_days)).replace(tzinfo=None),
        "portion": portion,
    }


def _remove_runs(cursor: Cursor, ages: dict[str, object], pruned: Pruned) -> list[str]:
    cursor.execute(sql.KEEPERS)
    cursor.execute(sql.OLD_RUNS, ages)
    runs = {"runs": [run for (run,) in cursor.fetchall()]}
    cursor.execute(sql.DELETE_EVENT_TAGS, runs)
    cursor.execute(sql.DELETE_EVENTS, runs)
    pruned.event_rows += cursor.rowcount
    for statement in (sql.DELETE_CHECKS, sql.DELETE_RUN_TAGS, sql.DELETE_RUNS):
        cursor.execute(statement, runs)
    pruned.runs += cursor.rowcount
    return runs["runs"]


def _empty_keepers(cursor: Cursor, ages: dict[str, object], pruned: Pruned) -> int:
    cursor.execute(sql.KEEPERS)
    cursor.execute(sql.OLD_KEEPERS, ages)
    runs = {"runs": [run for (run,) in cursor.fetchall()]}
    cursor.execute(sql.EMPTY_EVENT_TAGS, runs)
    cursor.execute(sql.EMPTY_EVENTS, runs)
    pruned.event_rows += cursor.rowcount
    pruned.emptied_runs += len(runs["runs"])
    return len(runs["runs"])


def _remove_backfills(cursor: Cursor, ages: dict[str, object], pruned: Pruned) -> int:
    cursor.execute(sql.OLD_BACKFILLS, ages)
    keys = {"backfills": [key for (key,) in cursor.fetchall()]}
    cursor.execute(sql.DELETE_BACKFILL_TAGS, keys)
    cursor.execute(sql.DELETE_BACKFILLS, keys)
    pruned.backfills += cursor.rowcount
    return len(keys["backfills"])


def _remove_snapshots(instance: dg.DagsterInstance) -> int:
    """A job that is a part of another refers to it, inside the snapshot: those stay, too."""
    with transaction(instance) as cursor:
        cursor.execute(sql.REFERENCED_JOBS)
        parents = []
        for (snapshot_id,) in cursor.fetchall():
            lineage = instance.get_job_snapshot(snapshot_id).lineage_snapshot
            parents += [lineage.parent_snapshot_id] if lineage else []
        cursor.execute(sql.DELETE_SNAPSHOTS, {"parents": parents})
        return cursor.rowcount
