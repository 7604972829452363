"""Which rooms publish their tables as CSV files, and by which function. What is in the files is the room's."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from stats_assets.local.databases import using_databases
from stats_assets.local.migrating import become
from stats_assets.local.surroundings import environ_for
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import ConfigurationMistake

# Room to module; each has `export(database, folder) -> list[Path]`.
ROOMS = {"countme": "stats_assets.countme.export"}


def export_room(environment: Environment, room: str, folder: Path) -> list[Path]:
    """Writes every published table of the room into the folder. Raises ConfigurationMistake for an unknown room."""
    if room not in ROOMS:
        raise ConfigurationMistake(f"{room!r} has nothing to export; rooms that have: {', '.join(sorted(ROOMS))}")
    from stats_assets.shared.postgres import StatsDatabase

    folder.mkdir(parents=True, exist_ok=True)
    with using_databases(environment) as databases:
        become(environ_for(environment, databases, os.environ))
        return list(import_module(ROOMS[room]).export(StatsDatabase(dsn=databases.dsn), folder))
