"""Many questions to many hosts in a bounded time, for the sensor. What to ask and what follows is `late.py`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.plan import Probe
from stats_assets.log_sync.transports import Transports, open_transports
from stats_assets.log_sync.transports.limits import Limits, SourceRefused
from stats_assets.shared.failures import SourceAway


def probe_all(
    files: Sequence[ExpectedFile], limits: Limits, total_seconds: float
) -> tuple[list[tuple[ExpectedFile, Probe]], list[str]]:
    """The answers that came within `total_seconds`, and the names of hosts that gave none.

    A host that does not answer one question is not asked the next: a dead host costs one time-out.
    """
    silent: set[str] = set()
    stopping = threading.Event()
    with open_transports(limits) as transports, ThreadPoolExecutor(limits.connections) as pool:
        asked = {pool.submit(_probe, transports, file, silent, stopping): file for file in files}
        done, _ = wait(asked, timeout=total_seconds)
        stopping.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return [(asked[future], probe) for future in _in_order(asked, done) if (probe := future.result())], sorted(silent)


def _in_order(asked: dict[Future[Probe | None], ExpectedFile], done: set[Future[Probe | None]]) -> list[Future]:
    return [future for future in asked if future in done]


def _probe(transports: Transports, file: ExpectedFile, silent: set[str], stopping: threading.Event) -> Probe | None:
    if file.host in silent or stopping.is_set():
        return None
    try:
        return transports.of(file.source).probe(file.source)
    except (SourceAway, SourceRefused):
        silent.add(file.host)
        return None
