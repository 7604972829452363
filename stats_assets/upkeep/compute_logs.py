"""What steps wrote to stdout and stderr: files of Dagster's compute log manager."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager


def remove_old(
    instance: dg.DagsterInstance, gone: Collection[str], unfinished: Collection[str], keep_days: int, now: datetime
) -> int:
    """Removes the logs of runs that are gone, and on a local disk also old ones; gives of how many runs."""
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        for run_id in gone:
            manager.delete_logs(prefix=[run_id])
        return len(gone)
    oldest = (now - timedelta(days=keep_days)).timestamp()
    old = [
        folder
        for folder in folders(instance)
        if folder.name in gone or (folder.name not in unfinished and _newest(folder) < oldest)
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def folders(instance: dg.DagsterInstance) -> Iterator[Path]:
    """The folder of each run's logs on a local disk; beside them lie other things of Dagster's."""
    manager = instance.compute_log_manager
    if isinstance(manager, LocalComputeLogManager):
        yield from (path.parent for path in Path(manager._base_dir).glob("*/compute_logs") if _is_run(path.parent.name))


def size(instance: dg.DagsterInstance) -> tuple[int, int]:
    """Files and bytes of logs on a local disk."""
    sizes = [file.stat().st_size for folder in folders(instance) for file in folder.rglob("*") if file.is_file()]
    return len(sizes), sum(sizes)


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*")), default=0)


def _is_run(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
