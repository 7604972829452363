from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.shared.postgres import StatsDatabase
from tests.crashes.world import World


@pytest.fixture
def world(database: StatsDatabase, tmp_path: Path) -> World:
    made = World(database, tmp_path)
    made.make_versions()
    return made
