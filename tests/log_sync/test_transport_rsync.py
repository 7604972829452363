"""The rsync daemon as a source: versions, what is missing, what is away, and going on after a break."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import SourceFile, expected_files
from stats_assets.log_sync.plan import Absent, Present
from stats_assets.log_sync.transports import Transport, open_transports
from stats_assets.log_sync.transports.limits import SourceRefused
from stats_assets.log_sync.transports.rsync import RsyncTransport
from stats_assets.shared.failures import SourceAway
from tests.log_sync.servers import RsyncSource
from tests.log_sync.sources import DAY, LIMITS, SITE, config_of, log_bytes
from tests.stack import wait_for

NAME = f"{DAY:%Y/%m/%d}/{SITE}-access.log.gz"
CONTENT = log_bytes()
LARGE = random.Random(7).randbytes(3 << 20)  # against rsync's buffers; of noise, so that what is sent twice is seen
ROOMY = replace(LIMITS, max_file_bytes=10 << 20)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.fixture
def transport() -> Iterator[Transport]:
    with open_transports(ROOMY) as transports:
        yield transports.by_scheme["rsync"]


def file_of(host: LogHost) -> SourceFile:
    (file,) = expected_files(config_of(Path("/unused"), host), DAY)
    return file.source


def version_of(transport: Transport, file: SourceFile) -> Present:
    probe = transport.probe(file)
    assert isinstance(probe, Present)
    return probe


def fetch(transport: Transport, file: SourceFile, part: Path) -> None:
    transport.fetch(file, version_of(transport, file), part)


def kill_when_some_has_come(daemon: RsyncSource, part: Path) -> None:
    wait_for(lambda: part.exists() and part.stat().st_size, seconds=20)
    daemon.server.kill()


def processes_naming(part: Path) -> list[Path]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(part).encode() in entry.read_bytes():
                found.append(entry)
        except OSError:
            continue  # it has just ended
    return found


def test_a_file_is_fetched_as_it_is_stored(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(CONTENT)
    fetch(transport, file_of(daemon.host()), part)
    assert part.read_bytes() == CONTENT


def test_a_version_is_the_size_and_the_second_of_the_last_change_in_utc(daemon: RsyncSource, transport: Transport):
    daemon.folder.deliver(CONTENT)
    os.utime(daemon.folder.file(), (1_773_018_123, 1_773_018_123))
    told = transport.probe(file_of(daemon.host()))
    assert told == Present(f"modified=2026/03/09-01:02:03 bytes={len(CONTENT)}", len(CONTENT))


def test_asking_brings_nothing(daemon: RsyncSource, transport: Transport):
    daemon.folder.deliver(CONTENT)
    transport.probe(file_of(daemon.host()))
    assert daemon.sent_bytes() == []


def test_a_file_that_is_not_there_is_missing_and_names_the_place(daemon: RsyncSource, transport: Transport):
    daemon.folder.deliver(CONTENT)
    daemon.folder.file().rename(daemon.folder.file().with_name("other.log.gz"))
    assert transport.probe(file_of(daemon.host())) == Absent(f"no such file: {daemon.url}/{NAME}")


def test_a_day_whose_folder_is_not_there_is_missing(daemon: RsyncSource, transport: Transport):
    assert transport.probe(file_of(daemon.host())) == Absent(f"no such file: {daemon.url}/{NAME}")


def test_a_folder_is_no_file(daemon: RsyncSource, transport: Transport):
    daemon.folder.file().mkdir(parents=True)
    with pytest.raises(SourceRefused, match="is no file"):
        transport.probe(file_of(daemon.host()))


def test_a_wrong_module_is_no_missing_file(daemon: RsyncSource, transport: Transport):
    with pytest.raises(SourceRefused, match="Unknown module 'lost'"):
        transport.probe(file_of(daemon.host(url=f"rsync://127.0.0.1:{daemon.port}/lost")))


def test_nobody_listening_is_away(transport: Transport, rsync: Path, unused_port: int):
    with pytest.raises(SourceAway, match="Connection refused"):
        transport.probe(SourceFile(f"rsync://127.0.0.1:{unused_port}/logs", NAME))


def test_a_host_that_takes_calls_but_says_nothing_is_away(rsync: Path, part: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = SourceFile(f"rsync://127.0.0.1:{silent.getsockname()[1]}/logs", NAME)
        with pytest.raises(SourceAway, match="io timeout after 1 seconds"):
            RsyncTransport(replace(LIMITS, answer_seconds=1)).probe(file)


def test_the_password_opens_a_module(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(CONTENT)
    fetch(transport, file_of(daemon.host(url=f"rsync://me:s3cret@127.0.0.1:{daemon.port}/secret")), part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("user", ["", "me@", "me:s3cret-not@"])
def test_without_the_right_password_it_is_refused_and_nobody_is_asked(
    daemon: RsyncSource, transport: Transport, user: str
):
    with pytest.raises(SourceRefused, match="auth failed on module secret") as caught:
        transport.probe(file_of(daemon.host(url=f"rsync://{user}127.0.0.1:{daemon.port}/secret")))
    assert "s3cret" not in str(caught.value)


def test_a_password_is_not_on_the_command_line(tmp_path: Path):
    recorder, record = tmp_path / "rsync", tmp_path / "record"
    recorder.write_text(f'#!/bin/sh\necho "$@" > {record}\necho "$RSYNC_PASSWORD" >> {record}\nexit 10\n')
    recorder.chmod(0o755)
    with pytest.raises(SourceAway):
        RsyncTransport(LIMITS, str(recorder)).probe(SourceFile("rsync://me:s3%2Fcret@127.0.0.1/logs", NAME))
    arguments, password = record.read_text().splitlines()
    assert "cret" not in arguments
    assert f"rsync://me@127.0.0.1/logs/{NAME}" in arguments
    assert password == "s3/cret"


def test_without_the_program_it_says_what_to_install():
    with pytest.raises(SourceRefused, match="rsync is not installed on this machine: apt-get install rsync"):
        RsyncTransport(LIMITS, "/nowhere/rsync").probe(SourceFile("rsync://127.0.0.1/logs", NAME))


def test_a_transfer_whose_host_dies_goes_on_where_it_stopped(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(LARGE)
    slow, fast = (file_of(daemon.host(**options)) for options in ({"bandwidth_limit_kb_per_second": 400}, {}))
    version = version_of(transport, fast)
    killer = threading.Thread(target=kill_when_some_has_come, args=(daemon, part))
    killer.start()
    with pytest.raises(SourceAway):
        transport.fetch(slow, version, part)
    killer.join()
    have = part.stat().st_size
    assert 0 < have < len(LARGE)
    daemon.server.start()
    transport.fetch(fast, version, part)
    assert part.read_bytes() == LARGE
    assert daemon.sent_bytes()[-1] < len(LARGE) - have // 2


def test_a_try_that_takes_too_long_is_ended_with_all_its_processes_and_the_next_completes_it(
    daemon: RsyncSource, transport: Transport, part: Path
):
    daemon.folder.deliver(LARGE)
    slow = file_of(daemon.host(bandwidth_limit_kb_per_second=10))
    with pytest.raises(SourceAway, match=r"rsync was not done within 0.5 s and was ended"):
        RsyncTransport(replace(ROOMY, try_seconds=0.5)).fetch(slow, version_of(transport, slow), part)
    wait_for(lambda: not processes_naming(part), seconds=10)
    fetch(transport, file_of(daemon.host()), part)
    assert part.read_bytes() == LARGE


def test_what_was_garbled_in_a_broken_transfer_is_mended(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(LARGE)
    part.write_bytes(b"garbage" + LARGE[7 : 1 << 20])
    fetch(transport, file_of(daemon.host()), part)
    assert part.read_bytes() == LARGE


def test_a_file_that_was_cut_at_the_host_is_another_version(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(CONTENT)
    version = version_of(transport, file_of(daemon.host()))
    daemon.folder.deliver(CONTENT[:50])
    with pytest.raises(SourceAway, match="still being written"):
        transport.fetch(file_of(daemon.host()), version, part)
    assert not part.exists()


def test_a_file_that_has_gone_since_it_was_asked_for_is_away(daemon: RsyncSource, transport: Transport, part: Path):
    daemon.folder.deliver(CONTENT)
    version = version_of(transport, file_of(daemon.host()))
    daemon.folder.file().unlink()
    with pytest.raises(SourceAway, match="No such file"):
        transport.fetch(file_of(daemon.host()), version, part)


def test_a_file_above_the_limit_is_refused_before_it_is_fetched(daemon: RsyncSource, part: Path):
    daemon.folder.deliver(CONTENT)
    with pytest.raises(SourceRefused, match="max_file_bytes"):
        fetch(RsyncTransport(replace(LIMITS, max_file_bytes=50)), file_of(daemon.host()), part)
    assert not part.exists()
