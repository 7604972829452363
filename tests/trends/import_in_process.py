"""An import as a process of its own, for tests that kill it: DSN, folder of logs, logs per batch."""

from __future__ import annotations

import sys
from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.files import read_path
from stats_assets.trends.intake import import_files
from stats_assets.trends.load import Importer

if __name__ == "__main__":
    database = StatsDatabase(dsn=sys.argv[1])
    import_files(database, Importer(database, batch_logs=int(sys.argv[3])), read_path(Path(sys.argv[2])))
