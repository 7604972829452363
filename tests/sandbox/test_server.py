"""The simulated hosts over HTTP, asked by a real client on loopback."""

from __future__ import annotations

import gzip
import lzma
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from stats_assets.sandbox.access_log import day_log
from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.server import SandboxServer
from stats_assets.sandbox.world import World

WORLD = World(seed=7, lines=100)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FILE = "/hosts/proxy03/2025/03/03/mirrors.fedoraproject.org-access.log.xz"
LATE = "/hosts/proxy04/2026/11/21/mirrors.fedoraproject.org-access.log.gz"


@dataclass
class Served:
    """The served folder and a client."""

    folder: Path
    client: httpx.Client
    folders_from: date = date(2026, 11, 1)

    def world_is(self, age_seconds: float) -> None:
        made_at = NOON.timestamp() - age_seconds
        os.utime(self.folder / "world", (made_at, made_at))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path, httpx.Client())
    files = DayFiles(tmp_path, WORLD)
    files.forget_other_worlds()
    server = SandboxServer(
        0,
        files,
        late_seconds=90,
        has_folders_from=lambda day: day >= served.folders_from,
        now=lambda: NOON,
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.client = httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}")
    yield served
    served.client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_any_day_is_made_on_request(served: Served):
    answer = served.get(FILE)
    assert lzma.decompress(answer.content) == day_log(WORLD, "proxy03", date(2025, 3, 3))
    assert answer.headers["Last-Modified"] == "Tue, 04 Mar 2025 00:04:00 GMT"


def test_head_tells_size_and_version_of_what_get_gives(served: Served):
    head, got = served.client.head(FILE), served.get(FILE)
    assert head.content == b""
    assert [head.headers[name] for name in ("ETag", "Content-Length")] == [
        got.headers["ETag"],
        str(len(got.content)),
    ]


def test_a_transfer_can_go_on_in_the_middle(served: Served):
    whole = served.get(FILE)
    rest = served.get(FILE, **{"Range": "bytes=100-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    assert rest.headers["Content-Range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"


def test_a_range_of_another_version_is_answered_with_the_whole(served: Served):
    answer = served.get(FILE, **{"Range": "bytes=100-", "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, served.get(FILE).content)


def test_a_range_behind_the_end_is_refused(served: Served):
    assert served.get(FILE, Range="bytes=99999999-").status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        FILE.replace("proxy03", "proxy09"),
        FILE.replace("proxy03", "proxy01"),
        FILE.replace(".xz", ".gz"),
        FILE.replace("2025/03/03", "2025/02/30"),
        FILE.replace("2025/03/03", "2026/11/22"),
        FILE.replace("2025/03/03", "2026/11/10"),
        FILE + "/../../secret",
        "/",
    ],
    ids=["no such host", "a folder host", "wrong suffix", "no such day", "today", "the missing one", "dots", "root"],
)
def test_what_is_not_there_is_not_found(served: Served, path: str):
    assert served.get(path).status_code == 404


def test_the_late_file_is_at_first_cut_short_and_then_has_another_version(served: Served):
    served.world_is(89)
    early = served.get(LATE)
    served.world_is(90)
    whole = served.get(LATE)
    early_lines, lines = (gzip.decompress(answer.content) for answer in (early, whole))
    assert lines.startswith(early_lines)
    assert len(early_lines) < len(lines)
    assert early.headers["ETag"] != whole.headers["ETag"]


def test_health_is_good_as_soon_as_requests_are_answered(served: Served):
    assert served.get("/health").status_code == 200


def test_health_can_be_asked_how_far_the_folders_reach(served: Served):
    assert served.get("/health?from=2026-11-01").status_code == 200
    assert served.get("/health?from=2026-10-31").status_code == 503
    assert served.get("/health?from=yesterday").status_code == 400
