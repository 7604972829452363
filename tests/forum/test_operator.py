"""What an operator is told when the forum is not where it should be."""

from __future__ import annotations

from datetime import date

import pytest

from stats_assets.configuration import StatsConfig
from stats_assets.local.findings import Finding
from stats_assets.local.room_checks import forum_boards
from stats_assets.sandbox.forum_site import Faults
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.postgres import StatsDatabase
from tests.forum.world import ForumWorld


def test_an_address_without_a_forum_stops_the_crawl_at_once(world: ForumWorld):
    world.base_url = world.base_url.replace("/forum/", "/forum/nowhere/")
    with pytest.raises(
        ConfigurationMistake, match=r"nowhere/xml/boards.php answers status: HTTP 404.*check forum.base_url"
    ):
        world.crawl()


def test_doctor_tells_whether_the_forum_answers(world: ForumWorld):
    assert [finding.what for finding in told(world)] == [f"forum: 4 boards at {world.base_url}"]
    world.site.faults = Faults(named={"boards": "html_200"}, times=9)
    (finding,) = told(world)
    assert "is no list of boards: root: <{http://www.w3.org/1999/xhtml}html>" in finding.what
    world.site.faults = Faults(named={"boards": "error_500"}, times=9)
    (finding,) = told(world)
    assert "500 Internal Server Error" in finding.what
    assert finding.advice == "check forum.base_url in stats.yaml, and the network"


def told(world: ForumWorld) -> list[Finding]:
    config = StatsConfig(forum=world.config)
    return list(forum_boards(config, date(2026, 7, 1)))


def test_a_database_without_our_tables_is_told_as_such(world: ForumWorld, empty_database_dsn: str):
    world.database = StatsDatabase(dsn=empty_database_dsn)
    with pytest.raises(ConfigurationMistake, match=r"forum\.crawlers.*run \./stats migrate$"):
        world.crawl()
