"""A restore for practice: the backup as a private server, counted, compared, thrown away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from stats_assets.backups import store
from stats_assets.backups.manifest import Manifest
from stats_assets.backups.restoring import Restore, compared, data_dsn
from stats_assets.backups.shelf import BackupDamaged
from stats_assets.backups.staging import require_room, server_folder, staged
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase


@dataclass(frozen=True)
class Drill:
    """How a drill went; `differences` is empty when every table was as it had to be."""

    manifest: Manifest
    differences: Mapping[str, str]
    seconds: float


def drill(restore: Restore, name: str, staging: Path) -> Drill:
    """Restores the backup in the staging folder. Raises BackupDamaged when it does not restore at all."""
    began = time.monotonic()
    manifest = restore.shelf.manifest(name)
    with staged(staging) as folder:
        require_room(folder, manifest.database_bytes)
        with restore.server(name, server_folder(folder), throw_away=True) as (server, _manifest):
            odd = compared(data_dsn(server, manifest), manifest)
    return Drill(manifest, odd, time.monotonic() - began)


def drill_and_note(restore: Restore, database: StatsDatabase, name: str, staging: Path, now: datetime) -> Drill:
    """As `drill`; whatever comes of it is a row of backups.restore_drill. Raises BackupDamaged for every bad one."""
    monday = date.fromisocalendar(*now.isocalendar()[:2], 1)
    manifest = None
    try:
        done = drill(restore, name, staging)
        manifest = done.manifest
        if done.differences:
            raise BackupDamaged(f"backup {name} restores, but not as it was: {named(done.differences)}")
    except BackupDamaged as error:
        with database.transaction() as cursor:
            store.keep_drill(cursor, monday, name, now, str(error), manifest)
        raise
    with database.transaction() as cursor:
        store.keep_drill(cursor, monday, name, now, None, manifest)
    return done
