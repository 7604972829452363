"""One import as a process of its own, so that starting Python and importing count: DSN, files or folders."""

from __future__ import annotations

import sys
from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.intake import import_paths

if __name__ == "__main__":
    import_paths(StatsDatabase(dsn=sys.argv[1]), map(Path, sys.argv[2:]), print)
