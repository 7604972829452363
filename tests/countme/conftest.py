from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.shared.postgres import StatsDatabase
from tests.countme.counted import Counted
from tests.countme.world import World


@pytest.fixture
def world(database: StatsDatabase, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def counted(database: StatsDatabase, tmp_path: Path) -> Counted:
    return Counted(database, tmp_path)
