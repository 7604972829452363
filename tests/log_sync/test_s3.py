"""Logs in an S3 store, and an archive on one: a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import s3fs

from stats_assets.log_sync.combined_days import replace_combined_day
from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present
from stats_assets.log_sync.transports import open_transports
from stats_assets.shared.archive import Archive
from stats_assets.shared.compression import decompressed
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.logs import log, packed
from tests.log_sync.sources import DAY, LIMITS, PATH, SITE, config_of
from tests.log_sync.test_sync import COPY, Room, results
from tests.object_store import object_store

CONTENT = packed(log("web1", range(2000)))
NAME = f"{DAY:%Y/%m/%d}/{SITE}-access.log.gz"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with object_store() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket of the store the environment names, as an operator gives it."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "stats",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"logs-{uuid4().hex[:8]}"
    s3fs.S3FileSystem().mkdir(name)
    return name


@pytest.fixture
def room(database: StatsDatabase, bucket: str, tmp_path: Path) -> Room:
    return Room(database, Archive(f"s3://{bucket}/archive"), tmp_path)


def web1(bucket: str) -> LogHost:
    return LogHost(name="web1", url=f"s3://{bucket}/web1", path=PATH)


def deliver(bucket: str, content: bytes) -> None:
    s3fs.S3FileSystem().pipe_file(f"{bucket}/web1/{NAME}", content)


def stored(bucket: str) -> set[str]:
    """Everything below the archive."""
    fs = s3fs.S3FileSystem()
    fs.invalidate_cache()
    return {name.removeprefix(f"{bucket}/archive/") for name in fs.find(f"{bucket}/archive")}


def test_a_log_comes_from_one_store_and_is_kept_on_another(room: Room, bucket: str):
    deliver(bucket, CONTENT)
    assert results(room.sync(web1(bucket))) == ["fetched"]
    assert room.copy() == CONTENT
    assert stored(bucket) == {COPY}
    assert results(room.sync(web1(bucket))) == ["up_to_date"]


def test_a_rewritten_object_is_a_new_version(room: Room, bucket: str):
    deliver(bucket, CONTENT)
    room.sync(web1(bucket))
    deliver(bucket, packed(log("web1", range(1000))))
    assert results(room.sync(web1(bucket))) == ["fetched"]
    assert (room.row().version, room.row().lines) == (2, 1000)


def test_a_cut_object_does_not_take_the_place_of_a_good_one(room: Room, bucket: str):
    deliver(bucket, CONTENT)
    room.sync(web1(bucket))
    deliver(bucket, CONTENT[:-30])
    assert results(room.sync(web1(bucket))) == ["failed"]
    assert room.copy() == CONTENT


def test_an_object_that_is_not_there_is_missing(room: Room, bucket: str):
    assert results(room.sync(web1(bucket))) == ["missing"]


def test_a_broken_transfer_goes_on_where_it_stopped(bucket: str, tmp_path: Path):
    deliver(bucket, CONTENT)
    part = tmp_path / "x.part"
    part.write_bytes(b"x" * 100)
    file = SourceFile(f"s3://{bucket}/web1", NAME)
    with open_transports(LIMITS) as transports:
        transport = transports.of(file)
        version = transport.probe(file)
        assert isinstance(version, Present)
        transport.fetch(file, version, part)
    assert part.read_bytes() == b"x" * 100 + CONTENT[100:]
    with open_transports(LIMITS) as transports:
        assert isinstance(transports.of(file).probe(SourceFile(f"s3://{bucket}/web1", "x.log.gz")), Absent)


def test_endpoint_and_keys_may_be_a_hosts_own(room: Room, bucket: str, endpoint: str, monkeypatch: pytest.MonkeyPatch):
    deliver(bucket, CONTENT)
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    room.archive = Archive(str(room.folder / "archive"))
    options = {"endpoint_url": endpoint, "key": "stats", "secret": "secret"}
    own = LogHost(name="web1", url=f"s3://{bucket}/web1", path=PATH, storage_options=options)
    assert results(room.sync(own)) == ["fetched"]


def test_a_file_of_the_archive_is_replaced_as_a_whole_or_not_at_all(bucket: str):
    archive = Archive(f"s3://{bucket}/archive")
    with archive.replacing("a/x.csv") as file:
        file.write(b"first")
    with pytest.raises(ZeroDivisionError), archive.replacing("a/x.csv") as file:
        file.write(b"half of the sec")
        raise ZeroDivisionError
    assert read(archive, "a/x.csv") == b"first"
    with archive.replacing("a/x.csv") as file:
        file.write(b"second")
    assert read(archive, "a/x.csv") == b"second"
    assert stored(bucket) == {"a/x.csv"}
    archive.remove("a/x.csv")
    archive.remove("a/x.csv")
    assert (archive.exists("a/x.csv"), stored(bucket)) == (False, set())


def read(archive: Archive, name: str) -> bytes:
    with archive.open_read(name) as file:
        return file.read()


def test_logs_are_combined_on_the_store(room: Room, bucket: str, database: StatsDatabase):
    deliver(bucket, CONTENT)
    room.sync(web1(bucket))
    config = config_of(room.folder, web1(bucket))
    for _ in range(2):
        replace_combined_day(database, room.archive, config, DAY, DAY)
    name = f"combined_logs/{DAY:%Y/%m/%d}/{SITE}-access.log.zst"
    with room.archive.open_read(name) as file:
        assert decompressed(file, name).read() == log("web1", range(2000))
    assert stored(bucket) == {COPY, name}
