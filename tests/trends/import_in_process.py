"""An import as a process of its own, for tests that kill it."""

from __future__ import annotations

from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.files import read_path
from stats_assets.trends.intake import import_files
from stats_assets.trends.load import Importer


def main(dsn: str, folder: Path, batch_logs: int) -> None:
    database = StatsDatabase(dsn=dsn)
    import_files(database, Importer(database, batch_logs=batch_logs), read_path(folder))
