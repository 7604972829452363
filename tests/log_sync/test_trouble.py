"""What goes wrong on the way: killed processes, hosts that hang, answer 500 or garble, and disks that are full.

Each leaves a clear state in the manifest and nothing wrong in the archive, and is over with the next run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stats_assets.log_sync.combined_days import replace_combined_day
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.logs import line, log, packed
from tests.log_sync.sources import DAY, Answer, Folder, HttpSource, config_of
from tests.log_sync.test_sync import COPY, Room, results, room  # noqa: F401 - a fixture
from tests.stack import PROJECT, wait_for

SMALL = packed(log("web2", range(100)))
# Some megabytes that do not compress away, each line with a time.
_NOISE = random.Random(5)
LARGE = packed(b"".join(line(n * 2, _NOISE.randbytes(100).hex()) for n in range(30_000)))


class Process:
    """A run of log_sync/files in a process of its own."""

    def __init__(self, room: Room, database_dsn: str) -> None:  # noqa: F811
        self.room, self.dsn = room, database_dsn

    def start(self, config: LogSyncConfig, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.log_sync.run_files", self.dsn, self.room.archive.url, str(DAY), *more]
        process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdin
        process.stdin.write(config.model_dump_json())
        process.stdin.close()
        return process


@pytest.fixture
def process(room: Room, database_dsn: str) -> Process:  # noqa: F811
    return Process(room, database_dsn)


@pytest.fixture
def until_the_end() -> Iterator[threading.Event]:
    """What a hanging server waits for."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.slow
def test_a_run_killed_in_the_middle_of_a_transfer_is_resumed_and_finished_by_the_next(
    room: Room,  # noqa: F811
    process: Process,
    source: HttpSource,
    until_the_end: threading.Event,
):
    half = len(LARGE) // 2
    source.answer(Answer(LARGE, hold_at=half, wait=until_the_end.wait), Answer(LARGE))
    config = config_of(room.folder, source.host)
    running = process.start(config)
    wait_for(lambda: [part for part in room.parts() if part.stat().st_size >= half], seconds=120)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait(60) == -signal.SIGKILL
    assert room.rows() == {}
    assert not room.archive.exists(COPY)

    assert process.start(config).wait(120) == 0
    assert source.requests[-1][2] == f"bytes={half}-"
    assert (room.row().state, room.row().lines) == ("fetched", 30_000)
    assert room.copy() == LARGE
    assert room.parts() == []


def test_a_host_that_falls_silent_costs_its_own_time_only(
    room: Room,  # noqa: F811
    source: HttpSource,
    folder: Folder,
    until_the_end: threading.Event,
):
    source.answer(Answer(LARGE, hold_at=1000, wait=until_the_end.wait))
    folder.deliver(SMALL)
    slow = source.host.model_copy(update={"name": "web0"})
    report = room.sync(slow, folder.host, attempts=1, answer_timeout_seconds=0.3)
    assert results(report) == ["failed", "fetched"]
    assert "was silent for 0.3 s; got 1000 of" in (room.row("web0").last_error or "")
    assert room.row("web1").state == "fetched"


@pytest.mark.parametrize("limit", [1, 3])
def test_a_host_is_asked_for_as_many_files_at_once_as_it_bears(room: Room, source: HttpSource, limit: int):  # noqa: F811
    sites, under_way, most = ["a.org", "b.org", "c.org"], 0, 0
    all_at_once, lock = threading.Barrier(limit), threading.Lock()

    def watched() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        all_at_once.wait(30)
        with lock:
            under_way -= 1

    for site in sites:
        source.answers[f"/{DAY:%Y/%m/%d}/{site}-access.log.gz"] = [Answer(SMALL, wait=watched)]
    host = source.host.model_copy(update={"parallel_downloads": limit})
    assert results(room.sync(host, sites=sites)) == ["fetched"] * 3
    assert most == limit


def test_a_host_that_only_answers_500_is_tried_as_often_as_told_and_then_failed(room: Room, source: HttpSource):  # noqa: F811
    source.answer(Answer(status=500))
    assert results(room.sync(source.host, attempts=4)) == ["failed"]
    assert (room.row().state, room.row().attempts) == ("failed", 4)
    assert "answers 500" in (room.row().last_error or "")
    assert source.count("HEAD") == 4


def test_bytes_garbled_on_the_way_are_found_and_not_published(room: Room, source: HttpSource):  # noqa: F811
    garbled = bytearray(LARGE)
    garbled[len(LARGE) // 2] ^= 0xFF
    source.answer(Answer(bytes(garbled), etag='"1"'))
    assert results(room.sync(source.host, max_file_bytes=1 << 30)) == ["failed"]
    assert "garbled" in (room.row().last_error or "")
    assert not room.archive.exists(COPY)
    source.answer(Answer(LARGE, etag='"2"'))
    assert results(room.sync(source.host)) == ["fetched"]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of that size at `folder`."""
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("missing piece: only root may mount a small disk to fill")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"missing piece: a small disk cannot be mounted here ({mounted.stderr.decode().strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_spool_is_told_as_ours_and_other_files_go_on(
    room: Room,  # noqa: F811
    source: HttpSource,
    folder: Folder,
    tmp_path: Path,
):
    source.answer(Answer(LARGE))
    folder.deliver(SMALL)
    large = source.host.model_copy(update={"name": "web0"})
    with small_disk(tmp_path / "spool", 1):
        assert results(room.sync(large, folder.host)) == ["failed", "fetched"]
        error = room.row("web0").last_error or ""
        assert f"{tmp_path}/spool" in error
        assert "No space left on device); make room there" in error
        assert room.row("web0").attempts == 1
    assert results(room.sync(large, folder.host)) == ["fetched", "up_to_date"]


@pytest.mark.parametrize("kind", ["folder", "http"])
def test_a_full_archive_keeps_what_it_had(room: Room, source: HttpSource, folder: Folder, tmp_path: Path, kind: str):  # noqa: F811
    host = folder.host if kind == "folder" else source.host

    def deliver(content: bytes, tag: str) -> None:
        folder.deliver(content)
        source.answer(Answer(content, etag=tag))

    with small_disk(tmp_path / "archive", 1):
        deliver(SMALL, '"1"')
        assert results(room.sync(host)) == ["fetched"]
        deliver(LARGE, '"2"')
        assert results(room.sync(host)) == ["failed"]
        assert "No space left on device" in (room.row().last_error or "")
        assert room.copy() == SMALL
        assert room.row().version == 1
        assert [path.name for path in (tmp_path / "archive").rglob("*.part")] == []


def test_a_combination_that_finds_no_room_publishes_nothing(
    room: Room,  # noqa: F811
    database: StatsDatabase,
    folder: Folder,
    tmp_path: Path,
):
    folder.deliver(LARGE)
    config = config_of(tmp_path, folder.host)
    with small_disk(tmp_path / "archive", 4):
        assert results(room.sync(folder.host)) == ["fetched"]
        with pytest.raises(OurMistake, match=r"there is no room .*No space left on device"):
            replace_combined_day(database, room.archive, config, DAY, DAY)
        assert not list((tmp_path / "archive" / "combined_logs").rglob("*.*"))


@pytest.mark.slow
def test_a_file_beyond_what_the_system_lets_us_write_fails_alone(
    room: Room,  # noqa: F811
    process: Process,
    source: HttpSource,
    folder: Folder,
):
    source.answer(Answer(LARGE))
    folder.deliver(SMALL)
    config = config_of(room.folder, source.host.model_copy(update={"name": "web0"}), folder.host)
    assert process.start(config, str(1 << 20)).wait(120) == 1
    assert (room.row("web0").state, room.row("web1").state) == ("failed", "fetched")
    assert "File too large" in (room.row("web0").last_error or "")
    assert process.start(config).wait(120) == 0
    assert room.row("web0").state == "fetched"
