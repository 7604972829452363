"""Files of the simulated hosts on disk."""

from __future__ import annotations

import gzip
import lzma
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from stats_assets.sandbox.access_log import day_log
from stats_assets.sandbox.day_files import DayFiles, compressed
from stats_assets.sandbox.folders import FolderKeeper
from stats_assets.sandbox.log_hosts import HOSTS
from stats_assets.sandbox.world import World

WORLD = World(seed=7, lines=100)
DAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> DayFiles:
    return DayFiles(tmp_path, WORLD)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_file_holds_the_hosts_lines_in_its_compression(files: DayFiles, host):
    packed = files.made(host, DAY).read_bytes()
    unpack = gzip.decompress if host.suffix == ".gz" else lzma.decompress
    assert unpack(packed) == day_log(WORLD, host.name, DAY)


def test_a_compressed_file_tells_nothing_of_when_it_was_made():
    # Bytes 4 to 7 of a gzip file are a time stamp; an hour later the same lines must be the same file.
    assert compressed(b"line\n", ".gz")[4:8] == bytes(4)


def test_a_file_carries_the_time_of_its_rotation(files: DayFiles):
    modified = files.made(HOSTS[0], DAY).stat().st_mtime
    assert datetime.fromtimestamp(modified, UTC) == datetime(2026, 11, 17, 0, 4, tzinfo=UTC)


def test_a_file_is_made_once_however_many_ask_at_the_same_time(files: DayFiles):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: files.made(HOSTS[0], DAY).stat().st_ino, range(8)))
    assert len(set(made)) == 1
    assert [path.name for path in files.path(HOSTS[0], DAY).parent.iterdir()] == [files.path(HOSTS[0], DAY).name]


def test_the_same_file_made_elsewhere_is_equal_to_the_byte(files: DayFiles, tmp_path: Path):
    elsewhere = DayFiles(tmp_path / "elsewhere", WORLD)
    assert [files.made(host, DAY).read_bytes() for host in HOSTS] == [
        elsewhere.made(host, DAY).read_bytes() for host in HOSTS
    ]


def test_files_of_another_world_are_made_anew(files: DayFiles, tmp_path: Path):
    files.forget_other_worlds()
    path = files.made(HOSTS[0], DAY)
    DayFiles(tmp_path, World(seed=8, lines=100)).forget_other_worlds()
    assert not path.exists()


def test_files_of_the_same_world_are_kept_from_start_to_start(files: DayFiles, tmp_path: Path):
    files.forget_other_worlds()
    path = files.made(HOSTS[0], DAY)
    DayFiles(tmp_path, WORLD).forget_other_worlds()
    assert path.exists()


def test_versions_tell_hosts_days_and_worlds_apart(tmp_path: Path):
    worlds = [DayFiles(tmp_path, World(seed, lines)) for seed in (1, 2) for lines in (50, 60)]
    versions = {files.version(host, DAY + timedelta(days=n)) for files in worlds for host in HOSTS for n in range(3)}
    assert len(versions) == 4 * 4 * 3


def test_folders_are_there_for_the_first_weeks_when_start_returns(files: DayFiles):
    keeper = FolderKeeper(files, weeks=2, now=lambda: NOON)
    keeper.start()
    keeper.stop()
    folders = [host for host in HOSTS if host.offered == "folder"]
    assert all(files.path(host, NOON.date() - timedelta(days=n)).exists() for host in folders for n in range(1, 15))
    assert keeper.reach_back_to(NOON.date() - timedelta(days=14))


def test_hosts_over_http_have_no_files_before_they_are_asked(files: DayFiles):
    keeper = FolderKeeper(files, weeks=1, now=lambda: NOON)
    keeper.start()
    keeper.stop()
    assert not [host.name for host in HOSTS if host.offered == "http" and files.path(host, DAY).exists()]


def test_folders_do_not_yet_reach_back_before_they_are_filled(files: DayFiles):
    keeper = FolderKeeper(files, weeks=2, now=lambda: NOON)
    assert not keeper.reach_back_to(NOON.date() - timedelta(days=1))
