"""A second copy of every backup in a restic repository, encrypted and without repeats, where restic is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from stats_assets.backups.plan import Keep, begun_at
from stats_assets.backups.shelf import Shelf
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

_TAG = "stats-assets"


def hand_over(shelf: Shelf, name: str, repository: str, keep: Keep) -> None:
    """Copies the backup's folder, as of the moment the backup began, and lets restic forget by the same rule.

    The repository's address may hold a password: it goes by the environment, as restic's own variables do. Raises
    ConfigurationMistake or SourceAway.
    """
    program = shutil.which("restic")
    if program is None:
        raise ConfigurationMistake(
            "backups.restic_repository is set, but restic is not installed; apt-get install restic"
        )
    location = shelf.archive.location(name)
    if not location.startswith("file://"):
        raise ConfigurationMistake(
            "backups.restic_repository needs backups.url to be a local folder, which restic reads"
        )
    folder = Path(location.removeprefix("file://"))
    # By the folder above, so that all backups are one series to restic.
    moment = ("--time", f"{begun_at(name):%Y-%m-%d %H:%M:%S}")
    _run(program, repository, "backup", "--tag", _TAG, *moment, f"./{name}", folder=folder.parent)
    kept = ("--keep-daily", f"{keep.daily}", "--keep-weekly", f"{keep.weekly}", "--keep-monthly", f"{keep.monthly}")
    _run(program, repository, "forget", "--tag", _TAG, "--group-by", "tags", "--prune", *kept, folder=folder.parent)


def _run(program: str, repository: str, *arguments: str, folder: Path) -> None:
    environ = {**os.environ, "RESTIC_REPOSITORY": repository, "TZ": "UTC"}
    done = subprocess.run([program, *arguments], env=environ, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        why = next((line for line in said if line.startswith("Fatal:")), said[-1])
        raise SourceAway(f"restic {arguments[0]} failed: {why.replace(repository, 'the repository')}")
