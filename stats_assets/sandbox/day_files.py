"""The files of the simulated log hosts on disk: compressed, made once, put in place atomically.

Which lines they hold is `access_log.py`; who may see them when is `log_hosts.py`.
"""

from __future__ import annotations

import lzma
import os
import shutil
import threading
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from isal import igzip

from stats_assets.sandbox.access_log import ROTATION_SECONDS, day_log
from stats_assets.sandbox.log_hosts import HOSTS, LogHost
from stats_assets.sandbox.world import World

_STAMP = "world"


class DayFiles:
    """Files below `<folder>/hosts/<host>/`, for hosts seen as folders and as the cache of those served over HTTP."""

    def __init__(self, folder: Path, world: World) -> None:
        self.world = world
        self._hosts = folder / "hosts"
        self._stamp = folder / _STAMP
        self._making = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}

    def forget_other_worlds(self) -> None:
        """Removes what an earlier start made with another seed or size."""
        identity = self.world.identity()
        if self._stamp.exists() and self._stamp.read_text() == identity:
            return
        shutil.rmtree(self._hosts, ignore_errors=True)
        self._hosts.mkdir(parents=True, exist_ok=True)
        self._stamp.write_text(identity)

    def make_hosts(self) -> None:
        """The folders themselves, so that an empty host is not mistaken for one that is gone."""
        for host in HOSTS:
            (self._hosts / host.name).mkdir(parents=True, exist_ok=True)

    def path(self, host: LogHost, day: date) -> Path:
        return self._hosts / host.name / host.file_name(day)

    def version(self, host: LogHost, day: date) -> str:
        """Equal for equal content, quoted as an HTTP entity tag."""
        return f'"{self.world.identity(host.name, host.suffix, day)}"'

    def made(self, host: LogHost, day: date) -> Path:
        """The day's file, made now if it is not there yet. Its time stamp is that of the log rotation."""
        path = self.path(host, day)
        if not path.exists():
            with self._lock_of(path):
                if not path.exists():
                    _put(path, compressed(day_log(self.world, host.name, day), host.suffix), rotated_at(day))
        return path

    def first_part(self, host: LogHost, day: date) -> bytes:
        """What a host has that delivered too early: the lines of the day's first three quarters, compressed."""
        lines = day_log(self.world, host.name, day).splitlines(keepends=True)
        return compressed(b"".join(lines[: len(lines) * 3 // 4]), host.suffix)

    def age_seconds(self, now: datetime) -> float:
        """For how long there has been this world, restarts included."""
        return now.timestamp() - self._stamp.stat().st_mtime

    def make_all(self, hosts: Iterable[LogHost], days: Iterable[date]) -> None:
        hosts = tuple(hosts)
        for day in days:
            for host in hosts:
                self.made(host, day)

    def _lock_of(self, path: Path) -> threading.Lock:
        """One lock per file: two requests for it make it once, requests for others go on."""
        with self._making:
            return self._locks.setdefault(path, threading.Lock())


def compressed(content: bytes, suffix: str) -> bytes:
    """The fastest settings: the sandbox makes a year of files while somebody waits."""
    if suffix == ".gz":
        return igzip.compress(content, compresslevel=1, mtime=0)  # a time stamp would make each copy another file
    return lzma.compress(content, preset=0)


def rotated_at(day: date) -> datetime:
    """When the file of `day` was closed, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) + timedelta(seconds=ROTATION_SECONDS)


def _put(path: Path, content: bytes, modified_at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(content)
    os.utime(part, (modified_at.timestamp(), modified_at.timestamp()))
    part.replace(path)
