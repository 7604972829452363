"""A day over rsync, seen by the manifest: a host killed in the middle, and one that is dead beside one that lives."""

from __future__ import annotations

import random
import threading

import pytest

from tests.log_sync.servers import RsyncSource
from tests.log_sync.sources import DAY, Folder, log_bytes
from tests.log_sync.test_sync import Room, results, room  # noqa: F401 - a fixture
from tests.stack import wait_for

pytestmark = pytest.mark.usefixtures("rsync")
# Some megabytes that do not compress away, as a log of noise.
LARGE = log_bytes(f"noise {random.Random(7).random()}", lines=60_000)


def test_a_host_killed_in_the_middle_is_told_with_what_has_come_and_the_next_run_goes_on(
    room: Room,  # noqa: F811
    daemon: RsyncSource,
):
    daemon.folder.deliver(LARGE)
    killer = threading.Thread(target=kill_when_some_has_come, args=(daemon, room))
    killer.start()
    room.sync(daemon.host(bandwidth_limit_kb_per_second=400), attempts=1, max_file_bytes=100 << 20)
    killer.join()
    (part,) = room.parts()
    have, row = part.stat().st_size, room.row()
    assert (row.state, row.archive_name) == ("failed", None)
    assert f"got {have} of {len(LARGE)} bytes, which are kept" in (row.last_error or "")

    daemon.server.start()
    assert results(room.sync(daemon.host(), max_file_bytes=100 << 20)) == ["fetched"]
    assert room.copy() == LARGE
    assert daemon.sent_bytes()[-1] < len(LARGE) - have // 2
    assert room.parts() == []


def kill_when_some_has_come(daemon: RsyncSource, room: Room) -> None:  # noqa: F811
    wait_for(lambda: any(part.stat().st_size for part in room.parts()), seconds=20)
    daemon.server.kill()


def test_a_dead_host_fails_alone(room: Room, folder: Folder, daemon: RsyncSource):  # noqa: F811
    folder.deliver(log_bytes())
    daemon.server.kill()
    dead = daemon.host(name="web2")
    assert results(room.sync(folder.host, dead)) == ["fetched", "failed"]
    assert "Connection refused" in (room.row("web2", DAY).last_error or "")
