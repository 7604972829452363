"""rsync over ssh, with a real sshd: keys, paths no shell may touch, and troubles of ssh's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import SourceFile, expected_files
from stats_assets.log_sync.plan import Absent, Present
from stats_assets.log_sync.transports import Transport, open_transports
from stats_assets.log_sync.transports.limits import SourceRefused
from stats_assets.shared.failures import SourceAway
from tests.log_sync.servers import SshSource, ssh_server
from tests.log_sync.sources import DAY, LIMITS, PATH, config_of, log_bytes

CONTENT = log_bytes()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.fixture(scope="module")
def server(rsync: Path, sshd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshSource]:
    with ssh_server(sshd, tmp_path_factory.mktemp("sshd")) as source:
        yield source


@pytest.fixture
def transport() -> Iterator[Transport]:
    with open_transports(LIMITS) as transports:
        yield transports.by_scheme["ssh"]


def file_of(host: LogHost) -> SourceFile:
    (file,) = expected_files(config_of(Path("/unused"), host), DAY)
    return file.source


def fetch(transport: Transport, file: SourceFile, part: Path) -> None:
    probe = transport.probe(file)
    assert isinstance(probe, Present)
    transport.fetch(file, probe, part)


def test_a_file_is_fetched_as_it_is_stored(server: SshSource, transport: Transport, part: Path):
    server.folder.deliver(CONTENT)
    fetch(transport, file_of(server.host()), part)
    assert part.read_bytes() == CONTENT


def test_a_broken_transfer_is_completed(server: SshSource, transport: Transport, part: Path):
    server.folder.deliver(CONTENT)
    part.write_bytes(CONTENT[:1000])
    fetch(transport, file_of(server.host()), part)
    assert part.read_bytes() == CONTENT


def test_a_link_is_followed(server: SshSource, transport: Transport, part: Path):
    server.folder.deliver(CONTENT)
    (server.folder.root / "link.gz").unlink(missing_ok=True)
    (server.folder.root / "link.gz").symlink_to(server.folder.file())
    fetch(transport, SourceFile(server.host().url, "link.gz", server.host()), part)
    assert part.read_bytes() == CONTENT


def test_no_shell_reads_the_path(server: SshSource, transport: Transport, part: Path):
    name = 'it\'s $(touch hacked) a `day`; "x" & y.gz'
    (server.folder.root / name).write_bytes(CONTENT)
    fetch(transport, SourceFile(server.host().url, name, server.host()), part)
    assert part.read_bytes() == CONTENT
    assert not (Path.home() / "hacked").exists()


def test_a_file_that_is_not_there_is_missing(server: SshSource, transport: Transport):
    file = file_of(server.host(path="none/" + PATH))
    assert transport.probe(file) == Absent(f"no such file: {file.shown}")


def test_a_key_the_host_does_not_know_is_no_reason_to_try_again(server: SshSource, transport: Transport):
    with pytest.raises(SourceRefused, match=r"Permission denied \(publickey\).*; check user, ssh_key"):
        transport.probe(file_of(server.host(ssh_key=str(server.place / "stranger"))))


def test_a_host_that_is_not_known_to_us_is_not_trusted(server: SshSource, transport: Transport, tmp_path: Path):
    nobody_known = tmp_path / "known_hosts"
    nobody_known.touch()
    with pytest.raises(SourceRefused, match="Host key verification failed"):
        transport.probe(file_of(server.host(ssh_known_hosts=str(nobody_known))))


def test_nobody_listening_is_away(server: SshSource, transport: Transport, unused_port: int):
    with pytest.raises(SourceAway, match="Connection refused"):
        transport.probe(file_of(server.host(url=f"ssh://me@127.0.0.1:{unused_port}/logs")))
