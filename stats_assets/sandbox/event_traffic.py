"""Sends what the simulated apps have to send to a collector, second by second, for as long as the sandbox runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from stats_assets.sandbox.event_clients import EventRequest, requests_of
from stats_assets.sandbox.world import World

_ANSWER_SECONDS = 10
# What clients had kept while nobody listened: there is something to see at once.
_BACKLOG_MINUTES = 15


class EventTraffic:
    """A thread of its own. A collector that is away costs a second of traffic, not the sandbox."""

    def __init__(self, url: str, world: World, now: Callable[[], datetime]) -> None:
        self._address = urlsplit(url).netloc
        self._world = world
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._send(self._backlog()):
            if self._stopping.wait(1):
                return
        sent_until = self._now()
        while not self._stopping.wait(1):
            now = self._now()
            self._send(due(self._world, sent_until, now))
            sent_until = now

    def _backlog(self) -> Iterator[EventRequest]:
        now = self._now()
        return due(self._world, now - timedelta(minutes=_BACKLOG_MINUTES), now)

    def _send(self, requests: Iterator[EventRequest]) -> bool:
        """False when the collector is away; what it answers is for the collector's own figures to tell."""
        try:
            with closing(HTTPConnection(self._address, timeout=_ANSWER_SECONDS)) as connection:
                for request in requests:
                    if self._stopping.is_set():
                        break
                    connection.request("POST", f"/apps/{request.app_id}/events", request.body, dict(request.headers))
                    connection.getresponse().read()
        except (OSError, HTTPException):
            return False
        return True


def due(world: World, since: datetime, until: datetime) -> Iterator[EventRequest]:
    """The requests from `since` to before `until`."""
    minute = since.replace(second=0, microsecond=0)
    while minute < until:
        for request in requests_of(world, minute):
            if since <= minute + timedelta(seconds=request.second) < until:
                yield request
        minute += timedelta(minutes=1)
