"""Checks of what is there, made every hour: a backup that was not made runs no step that could tell.

What each means and what to do: docs/runbooks/backups.md.
"""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from datetime import UTC, datetime, timedelta

import dagster as dg

from stats_assets.backups import store
from stats_assets.backups.assets import BASE_BACKUP, RESTORE_DRILL
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.plan import begun_at
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.store import LastDrills
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import told_to_dagster


def build_checks(config: BackupsConfig, shelf: Shelf) -> list[dg.AssetChecksDefinition]:
    """The checks for this configuration."""

    @dg.asset_check(
        asset=BASE_BACKUP,
        name="newest_backup_is_recent",
        description=f"There is a whole backup that was begun in the last {config.max_backup_age_hours} hours.",
    )
    def newest_backup_is_recent() -> dg.AssetCheckResult:
        backups = shelf.backups()
        told = age_problem(backups, config.max_backup_age_hours, datetime.now(UTC))
        return _result(told, "the newest backup is recent", is_beginning=not backups)

    @dg.asset_check(
        asset=BASE_BACKUP,
        name="backups_are_whole",
        description="Every file of every backup is there with the size it was stored with.",
    )
    def backups_are_whole() -> dg.AssetCheckResult:
        names = shelf.backups()
        problems = {name: problem for name in names if (problem := shelf.problem(name))}
        return _result(named(problems), f"{len(names)} backups have all their files")

    @dg.asset_check(
        asset=RESTORE_DRILL,
        name="last_drill_succeeded",
        description=f"The last restore drill gave every row and is at most {config.max_drill_age_days} days old.",
    )
    def last_drill_succeeded(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        with told_to_dagster(), database.transaction() as cursor:
            drills = store.last_drills(cursor)
        told = drill_problem(drills, config.max_drill_age_days, datetime.now(UTC))
        return _result(told, "the last drill was good", is_beginning=drills.ended_at is None)

    return [newest_backup_is_recent, backups_are_whole, last_drill_succeeded]


def age_problem(backups: list[str], max_hours: int, now: datetime) -> str:
    """What is wrong with the age of the newest; empty when nothing is."""
    instants = [instant for name in backups if (instant := begun_at(name))]
    if not instants:
        return "there is no backup yet; the night makes one, or materialize backups/base_backup"
    hours = (now - max(instants)) / timedelta(hours=1)
    return "" if hours <= max_hours else f"the newest backup was begun {hours:.0f} hours ago, allowed are {max_hours}"


def drill_problem(drills: LastDrills, max_days: int, now: datetime) -> str:
    """What is wrong with the last drills; empty when nothing is."""
    if drills.ended_at is None:
        return "no backup was restored yet; Sunday's drill does, or materialize backups/restore_drill"
    if not drills.is_good:
        return f"the drill of {drills.ended_at:%Y-%m-%d} failed: {drills.problem}"
    days = (now - drills.ended_at) / timedelta(days=1)
    return "" if days <= max_days else f"the last drill was {days:.0f} days ago, allowed are {max_days}"


def _result(problem: str, otherwise: str, is_beginning: bool = False) -> dg.AssetCheckResult:
    """What a new installation has not done yet is a warning."""
    severity = dg.AssetCheckSeverity.WARN if is_beginning else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(passed=not problem, severity=severity, description=problem or otherwise)
