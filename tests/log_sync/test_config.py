"""stats.yaml, section log_sync: what is refused, and how it is told."""

from __future__ import annotations

import pytest
from fsspec import register_implementation

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
    assert "file:, http:, https:, rsync:, ssh: or a protocol of fsspec" in complaint(url="gopher://x/y")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http:///logs", "names no host"),
        ("http://host:99999/", "ort"),
        ("file:srv/logs", "three slashes"),
        ("file://otherhost/logs", "three slashes"),
        ("https://host/logs?key=1", "before any ?"),
        ("/srv/logs", "is not a URL"),
        ("rsync://host", "names no module"),
        ("rsync://host:99999/logs", "ort"),
        ("ssh://me:s3cret@host/logs", "only used with keys"),
        ("ssh://-oProxyCommand=x/logs", "no name of a user or host"),
        ("ssh://-l@host/logs", "no name of a user or host"),
        ("rsync://host/logs*", "rsync takes it for a pattern"),
        ("simplecache::memory://logs", "is not a URL"),
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


@pytest.mark.parametrize(
    ("url", "option", "says"),
    [
        ("https://h/logs", "bandwidth_limit_kb_per_second: 100", "it is for rsync:, ssh:"),
        ("rsync://h/logs", "bandwidth_limit_kb_per_second: 0", "greater than or equal to 1"),
        ("rsync://h/logs", "ssh_key: /etc/key", "it is for ssh:"),
        ("file:///logs", "ssh_known_hosts: /etc/hosts", "it is for ssh:"),
        ("ssh://h/logs", "ssh_key: key", "ssh_key"),
        ("ssh://h/logs", "ssh_key: '/a -oProxyCommand=x'", "ssh_key"),
        ("ssh://h/logs", "storage_options: {anon: true}", "they are fsspec's"),
    ],
)
def test_an_option_that_does_not_fit_the_url_is_refused(url: str, option: str, says: str):
    text = HOST.format(name="a", url=url, path="%Y%m%d.log") + f"      {option}\n"
    with pytest.raises(ConfigurationMistake) as caught:
        load(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("url", "option"),
    [
        ("rsync://me@h:8730/logs", "bandwidth_limit_kb_per_second: 100"),
        ("ssh://me@[::1]:2222/srv/logs", "ssh_key: /etc/stats/key"),
        ("memory://logs", "storage_options: {skip_instance_cache: true}"),
    ],
)
def test_an_option_that_fits_the_url_is_taken(url: str, option: str):
    text = HOST.format(name="a", url=url, path="%Y%m%d.log") + f"      {option}\n"
    assert load(text).hosts[0].url == url


def test_a_protocol_whose_driver_is_not_installed_names_the_package():
    register_implementation("lacking", "no_such_package.Store", errtxt="Install no_such_package", clobber=True)
    assert "needs a package that is not installed: Install no_such_package" in complaint(url="lacking://bucket")


def test_credentials_of_a_store_are_not_shown():
    text = HOST.format(name="a", url="memory://logs", path="%Y%m%d.log") + "      storage_options: {key: s3cret}\n"
    assert "s3cret" not in repr(load(text))


@pytest.mark.parametrize(
    "lines",
    [
        "url: ssh://me:s3cret@h/logs",
        "url: gopher://me:s3c@ret@h/logs",
        "url: https://me:s3cret@h/logs\n      ssh_key: /a",
    ],
)
def test_a_complaint_about_a_host_shows_no_password(lines: str):
    with pytest.raises(ConfigurationMistake) as caught:
        load(HOST.replace("{name}", "a").replace("url: {url}", lines).replace("{path}", "%Y%m%d.log"))
    assert "s3c" not in str(caught.value)


WAIVER = """\
log_sync:
  hosts:
    - {name: proxy09, url: "file:///a", path: "%Y%m%d.log"}
  waivers:
    - WAIVER
"""


@pytest.mark.parametrize(
    ("waiver", "says"),
    [
        ('{host: proxy90, from: 2024-05-01, reason: "retired"}', "'proxy90', which is not one of log_sync.hosts"),
        ('{host: proxy09, site: x.org, from: 2024-05-01, reason: "retired"}', "'x.org', which is not one of"),
        ("{host: proxy09, from: 2024-05-01}", "reason: is missing"),
        ('{host: proxy09, since: 2024-05-01, reason: "retired"}', "allowed here: from, host, reason, site, to"),
        ('{host: proxy09, from: 2024-05-32, reason: "retired"}', "stats.yaml:5: log_sync.waivers[0].from"),
    ],
)
def test_a_waiver_that_would_waive_nothing_is_refused(waiver: str, says: str):
    with pytest.raises(ConfigurationMistake) as caught:
        load(WAIVER.replace("WAIVER", waiver))
    assert says in str(caught.value)


def test_a_time_zone_nobody_knows_is_refused():
    with pytest.raises(ConfigurationMistake, match="is no time zone"):
        load('log_sync:\n  hosts: [{name: a, url: "file:///a", path: "%Y%m%d.log", time_zone: Mars/Olympus}]\n')


def test_a_name_that_tells_no_compression_is_taken_with_one():
    host = load('log_sync:\n  hosts: [{name: a, url: "file:///a", path: "%Y%m%d", compression: gz}]\n').hosts[0]
    assert host.compression == "gz"
