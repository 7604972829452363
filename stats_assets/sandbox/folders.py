"""Keeps the folder hosts filled: some weeks at once, the rest in the background, each new day after midnight.

Folders cannot be filled on request, so a day must be there before anybody looks.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from datetime import date, datetime

from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.log_hosts import HOSTS, days_ahead

FIRST_WEEKS = 5  # made before the server starts: what `./stats up` shows first
_LOOK_SECONDS = 20
_FOLDER_HOSTS = tuple(host for host in HOSTS if host.offered == "folder")


class FolderKeeper:
    """Makes the files of the last `weeks` weeks, newest first. `now` gives aware UTC times."""

    def __init__(self, files: DayFiles, weeks: int, now: Callable[[], datetime]) -> None:
        self._files = files
        self._weeks = weeks
        self._now = now
        self._oldest = date.max
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="folders", daemon=True)

    def start(self) -> None:
        """Returns when the first weeks are there; the rest follows in the background."""
        self._files.make_hosts()
        self._fill(min(self._weeks, FIRST_WEEKS))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def reach_back_to(self, day: date) -> bool:
        """Whether every day from `day` on is there, as far back as folders are kept at all."""
        return self._oldest <= max(day, min(days_ahead(self._now().date(), self._weeks), default=day))

    def _keep(self) -> None:
        _be_polite()
        while not self._stopping.is_set():
            self._fill(self._weeks)
            self._stopping.wait(_LOOK_SECONDS)

    def _fill(self, weeks: int) -> None:
        for day in days_ahead(self._now().date(), weeks):
            if self._stopping.is_set():
                return
            self._files.make_all(_FOLDER_HOSTS, [day])
            self._oldest = min(self._oldest, day)


def _be_polite() -> None:
    """Somebody is waiting for the user interface to start on the same cores. Linux takes a thread's id here."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
