"""Each test has a forum of its own, served on loopback, and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stats_assets.sandbox.forum_site import ForumSite
from stats_assets.shared.postgres import StatsDatabase
from tests.forum.world import ForumWorld, served, small_forum


@pytest.fixture
def world(database: StatsDatabase, tmp_path: Path) -> Iterator[ForumWorld]:
    site = ForumSite(small_forum())
    with served(site, tmp_path) as base_url:
        yield ForumWorld(database, site, base_url, tmp_path)
