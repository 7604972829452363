from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.shared.environment import read_environment
from stats_assets.shared.failures import ConfigurationMistake

PROJECT = Path("/srv/stats")


def test_without_variables_everything_is_below_the_project():
    environment = read_environment({}, PROJECT)
    assert environment.home == PROJECT / ".local"
    assert environment.config_file == PROJECT / "stats.yaml"
    assert environment.ui_url == "http://127.0.0.1:3000"
    assert environment.dsn is None


def test_absolute_paths_are_taken_as_given():
    assert read_environment({"STATS_HOME": "/var/stats"}, PROJECT).home == Path("/var/stats")


def test_an_empty_dsn_means_the_private_server():
    assert read_environment({"STATS_DSN": ""}, PROJECT).dsn is None


@pytest.mark.parametrize("text", ["http", "80", "40000", "-1", "٣٠٠٠"])
def test_a_port_we_cannot_use_is_refused_with_an_example(text: str):
    with pytest.raises(ConfigurationMistake, match="STATS_PORT=3000"):
        read_environment({"STATS_PORT": text}, PROJECT)


@pytest.mark.parametrize("text", ["19", "1000001", "many", "-5", ""])
def test_a_sandbox_of_impossible_size_is_refused(text: str):
    with pytest.raises(ConfigurationMistake, match=f"STATS_SANDBOX_LINES={text}: give a number"):
        read_environment({"STATS_SANDBOX_LINES": text}, PROJECT)
