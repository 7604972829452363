"""A process that materializes log_sync/files for a day, for tests that end it or take its disk away.

python -m tests.log_sync.run_files DSN ARCHIVE DAY [MOST_FILE_BYTES] < config.json
"""

from __future__ import annotations

import resource
import sys
from datetime import date

import dagster as dg

from stats_assets.log_sync.assets import build_files
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, archive: str, day: str, most_file_bytes: str | None = None) -> int:
    config = LogSyncConfig.model_validate_json(sys.stdin.read())
    if most_file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_file_bytes), resource.RLIM_INFINITY))
    result = dg.materialize(
        [build_files(config, date.fromisoformat(day))],
        partition_key=day,
        resources={"database": StatsDatabase(dsn), "archive": Archive(archive)},
        raise_on_error=False,
    )
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
