"""What is received on its way to where it stays: gathered, committed by one COPY, or put into the spool.

Nothing waits for a timer. While one batch is being committed the next one gathers, so that a lonely event is stored at
once and a crowd in large batches. HTTP is not known here, and neither is how PostgreSQL comes back (`recovery`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from stats_assets.events.config import EventsConfig
from stats_assets.events.copy_rows import Packed, Rows
from stats_assets.events.metrics import Tally
from stats_assets.events.spool import Spool, SpoolFull
from stats_assets.events.store import Store, StoreAway

Kept = Literal["stored", "spooled"]

log = logging.getLogger(__name__)

# The server gives up first, by its statement_timeout; who waits longer is waiting for a server that does not answer.
_SERVER_SECONDS = 1


class NoRoom(Exception):
    """The events are not kept, and nothing of them is. The client may come again."""


Tell = Callable[[Kept | NoRoom], None]


@dataclass(slots=True)
class _Batch:
    """Rows that are kept together, and who wants to know."""

    rows: Rows = field(default_factory=Rows)
    asking: list[Tell] = field(default_factory=list)


@dataclass
class _OpenStore:
    store: Store
    thread: ThreadPoolExecutor


class Batches:
    """The way of all events of a collector; call everything from its event loop."""

    def __init__(self, config: EventsConfig, spool: Spool, tally: Tally) -> None:
        self._config, self._spool, self._tally = config, spool, tally
        self._open: _OpenStore | None = None
        self._waiting: deque[_Batch] = deque()
        self._waiting_bytes = 0
        self._has_work = asyncio.Event()
        self._disk = ThreadPoolExecutor(1, "events-spool")
        self._is_ending = False
        self._task: asyncio.Task[None] | None = None
        self.away_because = "not connected yet"

    @property
    def is_away(self) -> bool:
        """Whether events go to the spool."""
        return self._open is None

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="events-batches")

    async def stop(self) -> None:
        """Keeps what is waiting, then ends. Whoever calls `keep` later is told that there is no room."""
        self._is_ending = True
        self._has_work.set()
        if self._task is not None:
            await self._task
        self._leave_store()
        await self.on_disk(self._spool.close_segment)
        self._disk.shutdown()

    def use(self, store: Store) -> None:
        """From now on batches go to this store, until it fails."""
        self._leave_store()
        self._open = _OpenStore(store, ThreadPoolExecutor(1, "events-store"))
        self.away_because = ""

    async def on_disk(self, act: Callable[[], None]) -> None:
        """Does something with the spool when nothing else is done with it."""
        await asyncio.get_running_loop().run_in_executor(self._disk, act)

    def keep(self, packed: Packed, tell: Tell) -> None:
        """Calls `tell` once it is known where the rows have been kept, or that they have not. Raises NoRoom at once."""
        if self._is_ending:
            raise NoRoom("the collector is stopping")
        if self._waiting_bytes + packed.size_bytes > self._config.max_waiting_bytes:
            raise NoRoom("more is coming in than can be kept")
        batch = self._waiting[-1] if self._waiting else None
        count = packed.raw_count + packed.quarantined_count
        if batch is None or batch.rows.count + count > self._config.max_batch_events:
            batch = _Batch()
            self._waiting.append(batch)
            self._has_work.set()
        batch.rows.add(packed)
        batch.asking.append(tell)
        self._waiting_bytes += packed.size_bytes

    async def _work(self) -> None:
        while True:
            await self._has_work.wait()
            if not self._waiting:
                if self._is_ending:
                    return
                self._has_work.clear()
                continue
            batch = self._waiting.popleft()
            rows = batch.rows
            outcome: Kept | NoRoom
            try:
                outcome = await self._keep_batch(rows)
            except SpoolFull as error:
                outcome = NoRoom(str(error))
            except Exception as error:  # whatever it is, the batches after this one go on
                log.exception("events: a batch of %d events was not kept", rows.count)
                outcome = NoRoom(f"{type(error).__name__} in the collector; its log has more")
            self._waiting_bytes -= rows.size_bytes
            _tell(batch.asking, outcome)

    async def _keep_batch(self, rows: Rows) -> Kept:
        began = monotonic()
        if self._open is not None:
            try:
                await self._copy(self._open, rows)
            except StoreAway as error:
                self._go_away(str(error))
            else:
                self._tally.batch("stored", rows.count, monotonic() - began)
                return "stored"
        # Also when a commit is in doubt: the key of its rows makes a second storing harmless.
        await self.on_disk(lambda: self._spool.append(rows))
        self._tally.batch("spooled", rows.count, monotonic() - began)
        return "spooled"

    async def _copy(self, opened: _OpenStore, rows: Rows) -> None:
        copying = asyncio.get_running_loop().run_in_executor(opened.thread, opened.store.copy, rows)
        try:
            await asyncio.wait_for(copying, self._config.commit_timeout_seconds + _SERVER_SECONDS)
        except TimeoutError as error:
            opened.store.abandon()
            raise StoreAway(f"no answer within {self._config.commit_timeout_seconds} s") from error

    def _go_away(self, why: str) -> None:
        log.warning("events: PostgreSQL takes no events (%s); they go to %s", why, self._spool.folder)
        self._leave_store()
        self.away_because = why

    def _leave_store(self) -> None:
        if self._open is not None:
            opened, self._open = self._open, None
            opened.thread.submit(opened.store.close)  # after what it may still be doing
            opened.thread.shutdown(wait=False)


def _tell(asking: list[Tell], outcome: Kept | NoRoom) -> None:
    for tell in asking:
        try:
            tell(outcome)
        except Exception:  # the events are kept all the same, and the others wait for their answers
            log.exception("events: an answer was not given")
