"""Simulated sites over real HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.server import SandboxServer
from stats_assets.sandbox.sites import Site
from stats_assets.sandbox.world import World


@contextmanager
def served(folder: Path, sites: Mapping[str, Site]) -> Iterator[str]:
    """The URL of a server with these sites below it, until the block ends."""
    server = SandboxServer(0, DayFiles(folder, World()), sites=sites)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
