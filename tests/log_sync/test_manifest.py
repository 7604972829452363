"""What the manifest says beyond the copy: versions, lines and times, who is waived, whose day is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import expected_files
from tests.log_sync.logs import NOT_DATED, line, log, packed
from tests.log_sync.sources import DAY, PATH, SITE, Answer, Folder, HttpSource, config_of, log_bytes
from tests.log_sync.test_sync import COPY, Room, results, room  # noqa: F401 - a fixture

MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
RETIRED = {"host": "web1", "from": "2026-03-01", "reason": "retired on 2026-02-28"}


def test_a_row_tells_the_lines_and_the_span_of_all_of_them(room: Room, folder: Folder):  # noqa: F811
    folder.deliver(packed(log("web1", [100, 40, 200]) + NOT_DATED))
    room.sync(folder.host)
    row = room.row()
    assert (row.lines, row.undatable_lines, row.step_back_seconds) == (4, 1, 60)
    assert row.oldest_line_at == MIDNIGHT + timedelta(seconds=40)
    assert row.newest_line_at == MIDNIGHT + timedelta(seconds=200)


def test_the_day_reports_lines_and_their_span(room: Room, folder: Folder):  # noqa: F811
    folder.deliver(packed(log("web1", [100, 40]) + NOT_DATED))
    metadata = room.sync(folder.host).metadata
    assert (metadata["lines"], metadata["undatable_lines"]) == (3, 1)
    assert metadata["oldest_line"] == (MIDNIGHT + timedelta(seconds=40)).isoformat()


def test_each_other_content_is_a_new_version_and_earlier_ones_are_remembered(room: Room, source: HttpSource):  # noqa: F811
    for number, text in enumerate(["one", "one", "two", "three"]):
        source.answer(Answer(log_bytes(text), etag=f'"{number}"'))
        room.sync(source.host)
        room.sync(source.host)
    assert room.row().version == 3
    assert [(version, sha256 == room.row().sha256) for version, sha256 in versions(room)] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_a_damaged_change_is_no_version(room: Room, source: HttpSource):  # noqa: F811
    source.answer(Answer(log_bytes("one"), etag='"1"'))
    room.sync(source.host)
    source.answer(Answer(log_bytes("two")[:-9], etag='"2"'))
    room.sync(source.host)
    assert (room.row().version, len(versions(room))) == (1, 1)


def test_a_file_that_never_came_has_version_0(room: Room, folder: Folder):  # noqa: F811
    room.sync(folder.host)
    assert (room.row().state, room.row().version, versions(room)) == ("missing", 0, [])


def versions(room: Room) -> list[tuple[int, str]]:  # noqa: F811
    with room.database.transaction() as cursor:
        cursor.execute("SELECT version, sha256 FROM log_sync.file_versions ORDER BY version")
        return cursor.fetchall()


def test_a_waived_file_is_not_asked_for_and_leaves_the_day_complete(room: Room, source: HttpSource):  # noqa: F811
    report = room.sync(source.host, waivers=[RETIRED])
    assert (results(report), report.is_complete, source.requests) == (["waived"], True, [])
    assert (room.row().state, room.row().last_error) == ("waived", "retired on 2026-02-28")


def test_a_waiver_ends_and_the_file_is_asked_for_again(room: Room, folder: Folder):  # noqa: F811
    room.sync(folder.host, waivers=[RETIRED])
    folder.deliver(log_bytes())
    assert results(room.sync(folder.host)) == ["fetched"]


def test_a_copy_we_have_stays_fetched_under_a_waiver(room: Room, folder: Folder):  # noqa: F811
    folder.deliver(log_bytes())
    room.sync(folder.host)
    assert results(room.sync(folder.host, waivers=[RETIRED])) == ["kept"]
    assert room.row().state == "fetched"


@pytest.mark.parametrize(
    ("waiver", "is_waived"),
    [
        ({}, True),
        ({"site": SITE}, True),
        ({"from": "2026-03-09", "to": "2026-03-09"}, True),
        ({"from": "2026-03-10"}, False),
        ({"to": "2026-03-08"}, False),
    ],
)
def test_a_waiver_covers_its_days_both_included(waiver: dict, is_waived: bool):
    host = LogHost(name="web1", url="http://h", path=PATH)
    (file,) = expected_files(config_of(Path("/tmp"), host, waivers=[{**RETIRED, **waiver}]), DAY)
    assert (file.waived is not None) == is_waived


def test_a_former_hosts_file_is_kept_but_no_longer_expected(room: Room, folder: Folder):  # noqa: F811
    folder.deliver(log_bytes())
    room.sync(folder.host)
    assert coverage(room) == [(DAY, "web1", 1, 1, 0, 0, True)]
    room.sync()
    assert coverage(room) == []
    assert room.copy(COPY)


def test_the_coverage_table_tells_what_each_host_owed_and_gave(room: Room, folder: Folder):  # noqa: F811
    folder.deliver(log_bytes())
    hosts = [folder.host, folder.host.model_copy(update={"name": "web2", "path": "x/%Y%m%d{site}.log"})]
    hosts.append(hosts[1].model_copy(update={"name": "web3"}))
    room.sync(*hosts, waivers=[{**RETIRED, "host": "web3"}])
    assert coverage(room) == [
        (DAY, "web1", 1, 1, 0, 0, True),
        (DAY, "web2", 1, 0, 0, 1, False),
        (DAY, "web3", 1, 0, 1, 0, True),
    ]


def coverage(room: Room) -> list[tuple]:  # noqa: F811
    with room.database.transaction() as cursor:
        cursor.execute(
            "SELECT day, host, expected_files, fetched_files, waived_files, lacking_files, is_complete"
            " FROM log_sync.coverage ORDER BY day, host"
        )
        return cursor.fetchall()


def in_zone(folder: Folder, zone: str, path: str = PATH) -> LogHost:
    return folder.host.model_copy(update={"time_zone": zone, "path": path})


def test_a_host_whose_day_is_not_over_is_not_asked_yet(room: Room, folder: Folder):  # noqa: F811
    today = DAY + timedelta(days=1)  # now is 12:00 UTC of it
    folder.deliver(log_bytes(), today)
    report = room.sync(in_zone(folder, "America/Los_Angeles"), day=today)
    assert results(report) == ["missing"]
    assert "its day ends there at 2026-03-11 07:00 UTC" in report.gaps[0]


def test_a_host_east_of_us_is_asked_as_soon_as_its_day_is_over(room: Room, folder: Folder):  # noqa: F811
    today = DAY + timedelta(days=1)
    folder.deliver(log_bytes(), today)
    # Kiritimati is 14 hours ahead: its 10th of March ended at 10:00 UTC.
    assert results(room.sync(in_zone(folder, "Pacific/Kiritimati"), day=today)) == ["fetched"]


def test_names_are_written_with_the_hosts_own_clock(folder: Folder):
    host = in_zone(folder, "Europe/Prague", "access-%Y%m%d%z.log.gz")
    for day, name in ((date(2026, 3, 9), "+0100"), (date(2026, 7, 9), "+0200")):
        (file,) = expected_files(config_of(Path("/tmp"), host), day)
        assert file.source.path == f"access-{day:%Y%m%d}{name}.log.gz"


@pytest.mark.parametrize(("compression", "kept_as"), [("gz", ".log.gz"), ("none", ".log")])
def test_compression_is_taken_from_the_host_where_names_do_not_tell(
    room: Room,  # noqa: F811
    folder: Folder,
    compression: Literal["gz", "none"],
    kept_as: str,
):
    content = line(1, "x")
    (folder.root / f"access.log-{DAY:%Y%m%d}").write_bytes(packed(content) if compression == "gz" else content)
    host = LogHost(name="web1", url=folder.root.as_uri(), path="access.log-%Y%m%d", compression=compression)
    assert results(room.sync(host)) == ["fetched"]
    assert (room.row().archive_name or "").endswith(kept_as)
    assert room.row().content_bytes == len(content)
