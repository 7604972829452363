"""Database servers that nobody wants any more, as the kill -9 of a restore leaves them: found and removed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from stats_assets.local.private_postgres import IMMEDIATE, live_processes, named_in_lock, own_place, socket_folder

_ENDING_SECONDS = 30


def live_servers(folder: Path) -> list[int]:
    """The servers at work on clusters whose folder this is, wherever `placed` has put them; none without /proc."""
    named = [(data, named_in_lock(data)) for place in _places(folder) for data in place.glob("data-*")]
    return [server for data, server in named if server is not None and server in live_processes(data)]


def remove_servers(folder: Path) -> None:
    """Ends them, without a last write, and removes their files."""
    for server in live_servers(folder):
        os.kill(server, IMMEDIATE)
    deadline = time.monotonic() + _ENDING_SECONDS
    while live_servers(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    for place in _places(folder):
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(socket_folder(place), ignore_errors=True)


def _places(folder: Path) -> tuple[Path, Path]:
    return folder, own_place(folder) / "pg"
