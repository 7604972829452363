"""`./stats restore`: a backup brought back from where stats.yaml says they are. How, is the room backups'."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stats_assets.backups.plan import retention
from stats_assets.backups.restoring import Restore, restore_into_folder
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.staging import staged
from stats_assets.configuration import StatsConfig
from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.surroundings import config_variables
from stats_assets.shared.archive import Archive
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import OurMistake


def listed(environment: Environment) -> Iterator[str]:
    """A line per backup, newest last, with the reasons it is kept for."""
    config = _config(environment)
    shelf = Shelf(Archive(config.backups_url))
    kept = retention(names := shelf.backups(), config.backups.keep).kept
    for name in names:
        try:
            backup = shelf.manifest(name)
        except OurMistake as error:
            yield str(error)
            continue
        size = f"{backup.stored_bytes / 1e6:,.1f} MB of {backup.database_bytes / 1e6:,.1f}"
        why = ", ".join(kept.get(name, ())) or "goes with the next backup"
        yield f"{name}  {backup.method}  {size}  {backup.rows:,} rows  PostgreSQL {backup.server_version}  ({why})"
    if not names:
        yield f"no backup in {config.backups_url}; ./stats materialize backups/base_backup makes one"


def restored(environment: Environment, backup: str | None, into: str, say: Callable[[str], None]) -> Mapping[str, str]:
    """Restores into a folder or database; gives what is not as it was, by table. Raises OurMistake, SourceAway."""
    config = _config(environment)
    shelf = Shelf(Archive(config.backups_url))
    restore = Restore(shelf, find_binaries(environment.pg_bin))
    name = backup or shelf.newest()
    if _is_dsn(into):
        with staged(Path(config.backups_config.staging)) as folder:
            done = restore.into_database(name, into, folder)
        where = "the database"
    else:
        target = Path(into).absolute()
        done = restore_into_folder(restore, name, target, say)
        where = f"STATS_HOME={target} ./stats up --no-sandbox starts it"
    if not done.differences:
        say(f"{name} is back, {len(done.manifest.tables)} tables and {done.manifest.rows:,} rows as they were; {where}")
    return done.differences


def _is_dsn(text: str) -> bool:
    return text.startswith(("postgresql://", "postgres://")) or "dbname=" in text or "host=" in text


def _config(environment: Environment) -> StatsConfig:
    """As a process of the stack reads it, though none need be running."""
    return read_config(environment.config_file, StatsConfig, {**config_variables(environment), **os.environ})
