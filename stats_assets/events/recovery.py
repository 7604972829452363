"""Beside the batches, once a second: PostgreSQL is looked for when it is away, the spool is brought in, table
partitions are made ahead. Nothing here is waited for by a client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2

from stats_assets.events.batches import Batches
from stats_assets.events.metrics import Tally
from stats_assets.events.schema_file import EventSchema
from stats_assets.events.spool import Spool, claimed, put_aside, remove, segment_id
from stats_assets.events.store import Store, StoreAway, ensure_days, replay, see_schema
from stats_assets.shared.failures import OurMistake, SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1
_TROUBLE = (psycopg2.Error, SourceAway, OurMistake, StoreAway)


class Recovery:
    """Keeps `batches` supplied with a store, and the spool empty."""

    def __init__(
        self,
        database: StatsDatabase,
        batches: Batches,
        spool: Spool,
        tally: Tally,
        schema: Callable[[], EventSchema],
        timeout_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._batches, self._spool, self._tally = database, batches, spool, tally
        self._schema, self._timeout_seconds, self._now = schema, timeout_seconds, now
        self._seen_version: str | None = None
        self._made_for: date | None = None
        self._told: str | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.look()
            except _TROUBLE as error:
                self._tell(first_line(error))
            except Exception:  # the look after this one may be luckier
                log.exception("events: looking after the spool and the table partitions failed")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Everything that is to be done now. Raises what PostgreSQL does."""
        if self._batches.is_away:
            store = await asyncio.to_thread(Store, self._database, self._timeout_seconds)
            self._made_for = None
            self._batches.use(store)
        await self._prepare()
        if waiting := await asyncio.to_thread(self._spool.waiting):
            await self._replay(waiting)
        # What was written to when PostgreSQL was away ends now, and is brought in by the next look.
        await self._batches.on_disk(self._spool.close_segment)
        self._told = None

    async def _prepare(self) -> None:
        """Today's and tomorrow's table partitions, and the version of the schema."""
        today = self._now().date()
        if self._made_for != today:
            await asyncio.to_thread(ensure_days, self._database, [today, today + timedelta(days=1)])
            self._made_for = today
        schema = self._schema()
        if self._seen_version != schema.version:
            await asyncio.to_thread(see_schema, self._database, schema)
            self._seen_version = schema.version

    async def _replay(self, waiting: list[Path]) -> None:
        for path in waiting:
            replayed = await asyncio.to_thread(self._replay_segment, path)
            if replayed:
                self._tally.replayed_events += replayed

    def _replay_segment(self, path: Path) -> int:
        """The events that were added. A segment that PostgreSQL will never take is set aside, so that others go on."""
        try:
            with claimed(path) as segment:
                if segment is None:
                    return 0
                found = replay(self._database, segment_id(path), segment.records)
                if segment.damaged_bytes:
                    log.error("events: %s: %d bytes of it are damaged", put_aside(path), segment.damaged_bytes)
                else:
                    remove(path)
        except (ValueError, psycopg2.DataError, psycopg2.IntegrityError) as error:
            log.error("events: %s cannot be brought in: %s", put_aside(path), first_line(error))
            return 0
        log.info("events: %s brought in, %d events, %d of them new", path.name, found.events, found.added)
        return found.added

    def _tell(self, trouble: str) -> None:
        """Once, not every second."""
        if trouble != self._told:
            log.warning("events: PostgreSQL is away: %s", trouble)
            self._told = trouble
            if self._batches.is_away:
                self._batches.away_because = trouble
