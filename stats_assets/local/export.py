"""Finds the rooms that publish their tables as CSV files. What is in the files is the room's."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from stats_assets.local.databases import using_databases
from stats_assets.local.migrating import become
from stats_assets.local.surroundings import environ_for
from stats_assets.shared.environment import PROJECT_FOLDER, Environment
from stats_assets.shared.failures import ConfigurationMistake

# A room that publishes has a module `export` with `export(database, folder) -> list[Path]`.
_PACKAGE = PROJECT_FOLDER / "stats_assets"


def export_room(environment: Environment, room: str, folder: Path) -> list[Path]:
    """Writes every published table of the room into the folder. Raises ConfigurationMistake for an unknown room."""
    rooms = sorted(file.parent.name for file in _PACKAGE.glob("*/export.py") if (file.parent / "defs.py").exists())
    if room not in rooms:
        raise ConfigurationMistake(f"{room!r} has nothing to export; rooms that have: {', '.join(rooms)}")
    from stats_assets.shared.postgres import StatsDatabase

    folder.mkdir(parents=True, exist_ok=True)
    with using_databases(environment) as databases:
        become(environ_for(environment, databases, os.environ))
        return list(import_module(f"stats_assets.{room}.export").export(StatsDatabase(dsn=databases.dsn), folder))
