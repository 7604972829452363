"""A day brought up to date: what is fetched, kept, refused and written down. On real PostgreSQL."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from stats_assets.log_sync import store
from stats_assets.log_sync.config import LogHost, LogSyncConfig
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.log_sync.reports import DayReport
from stats_assets.log_sync.sync import DaySync, day_sync
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from tests.log_sync.sources import DAY, NOW, PATH, SITE, Answer, Folder, HttpSource, config_of, log_bytes

CONTENT, OTHER = log_bytes("one"), log_bytes("two")
COPY = f"log_sync/web1/{DAY:%Y/%m/%d}/{SITE}-access.log.gz"


class Room:
    """The room as tests use it; `sleeps` are the pauses it asked for."""

    def __init__(self, database: StatsDatabase, archive: Archive, folder: Path) -> None:
        self.database, self.archive, self.folder = database, archive, folder
        self.sleeps: list[float] = []

    @contextmanager
    def open(self, config: LogSyncConfig) -> Iterator[DaySync]:
        with day_sync(self.database, self.archive, config, lambda: NOW, self.sleeps.append) as sync:
            yield sync

    def sync(self, *hosts: LogHost, day: date = DAY, **settings: object) -> DayReport:
        with self.open(config_of(self.folder, *hosts, **settings)) as sync:
            return sync.sync(day)

    def row(self, host: str = "web1", day: date = DAY) -> ManifestRow:
        return self.rows()[day, host, SITE]

    def rows(self) -> store.Manifest:
        with self.database.transaction() as cursor:
            return store.rows_of_days(cursor, date.min, date.max)

    def copy(self, name: str = COPY) -> bytes:
        with self.archive.open_read(name) as file:
            return file.read()

    def parts(self) -> list[Path]:
        return list((self.folder / "spool").glob("*"))


@pytest.fixture
def room(database: StatsDatabase, archive: Archive, tmp_path: Path) -> Room:
    return Room(database, archive, tmp_path)


def results(report: DayReport) -> list[str]:
    return [outcome.result for outcome in report.outcomes]


def test_a_delivered_file_is_kept_with_its_sizes_and_checksum(room: Room, folder: Folder):
    folder.deliver(CONTENT)
    assert results(room.sync(folder.host)) == ["fetched"]
    row = room.row()
    assert room.copy() == CONTENT
    assert (row.state, row.file_bytes, row.archive_name, row.fetched_at) == ("fetched", len(CONTENT), COPY, NOW)
    assert row.content_bytes is not None
    assert row.content_bytes > len(CONTENT)
    assert room.parts() == []


def test_a_rerun_asks_once_and_fetches_nothing(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT))
    room.sync(source.host)
    source.requests.clear()
    assert results(room.sync(source.host)) == ["up_to_date"]
    assert [verb for verb, _, _ in source.requests] == ["HEAD"]


def test_a_changed_file_takes_the_place_of_the_copy(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT, etag='"1"'))
    room.sync(source.host)
    source.answer(Answer(OTHER, etag='"2"'))
    assert results(room.sync(source.host)) == ["fetched"]
    assert room.copy() == OTHER


def test_a_truncated_change_leaves_the_copy_and_fails_the_day_saying_so(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT, etag='"1"'))
    room.sync(source.host)
    before = room.row()
    source.answer(Answer(OTHER[:-20], etag='"2"'))
    (gap,) = room.sync(source.host).gaps
    assert "is cut" in gap
    assert "our copy of 2026-03-10 12:00 UTC stands" in gap
    assert room.copy() == CONTENT
    assert (room.row().state, room.row().sha256, room.row().source_version) == ("fetched", before.sha256, 'etag="1"')


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (CONTENT[:-20], "is cut"),
        (b"", "is empty"),
        (b"garbage" * 50, "is not what its name says"),
    ],
)
def test_a_damaged_file_is_told_in_one_line_and_never_reaches_the_archive(
    room: Room, folder: Folder, content: bytes, says: str
):
    folder.deliver(content)
    (gap,) = room.sync(folder.host).gaps
    assert gap.startswith(f"web1: {SITE}-access.log.gz {says}")
    assert "\n" not in gap
    assert not room.archive.exists(COPY)
    assert (room.row().state, room.row().sha256) == ("failed", None)
    assert room.parts() == []


def test_a_missing_file_does_not_take_the_others_with_it(room: Room, folder: Folder, source: HttpSource):
    folder.deliver(CONTENT)
    http = source.host.model_copy(update={"name": "web2"})
    report = room.sync(folder.host, http)
    assert results(report) == ["fetched", "missing"]
    assert report.gaps == [f"web2 has no {SITE}-access.log.gz (404 at {source.url}/2026/03/09/{SITE}-access.log.gz)"]
    assert (room.row("web1").state, room.row("web2").state) == ("fetched", "missing")


def test_a_missing_host_folder_is_told_in_one_line(room: Room, folder: Folder):
    folder.root.rmdir()
    assert room.sync(folder.host).gaps == [f"web1: its folder {folder.root} does not exist or is not mounted"]
    assert room.sleeps == []


def test_a_file_the_host_has_deleted_since_is_no_gap(room: Room, folder: Folder):
    folder.deliver(CONTENT)
    room.sync(folder.host)
    folder.file().unlink()
    report = room.sync(folder.host)
    assert (results(report), report.is_complete) == (["kept"], True)
    assert "no longer at the source" in (room.row().last_error or "")


def test_a_host_that_is_away_is_no_gap_where_we_have_its_file(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT))
    room.sync(source.host)
    source.answer(Answer(status=503))
    assert results(room.sync(source.host)) == ["kept"]
    assert room.copy() == CONTENT


def test_a_copy_that_is_gone_from_the_archive_is_fetched_again(room: Room, folder: Folder, tmp_path: Path):
    folder.deliver(CONTENT)
    room.sync(folder.host)
    (tmp_path / "archive" / COPY).unlink()
    assert results(room.sync(folder.host)) == ["fetched"]
    assert room.copy() == CONTENT


def test_a_copy_that_was_cut_in_the_archive_is_fetched_again(room: Room, folder: Folder, tmp_path: Path):
    folder.deliver(CONTENT)
    room.sync(folder.host)
    (tmp_path / "archive" / COPY).write_bytes(CONTENT[:-1])
    assert results(room.sync(folder.host)) == ["fetched"]
    assert (room.copy(), room.row().version) == (CONTENT, 1)


def test_a_server_in_trouble_is_tried_again_after_a_pause(room: Room, source: HttpSource):
    source.answer(Answer(status=500), Answer(status=500), Answer(CONTENT))
    source.refuses_head = True
    assert results(room.sync(source.host)) == ["fetched"]
    assert len(room.sleeps) >= 2
    assert room.row().attempts == 3


def test_missing_is_an_answer_and_not_tried_again(room: Room, source: HttpSource):
    room.sync(source.host)
    assert source.count("HEAD") == 1
    assert room.sleeps == []


def test_a_broken_transfer_is_resumed_within_the_run(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT, cut_at=100), Answer(CONTENT))
    assert results(room.sync(source.host)) == ["fetched"]
    assert source.requests[-1][2] == "bytes=100-"
    assert room.copy() == CONTENT


def test_a_transfer_that_broke_in_one_run_is_resumed_by_the_next(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT, cut_at=100))
    (gap,) = room.sync(source.host, attempts=1).gaps
    assert f"got 100 of {len(CONTENT)} bytes" in gap
    source.answer(Answer(CONTENT))
    assert results(room.sync(source.host)) == ["fetched"]
    assert source.requests[-1][2] == "bytes=100-"


def test_a_part_that_does_not_fit_is_thrown_away_and_fetched_anew(room: Room, source: HttpSource):
    source.answer(Answer(CONTENT, cut_at=100))
    room.sync(source.host, attempts=1)
    (part,) = room.parts()
    part.write_bytes(b"x" * 100)
    source.answer(Answer(CONTENT))
    assert results(room.sync(source.host)) == ["fetched"]
    assert room.copy() == CONTENT


def test_a_host_that_stays_silent_is_given_up_for_the_run(room: Room, source: HttpSource):
    days = [DAY - timedelta(days=n) for n in range(4)]
    for day in days:
        source.answer(Answer(status=503), day=day)
    with room.open(config_of(room.folder, source.host, attempts=2)) as sync:
        gaps = [gap for day in days for gap in sync.sync(day).gaps]
    assert source.count("HEAD") == 4
    assert "not asked again in this run" in gaps[-1]
    assert len(gaps) == 4


def test_a_host_taken_out_of_the_configuration_owes_nothing_any_more(room: Room, folder: Folder, source: HttpSource):
    folder.deliver(CONTENT)
    room.sync(folder.host, source.host.model_copy(update={"name": "web2"}))
    room.sync(folder.host)
    assert [host for _, host, _ in room.rows()] == ["web1"]


def test_what_a_former_host_delivered_stays(room: Room, folder: Folder):
    folder.deliver(CONTENT)
    room.sync(folder.host)
    room.sync()
    assert room.row().state == "fetched"


def test_any_order_of_days_gives_the_same_manifest(room: Room, folder: Folder):
    days = [DAY - timedelta(days=n) for n in range(3)]
    for day in days:
        folder.deliver(log_bytes(str(day)), day)
    manifests = []
    for order in itertools.permutations(days):
        for day in order:
            room.sync(folder.host, day=day)
        manifests.append(room.rows())
    assert all(manifest == manifests[0] for manifest in manifests)


def test_parts_nobody_resumed_are_forgotten_after_a_week(room: Room, folder: Folder):
    folder.deliver(CONTENT)
    spool = room.folder / "spool"
    spool.mkdir()
    for name, days_old in (("old", 8), ("new", 6)):
        (spool / f"{name}.part").write_bytes(b"x")
        changed = (NOW - timedelta(days=days_old)).timestamp()
        os.utime(spool / f"{name}.part", (changed, changed))
    room.sync(folder.host)
    assert [part.name for part in room.parts()] == ["new.part"]


def test_a_run_killed_between_files_and_rows_leaves_nothing_a_rerun_does_not_mend(
    room: Room, folder: Folder, monkeypatch: pytest.MonkeyPatch
):
    folder.deliver(CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(store, "replace_day", _killed)
        with pytest.raises(KeyboardInterrupt):
            room.sync(folder.host)
    assert room.rows() == {}
    assert results(room.sync(folder.host)) == ["fetched"]
    assert (room.copy(), room.row().state) == (CONTENT, "fetched")


def _killed(*_: object) -> Callable[[], None]:
    raise KeyboardInterrupt


def test_two_hosts_with_the_same_site_keep_their_files_apart(room: Room, folder: Folder, tmp_path: Path):
    other = Folder(tmp_path / "web2", "web2")
    folder.deliver(CONTENT)
    other.deliver(OTHER)
    room.sync(folder.host, LogHost(name="web2", url=other.root.as_uri(), path=PATH))
    assert room.copy() == CONTENT
    assert room.copy(COPY.replace("web1", "web2")) == OTHER
