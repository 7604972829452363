"""What the chaos test does to an installation, and a client of its collector that remembers what was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.stack import Home, wait_for

APP, SECRET, TABLE = "com.example.game", "sandbox-secret", "levels"
HERO = "of the chaos"  # by it the rows of this client are found
_DISK_IS_FULL_SECONDS = 12


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full, where we may mount one; else the folder itself."""
    folder.mkdir()
    option = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", folder], capture_output=True)
    try:
        yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing can be written there: a file takes what is left, or, on no disk of its own, nobody may write."""
    if not disk.is_mount():
        modes = {
            folder: folder.stat().st_mode for folder in (disk, *(each for each in disk.rglob("*") if each.is_dir()))
        }
        for folder in modes:
            folder.chmod(0o555)
        yield
        for folder, mode in modes.items():
            folder.chmod(mode)
        return
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    yield
    ballast.unlink()


class Chaos:
    """Kills and fills, in an order and at moments that follow from the seed."""

    def __init__(self, home: Home, archive: Path, seed: int) -> None:
        self.home, self.archive, self.dice = home, archive, random.Random(seed)
        self.told: list[str] = []

    def all(self) -> None:
        """Every service once, run workers twice, the disk once. Raises AssertionError when there is nothing to kill."""
        services = ("webserver", "daemon", "code-server", "collector", "sandbox")
        steps: list[tuple[str, Callable[[], None]]] = [
            (name, lambda name=name: self._service(name)) for name in services
        ]
        steps += [("PostgreSQL", self._postgres), ("a full disk", self._full_disk)]
        steps += [("a run worker", self._run_worker)] * 2
        self.dice.shuffle(steps)
        for name, step in steps:
            time.sleep(self.dice.uniform(2, 14))
            self.told.append(f"{time.strftime('%H:%M:%S')} {name}")
            print("chaos:", self.told[-1], flush=True)
            step()

    def _service(self, name: str) -> None:
        os.kill(self.home.pids()[name], signal.SIGKILL)

    def _postgres(self) -> None:
        os.kill(self.home.postmaster(), signal.SIGKILL)

    def _full_disk(self) -> None:
        with full(self.archive):
            time.sleep(_DISK_IS_FULL_SECONDS)

    def _run_worker(self) -> None:
        wait_for(self._run_workers, seconds=200)
        time.sleep(self.dice.uniform(0, 4))
        wait_for(self._run_workers, seconds=200)
        os.kill(self.dice.choice(sorted(self._run_workers())), signal.SIGKILL)

    def _run_workers(self) -> list[int]:
        """Children of the code server that execute runs."""
        server = self.home.pids()["code-server"]
        return [pid for pid in children(server) if b"spawn_main" in _command(pid)]


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class EventClient:
    """Sends an event every fifth of a second, each again and again until the collector has acknowledged it.

    An event is known by its score. `acknowledged` holds those that a good answer came for.
    """

    def __init__(self, url: str) -> None:
        self.acknowledged: set[int] = set()
        self._url = f"{url}/apps/{APP}/events"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def sending(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ending.set()
            self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._ending.is_set():
            if self._is_taken(number):
                self.acknowledged.add(number)
                number += 1
            self._ending.wait(0.2)

    def _is_taken(self, number: int) -> bool:
        event = {"_t": TABLE, "event_id": f"chaos-{number}", "time": int(time.time()), "level": 1, "won": True}
        body = {"secret_key": SECRET, "events": [{**event, "score": number, "hero": HERO}]}
        try:
            return httpx.post(self._url, json=body, timeout=10, trust_env=False).status_code in (200, 202)
        except httpx.HTTPError:
            return False
