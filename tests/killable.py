"""Processes for tests that kill them: everything is imported before they start, so that a start takes milliseconds.

They are forked from a server that has nothing open, so none inherits a connection of ours.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

_PROCESSES = multiprocessing.get_context("forkserver")
# For whatever test of this worker is the first: the server is started once.
_PROCESSES.set_forkserver_preload(
    [
        "pyarrow.csv",
        "pyarrow.parquet",
        "stats_assets.forum.crawl",
        "stats_assets.table_partitions.maintenance",
        "stats_assets.trends.intake",
    ]
)


def started(work: Callable[..., Any], *arguments: object) -> BaseProcess:
    """`work` at work; a function of a module, and arguments that can be pickled."""
    process = _PROCESSES.Process(target=work, args=arguments)
    process.start()
    return process


def ended(process: BaseProcess, timeout_seconds: float = 120) -> int:
    """Its exit code, minus the number of the signal when it was killed; waits for it."""
    process.join(timeout_seconds)
    assert process.exitcode is not None, f"it has not ended within {timeout_seconds} s"
    return process.exitcode
