"""Hosts and an archive for the tests of log_sync."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stats_assets.shared.archive import Archive
from tests.log_sync.servers import RsyncSource, rsync_daemon
from tests.log_sync.sources import Folder, HttpSource, SourceServer


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(url=str(tmp_path / "archive"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A host as an empty folder."""
    root = tmp_path / "web1"
    root.mkdir()
    return Folder(root)


@pytest.fixture
def source() -> Iterator[HttpSource]:
    """A host over HTTP that has nothing yet."""
    source = HttpSource()
    with SourceServer(source) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield source
        server.shutdown()
        thread.join()


@pytest.fixture
def daemon(rsync: Path, tmp_path: Path) -> Iterator[RsyncSource]:
    """A host with an rsync daemon that has nothing yet."""
    with rsync_daemon(rsync, tmp_path / "daemon") as source:
        yield source


@pytest.fixture
def unused_port() -> int:
    """A port on loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
