"""Which files a day should bring."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stats_assets.log_sync.config import LogHost, LogSyncConfig
from stats_assets.log_sync.expected import expected_files, lanes
from tests.log_sync.sources import DAY, PATH, SITE, config_of


def a_host(name: str = "web1", url: str = "http://h/logs", path: str = PATH, **more: object) -> LogHost:
    return LogHost.model_validate({"name": name, "url": url, "path": path, **more})


def test_a_day_expects_every_site_of_every_host():
    config = LogSyncConfig(sites=["a.org", "b.org"], hosts=[a_host("web1"), a_host("web2")])
    assert [(file.host, file.site) for file in expected_files(config, DAY)] == [
        ("web1", "a.org"),
        ("web1", "b.org"),
        ("web2", "a.org"),
        ("web2", "b.org"),
    ]


def test_the_path_is_filled_with_day_site_and_host(tmp_path: Path):
    (file,) = expected_files(config_of(tmp_path, a_host(path="{host}/%Y/%m/{site}-%d.log.gz")), DAY)
    assert file.source.url == f"http://h/logs/web1/2026/03/{SITE}-09.log.gz"


def test_the_archive_has_one_shape_of_names_and_keeps_the_compression(tmp_path: Path):
    names = [
        file.archive_name
        for path in ("%Y%m%d.xz", "%Y%m%d.log")
        for file in expected_files(config_of(tmp_path, a_host(path=path)), DAY)
    ]
    assert names == [f"log_sync/web1/2026/03/09/{SITE}-access.log.xz", f"log_sync/web1/2026/03/09/{SITE}-access.log"]


def test_a_host_owes_nothing_before_and_after_its_service(tmp_path: Path):
    config = config_of(tmp_path, a_host(since="2026-03-09", until="2026-03-09"))
    assert [len(expected_files(config, date(2026, 3, d))) for d in (8, 9, 10)] == [0, 1, 0]


def test_what_is_shown_of_a_url_has_no_user_and_no_password(tmp_path: Path):
    (file,) = expected_files(config_of(tmp_path, a_host(url="https://me:pw@h:8443/logs")), DAY)
    assert file.source.shown == f"https://h:8443/logs/2026/03/09/{SITE}-access.log.gz"
    assert "pw" not in repr(file)


def test_blanks_in_a_path_are_escaped_for_the_network_only(tmp_path: Path):
    (file,) = expected_files(config_of(tmp_path, a_host(path="web logs/%Y%m%d.log")), DAY)
    assert file.source.path == "web logs/20260309.log"
    assert file.source.url == "http://h/logs/web%20logs/20260309.log"


@pytest.mark.parametrize(("limit", "shape"), [(1, [5, 5]), (2, [3, 2, 3, 2]), (9, [1] * 10)])
def test_a_host_has_as_many_lanes_as_it_bears_connections(limit: int, shape: list[int]):
    hosts = [LogHost(name=name, url="http://h", path=PATH, parallel_downloads=limit) for name in ("web1", "web2")]
    files = expected_files(config_of(Path("/tmp"), *hosts, sites=[f"{n}.example.org" for n in range(5)]), DAY)
    dealt = lanes(files)
    assert [len(lane) for lane in dealt] == shape
    assert all(len({file.host for file in lane}) == 1 for lane in dealt)
    assert sorted(file.key for lane in dealt for file in lane) == sorted(file.key for file in files)
