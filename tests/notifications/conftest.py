from __future__ import annotations

from collections.abc import Iterator

import pytest

from stats_assets.notifications.watch import Watcher
from stats_assets.shared.postgres import StatsDatabase
from tests.notifications.world import Webhook, World, webhooks


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with webhooks() as (made,):
        yield made


@pytest.fixture
def world(database: StatsDatabase) -> Iterator[World]:
    made = World(database)
    with made.instance:
        yield made


@pytest.fixture
def watcher(world: World, webhook: Webhook) -> Watcher:
    """It has looked once, at an empty log."""
    made = world.watcher({"ops": {"url": f"json://{webhook.address}/"}})
    world.look(made)
    return made
