"""The collector as a process: its parts put together, begun, told to read the schema file again, ended.

SIGTERM or SIGINT: no new connections, what was received is kept and answered, then it ends. SIGHUP, or a change of
the schema file: it is read again; a mistake in it is logged, and what was known stays in force.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop

from stats_assets.events.batches import Batches
from stats_assets.events.collector import Collector
from stats_assets.events.config import EventsConfig
from stats_assets.events.connections import Shared
from stats_assets.events.listening import listening
from stats_assets.events.metrics import Tally
from stats_assets.events.reception import Reception
from stats_assets.events.recovery import Recovery
from stats_assets.events.schema_file import read_schema_file
from stats_assets.events.spool import Spool
from stats_assets.events.store import collector_database
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.garbage_collection import collect_seldom

log = logging.getLogger(__name__)

_LOOK_AT_FILE_SECONDS = 1
_GRACE_SECONDS = 10


class CollectorProcess:
    """Everything a collector consists of. Raises ConfigurationMistake when it cannot be."""

    def __init__(self, config: EventsConfig, dsn: str, environ: Mapping[str, str]) -> None:
        self._config, self._environ = config, environ
        self._file_state = _state_of(config.schema_file)
        schema = read_schema_file(config.schema_file, environ)
        self.tally = Tally()
        self._spool = Spool(config.spool, config.max_spool_bytes)
        self._batches = Batches(config, self._spool, self.tally)
        self.collector = Collector(Reception.of(schema, config.limits), self._batches, self.tally, self.health)
        self._shared = Shared(self.collector, config.limits, self.tally)
        self._recovery = Recovery(
            collector_database(dsn),
            self._batches,
            self._spool,
            self.tally,
            lambda: self.collector.reception.schema,
            config.commit_timeout_seconds,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def serve(self, default_port: int) -> None:
        """Until a signal ends it. Raises ConfigurationMistake when the port is not to be had."""
        collect_seldom()
        uvloop.run(self._serve(self._config.port_or(default_port)))

    async def _serve(self, port: int) -> None:
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        await self._begin()
        try:
            async with listening(self._shared, self._config.host, port, _GRACE_SECONDS):
                log.warning("events: the collector takes events for %d apps", len(self.collector.reception.doors))
                await ending.wait()
        finally:
            await self._end()

    async def _begin(self) -> None:
        self._batches.start()
        with suppress(Exception):  # PostgreSQL may be away; then this is tried again, and told
            await asyncio.wait_for(self._recovery.look(), self._config.commit_timeout_seconds)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        self._tasks = [asyncio.create_task(each) for each in (self._recovery.run(), self._watch_file())]

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._batches.stop()

    async def _watch_file(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_FILE_SECONDS)
            if _state_of(self._config.schema_file) != self._file_state:
                self._reload()

    def _reload(self) -> None:
        self._file_state = _state_of(self._config.schema_file)
        try:
            schema = read_schema_file(self._config.schema_file, self._environ)
            self.collector.reception = Reception.of(schema, self._config.limits, self.collector.reception)
        except OurMistake as error:
            self.tally.refused_reloads += 1
            log.error("events: the schema stays as it was:\n%s", error)
        else:
            self.tally.reloads += 1
            log.warning("events: schema %s is in force", schema.version)

    def health(self) -> dict[str, Any]:
        """What /health tells: ok, degraded (events go to the spool), full (they are refused)."""
        size = self._spool.size_bytes()
        status = "ok"
        if self._batches.is_away:
            status = "degraded" if size < self._spool.max_bytes else "full"
        return {
            "status": status,
            "postgresql": self._batches.away_because or "ok",
            "spool_bytes": size,
            "spool_segments": len(self._spool.waiting()) + len(self._spool.set_aside()),
            "set_aside": len(self._spool.set_aside()),
            "schema_version": self.collector.reception.schema.version,
        }


def _state_of(path: Path) -> tuple[int, int, int] | None:
    """Changes with the file, also when another one takes its name."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def serve(config: EventsConfig, dsn: str, default_port: int) -> None:
    """The whole life of a collector. Raises ConfigurationMistake before it begins."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    CollectorProcess(config, dsn, os.environ).serve(default_port)
