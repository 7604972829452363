"""The verbs `./stats trends ...`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.bans import ban, unban
from stats_assets.trends.dictionary import train_dictionary
from stats_assets.trends.intake import import_paths
from stats_assets.trends.redrive import redrive


def import_logs(database: StatsDatabase, paths: list[Path], force: bool, tell: Callable[[str], None]) -> int:
    """Imports the paths; exit code 1 when something went to quarantine."""
    report = import_paths(database, paths, tell, force)
    for reason, count in sorted(report.reasons.items()):
        tell(f"quarantined, {reason}: {count}; see trends.quarantine")
    return 1 if report.quarantined else 0


def redrive_quarantine(database: StatsDatabase, tell: Callable[[str], None]) -> int:
    """Tries every quarantined log again; exit code 1 while some stay."""
    report = redrive(database)
    tell(f"{report}")
    return 1 if report.quarantined else 0


def set_ban(database: StatsDatabase, player: str, reason: str | None, tell: Callable[[str], None]) -> int:
    """Bans a player for a reason, or lifts the ban without one; tells what became of the logs they uploaded."""
    tell(f"{unban(database, player) if reason is None else ban(database, player, reason)}")
    return 0


def learn_dictionary(database: StatsDatabase, tell: Callable[[str], None]) -> int:
    """Trains a dictionary for the raw bytes, kept when it pays."""
    tell(f"{train_dictionary(database)}")
    return 0
