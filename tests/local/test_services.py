"""The commands of the services."""

from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.local.collecting import collector_address
from stats_assets.local.services import COLLECTOR, SANDBOX, services_of
from stats_assets.shared.environment import read_environment


@pytest.mark.parametrize(
    ("events", "url"),
    [
        ("{}", "http://127.0.0.1:22002"),
        ("{port: 9100}", "http://127.0.0.1:9100"),
        ("{port: 9100, host: 0.0.0.0}", "http://127.0.0.1:9100"),
    ],
)
def test_simulated_apps_send_to_where_the_collector_listens(tmp_path: Path, events: str, url: str):
    config = tmp_path / "stats.yaml"
    config.write_text(f"events: {events}\n")
    environment = read_environment({"STATS_CONFIG": f"{config}", "STATS_PORT": "22000"}, tmp_path)
    command = services_of(environment, with_sandbox=True, collector=collector_address(environment))[SANDBOX].command
    assert command[command.index("--collector") + 1] == url


def test_without_a_section_events_there_is_no_collector_and_nobody_sends(tmp_path: Path):
    config = tmp_path / "stats.yaml"
    config.write_text("{}\n")
    environment = read_environment({"STATS_CONFIG": f"{config}"}, tmp_path)
    services = services_of(environment, with_sandbox=True, collector=collector_address(environment))
    assert COLLECTOR not in services
    assert "--collector" not in services[SANDBOX].command
