"""Configuration: what a person reads when stats.yaml is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stats_assets.configuration import StatsConfig
from stats_assets.shared.config import parse_config, read_config
from stats_assets.shared.failures import ConfigurationMistake

GOOD = """\
archive: /srv/archive
log_sync:
  sites: [mirrors.example.org]
  hosts:
    - name: proxy01
      url: file:///srv/logs/proxy01
      path: "%Y/%m/%d/{site}-access.log.xz"
countme:
  site: mirrors.example.org
  policy: compat
  first_day: 2024-02-28
"""


def parse(text: str, environ: dict[str, str] | None = None) -> StatsConfig:
    return parse_config(text, StatsConfig, environ or {}, source="stats.yaml")


def complaint(text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationMistake) as raised:
        parse(text, environ)
    return str(raised.value)


def test_a_good_file_becomes_typed_values():
    config = parse(GOOD)
    assert config.countme.policy == "compat"
    assert config.first_day == date(2024, 2, 28)
    assert config.log_sync.hosts[0].url == "file:///srv/logs/proxy01"


def test_an_empty_file_means_the_defaults():
    assert parse("# nothing yet\n").countme.policy == "strict"


def test_an_unknown_key_is_refused_with_file_line_and_the_allowed_keys():
    message = complaint(GOOD.replace("policy: compat", "polici: compat"))
    assert message.startswith("stats.yaml:10: countme.polici: unknown key; allowed here: ")
    assert "first_day" in message and "policy" in message


def test_an_unknown_key_inside_a_list_is_refused_at_its_line():
    message = complaint(GOOD.replace("      path:", "      paths:"))
    assert "stats.yaml:7: log_sync.hosts[0].paths: unknown key; allowed here:" in message
    assert "stats.yaml:5: log_sync.hosts[0].path: is missing" in message


def test_an_unknown_section_is_refused():
    assert "stats.yaml:12: weather: unknown key; allowed here:" in complaint(GOOD + "weather: fine\n")


def test_a_bad_date_is_told_with_what_was_found():
    message = complaint(GOOD.replace("2024-02-28", "2024-02-30"))
    assert message.startswith("stats.yaml:11: countme.first_day:") and "2024-02-30" in message


def test_a_bad_url_is_told_with_the_schemes_we_know():
    message = complaint(GOOD.replace("file:///srv", "gopher:///srv"))
    assert message.startswith("stats.yaml:6: log_sync.hosts[0].url:") and "file:" in message


def test_a_wrong_choice_names_the_choices():
    message = complaint(GOOD.replace("compat", "lenient"))
    assert "stats.yaml:10: countme.policy:" in message and "'strict' or 'compat'" in message


def test_two_hosts_of_one_name_are_refused():
    host = GOOD[GOOD.index("    - name") : GOOD.index("countme:")]
    assert "proxy01" in complaint(GOOD.replace("countme:", host + "countme:", 1))


def test_a_key_given_twice_is_refused_because_yaml_would_keep_the_last_in_silence():
    assert complaint(GOOD + "countme: {}\n") == "stats.yaml:12: 'countme' is given twice"


def test_what_is_not_yaml_is_told_with_its_line():
    assert complaint("archive: x\nlog_sync: [\n").startswith("stats.yaml:")


def test_a_site_nobody_syncs_is_refused():
    assert "is not one of log_sync.sites" in complaint(GOOD.replace("  site: mirrors", "  site: other"))


def test_variables_come_from_the_environment():
    config = parse(GOOD.replace("/srv/archive", "${WHERE}/${SUB:-kept}"), {"WHERE": "/data"})
    assert config.archive == "/data/kept"


def test_an_unset_variable_is_told_by_name_and_line():
    assert complaint(GOOD.replace("/srv/archive", "${WHERE}")) == (
        "stats.yaml:1: archive needs the environment variable WHERE, which is not set"
    )


def test_every_problem_has_a_line_of_its_own():
    message = complaint(GOOD.replace("compat", "lenient").replace("2024-02-28", "soon"))
    assert len(message.splitlines()) == 2


def test_a_missing_file_names_the_variable_to_set(tmp_path: Path):
    with pytest.raises(ConfigurationMistake, match="STATS_CONFIG"):
        read_config(tmp_path / "stats.yaml", StatsConfig, {})
