"""One look of the watcher: what is wrong and what is well again, from the event log and from probes, into the outbox.

How often it looks, and what it probes, is decided by who starts it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg

from stats_assets.notifications import outbox, store
from stats_assets.notifications.channels import Send, send
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.notifications.dagster_events import sightings
from stats_assets.notifications.incidents import Failed, Passed, Sighting, Thing
from stats_assets.notifications.message import Links
from stats_assets.notifications.publisher import publish
from stats_assets.notifications.recovery import made_good
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase, try_lock
from stats_assets.shared.runbooks import SILENT, page

WATCHER_LOCK = "notifications.watcher"  # the session that holds it is the one at work

# A number is given to an event before it can be read, so that a lower one may come after a higher; never this late.
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class Probe:
    """A service that has to answer. `complaint` says in one line what is wrong, None when nothing is."""

    name: str
    complaint: Callable[[], str | None]
    page: str = page(SILENT)


@dataclass
class Watcher:
    """Everything a look needs. Time, sleep and sending come in, for tests."""

    config: NotificationsConfig
    database: StatsDatabase
    instance: dg.DagsterInstance
    links: Links
    probes: Sequence[Probe] = ()
    send: Send = send
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = field(default=lambda line: None)

    def look(self, now: datetime) -> None:
        """Sees, writes down and tells. Raises SourceAway when the database is away.

        Does nothing while another watcher is at work.
        """
        with self.database.session() as lock:
            if not try_lock(lock, WATCHER_LOCK):
                self.say("another watcher is at work")
                return
            newest = self._settled_end()
            probed = list(self._probed(now))
            with self.database.transaction() as cursor:
                self._see(cursor, newest, probed, now)
            outbox.empty(self.database, self.config.channels, self.send, now, self.say)
            self._tell_machines(newest, now)

    def _see(self, cursor: store.Cursor, newest: int, probed: Sequence[Sighting], now: datetime) -> None:
        after, _ = store.places(cursor, newest, now)
        found, until = sightings(self.instance, after, newest, now) if newest > after else ([], after)
        store.record(cursor, found, now + timedelta(seconds=self.config.group_seconds))
        store.record(cursor, made_good(self.instance, store.open_incidents(cursor), now), now)
        store.record(cursor, probed, now + timedelta(seconds=self.config.silent_after_seconds))
        outbox.fill(cursor, self.config.channels, self.links, now)
        store.move_to(cursor, until, now)

    def _tell_machines(self, newest: int, now: datetime) -> None:
        try:
            if self.config.bus is not None:
                publish(self.config.bus, self.database, self.instance, newest, now)
        except SourceAway as error:
            self.say(str(error))

    def _probed(self, now: datetime) -> Iterator[Sighting]:
        for probe in self.probes:
            thing = Thing("silence", probe.name)
            complaint = probe.complaint()
            yield Failed(thing, complaint, probe.page, now) if complaint else Passed(thing, now)

    def _settled_end(self) -> int:
        """The newest event below which none will appear any more."""
        newest = self.instance.event_log_storage.get_maximum_record_id() or 0
        self.sleep(_SETTLE_SECONDS)
        return newest
