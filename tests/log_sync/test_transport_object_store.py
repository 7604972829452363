"""Object stores by fsspec, with its store in memory: versions, what is missing, limits, going on after a break."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from stats_assets.log_sync.config import HostOptions
from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present
from stats_assets.log_sync.transports import open_transports
from stats_assets.log_sync.transports.limits import SourceRefused
from stats_assets.log_sync.transports.object_store import ObjectStoreTransport, version_in
from stats_assets.shared.failures import SourceAway
from tests.log_sync.sources import LIMITS, log_bytes

CONTENT = log_bytes()
FILE = SourceFile("memory://logs/web1", "2026/03/09.log.gz")
PATH = "/logs/web1/2026/03/09.log.gz"


@pytest.fixture
def store() -> Iterator[MemoryFileSystem]:
    store = MemoryFileSystem()
    store.pipe(PATH, CONTENT)
    yield store
    store.rm("/logs", recursive=True)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.fixture
def transport() -> ObjectStoreTransport:
    return ObjectStoreTransport(LIMITS)


def version_of(transport: ObjectStoreTransport) -> Present:
    probe = transport.probe(FILE)
    assert isinstance(probe, Present)
    return probe


def test_a_url_of_any_protocol_of_fsspec_is_fetched(store: MemoryFileSystem, part: Path):
    with open_transports(LIMITS) as transports:
        transport = transports.of(FILE)
        probe = transport.probe(FILE)
        assert isinstance(probe, Present)
        transport.fetch(FILE, probe, part)
    assert part.read_bytes() == CONTENT


def test_only_what_is_not_there_yet_is_read(store: MemoryFileSystem, transport: ObjectStoreTransport, part: Path):
    part.write_bytes(b"x" * 40)
    transport.fetch(FILE, version_of(transport), part)
    assert part.read_bytes() == b"x" * 40 + CONTENT[40:]


def test_a_file_that_is_not_there_is_missing(store: MemoryFileSystem, transport: ObjectStoreTransport):
    missing = replace(FILE, path="2026/03/10.log.gz")
    assert transport.probe(missing) == Absent("no such file: memory://logs/web1/2026/03/10.log.gz")


def test_a_file_that_changed_since_it_was_asked_for_is_not_kept(
    store: MemoryFileSystem, transport: ObjectStoreTransport, part: Path
):
    version = version_of(transport)
    store.pipe(PATH, log_bytes("other"))
    with pytest.raises(SourceAway, match="changed while it was copied"):
        transport.fetch(FILE, version, part)
    assert not part.exists()


def test_a_file_that_has_gone_since_it_was_asked_for_is_away(
    store: MemoryFileSystem, transport: ObjectStoreTransport, part: Path
):
    version = version_of(transport)
    store.rm(PATH)
    store.pipe("/logs/other", b"x")
    with pytest.raises(SourceAway, match="has just gone"):
        transport.fetch(FILE, version, part)


def test_a_file_above_the_limit_is_refused_before_it_is_fetched(store: MemoryFileSystem, part: Path):
    strict = ObjectStoreTransport(replace(LIMITS, max_file_bytes=50))
    with pytest.raises(SourceRefused, match="max_file_bytes"):
        strict.fetch(FILE, version_of(strict), part)
    assert not part.exists()


def test_a_transfer_that_drags_on_is_broken_off_and_kept(store: MemoryFileSystem, part: Path):
    dragging = ObjectStoreTransport(replace(LIMITS, seconds=itertools.count(0, 100).__next__))
    with pytest.raises(SourceAway, match="try_timeout_seconds"):
        dragging.fetch(FILE, version_of(dragging), part)
    assert part.stat().st_size > 0


def test_an_entity_tag_is_the_version_where_there_is_one():
    info = {"size": 7, "ETag": '"abc"', "LastModified": datetime(2026, 3, 9, tzinfo=UTC)}
    assert version_in(info) == Present('etag="abc" bytes=7', 7)


def test_the_time_of_the_last_access_is_no_part_of_the_version():
    read_now, read_before = ({"size": 7, "mtime": 5, "time": time} for time in (9, 8))
    assert version_in(read_now) == version_in(read_before) == Present("modified=5 bytes=7", 7)


class TroubledStore(MemoryFileSystem):
    """A store whose every answer is the error it was made with."""

    protocol = "troubled"
    cachable = False

    def __init__(self, trouble: Exception) -> None:
        super().__init__()
        self.trouble = trouble

    def info(self, path: str, **_: object) -> dict[str, object]:
        raise self.trouble


@pytest.mark.parametrize(
    ("trouble", "kind", "says"),
    [
        (PermissionError("Access Denied"), SourceRefused, "Access Denied.*check credentials and storage_options"),
        (ConnectionError("reset by peer"), SourceAway, "ConnectionError: reset by peer"),
    ],
)
def test_a_store_that_will_not_is_told_from_one_that_cannot(
    transport: ObjectStoreTransport, trouble: Exception, kind: type[Exception], says: str
):
    register_implementation("troubled", TroubledStore, clobber=True)
    options = HostOptions(storage_options={"trouble": trouble})
    with pytest.raises(kind, match=says):
        transport.probe(SourceFile("troubled://logs", "x.gz", options))


def test_a_driver_that_lacks_an_option_is_a_mistake_of_ours(transport: ObjectStoreTransport):
    register_implementation("troubled", TroubledStore, clobber=True)
    with pytest.raises(SourceRefused, match="missing 1 required positional argument: 'trouble'"):
        transport.probe(SourceFile("troubled://logs", "x.gz"))
