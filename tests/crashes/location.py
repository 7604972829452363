"""The room as a code location of its own, over the world and database that the environment names."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from stats_assets.crashes.defs import definitions
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from tests.crashes.world import World

FOLDER, DSN = "CRASHES_TEST_FOLDER", "CRASHES_TEST_DSN"


@dg.definitions
def location() -> dg.Definitions:
    world = World(StatsDatabase(dsn=os.environ[DSN]), Path(os.environ[FOLDER]))
    resources = {"database": world.database, "archive": Archive(url=str(world.folder / "archive"))}
    return dg.Definitions.merge(
        definitions(world.config, automation_is_running=False),
        dg.Definitions(resources=resources, executor=dg.in_process_executor),
    )
