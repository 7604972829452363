"""The folder where a backup, drill or restore works: one of them at a time, and nothing of a killed one stays."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stats_assets.local.abandoned_servers import live_servers, remove_servers
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

_GB = 1 << 30


def server_folder(work: Path) -> Path:
    """Where a drill or restore has its throw-away server, in the folder that `staged` gives."""
    return work / "server"


@contextmanager
def staged(staging: Path) -> Iterator[Path]:
    """An empty folder for one backup, drill or restore of this machine at a time, gone with the block.

    What a killed one has left goes first, its server as well. Raises SourceAway while another is at work.
    """
    staging.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(staging):
        folder = _work(staging)
        _clear(folder)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def abandoned_servers(staging: Path) -> list[int]:
    """Processes of database servers that killed drills or restores have left; none while one is at work."""
    if not staging.is_dir():
        return []
    try:
        with _alone(staging):
            return live_servers(server_folder(_work(staging)))
    except (SourceAway, PermissionError):
        return []


@contextmanager
def _alone(staging: Path) -> Iterator[None]:
    with (staging / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceAway(f"another backup, drill or restore is at work in {staging}") from error
        yield


def _work(staging: Path) -> Path:
    return staging / "work"


def _clear(folder: Path) -> None:
    remove_servers(server_folder(folder))
    shutil.rmtree(folder, ignore_errors=True)


def require_room(folder: Path, size_bytes: int) -> None:
    """Raises ConfigurationMistake when the size and a half does not fit."""
    free = shutil.disk_usage(folder).free
    if free < size_bytes * 1.5:
        raise ConfigurationMistake(
            f"backups: {folder} has {free / _GB:.1f} GB free; verifying and restoring {size_bytes / _GB:.1f} GB takes a"
            " half more than that: make room, or set backups.staging to another disk"
        )
