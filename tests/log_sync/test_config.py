"""stats.yaml, section log_sync: what is refused, and how it is told."""

from __future__ import annotations

import pytest

from stats_assets.configuration import StatsConfig
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.config import parse_config
from stats_assets.shared.failures import ConfigurationMistake

HOST = """\
log_sync:
  hosts:
    - name: {name}
      url: {url}
      path: "{path}"
"""
GOOD = {"name": "proxy01", "url": "file:///srv/logs", "path": "%Y/%m/%d/{site}-access.log.xz"}


def load(text: str, **environ: str) -> LogSyncConfig:
    return parse_config(text, StatsConfig, environ, source="stats.yaml").log_sync


def complaint(**changed: str) -> str:
    values = GOOD | changed
    text = HOST.replace("{name}", values["name"]).replace("{url}", values["url"]).replace("{path}", values["path"])
    with pytest.raises(ConfigurationMistake) as caught:
        load(text)
    return str(caught.value)


def test_an_unknown_kind_of_url_is_refused_with_its_line_and_the_known_kinds():
    assert complaint(url="gopher://x/y").startswith("stats.yaml:4: log_sync.hosts[0].url: is not a URL we can fetch")
    assert "file:, http:, https:" in complaint(url="gopher://x/y")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http:///logs", "names no host"),
        ("http://host:99999/", "ort"),
        ("file:srv/logs", "three slashes"),
        ("file://otherhost/logs", "three slashes"),
        ("https://host/logs?key=1", "before any ?"),
        ("/srv/logs", "is not a URL"),
    ],
)
def test_a_bad_url_is_told_in_one_line(url: str, says: str):
    told = complaint(url=url)
    assert says in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("access.log.xz", "same for different days"),
        ("%d/{site}.log.gz", "same for different days"),
        ("%Y-%m-%d.log.bz2", "no compression we read"),
        ("/%Y/%m/%d.log", "stay below"),
        ("../%Y%m%d.log", "stay below"),
        ("%Y%m%d/{hots}.log", "{hots}"),
        ("%Y%m%d/{site.log", "path"),
    ],
)
def test_a_path_that_cannot_work_is_refused_when_it_is_loaded(path: str, says: str):
    assert says in complaint(path=path)


def test_a_day_of_the_year_tells_days_apart_as_well():
    text = HOST.format(name="a", url="file:///x", path="%Y-%j.log")
    assert load(text).hosts[0].path == "%Y-%j.log"


def test_two_hosts_of_one_name_are_refused():
    two = """\
log_sync:
  hosts:
    - {name: proxy09, url: "file:///a", path: "%Y%m%d.log"}
    - {name: proxy09, url: "file:///b", path: "%Y%m%d.log"}
"""
    with pytest.raises(ConfigurationMistake, match=r"stats.yaml:2: .*proxy09 is given twice"):
        load(two)


def test_an_unknown_key_names_the_keys_that_are_allowed():
    with pytest.raises(ConfigurationMistake, match=r"stats.yaml:2: log_sync.host: unknown key.*hosts"):
        load("log_sync:\n  host: []\n")


def test_a_bad_date_is_refused():
    with pytest.raises(ConfigurationMistake, match=r"stats.yaml:2: log_sync.first_day"):
        load("log_sync:\n  first_day: 2026-02-30\n")


def test_several_sites_need_the_site_in_every_path():
    text = "log_sync:\n  sites: [mirrors.fedoraproject.org, b.org]\n" + HOST.format(
        name="a", url="file:///x", path="%Y%m%d.log"
    ).replace("log_sync:\n", "")
    with pytest.raises(ConfigurationMistake, match=r"must hold \{site\}"):
        load(text)


def test_a_password_comes_from_the_environment_and_is_not_shown():
    text = HOST.replace("{name}", "a").replace("{url}", "https://u:${PASSWORD}@h/logs").replace("{path}", "%Y%m%d.log")
    config = load(text, PASSWORD="s3cret")
    assert config.hosts[0].url == "https://u:s3cret@h/logs"
    assert "s3cret" not in repr(config)
