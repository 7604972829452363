"""One step over some days as a process of its own, so that starting Python and importing count.

python -m benchmarks.crashes.work DSN FOLDER STEP FIRST_DAY DAYS
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

from stats_assets.crashes.aggregate import AGGREGATES, replace_aggregate
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.duplicates import replace_duplicates
from stats_assets.crashes.load import DayLoader
from stats_assets.crashes.store import read_maps, replace_versions
from stats_assets.shared.postgres import StatsDatabase


def configuration(folder: Path, first: date) -> CrashesConfig:
    return CrashesConfig.model_validate(
        {
            "adi_feed": f"file://{folder}/adi/%Y-%m-%d.csv",
            "reports_feed": f"file://{folder}/reports/%Y-%m-%d.jsonl",
            "raw_feed": f"file://{folder}/raw/%Y-%m-%d.jsonl",
            "releases_feed": f"file://{folder}/releases.csv",
            "maps": f"file://{folder}/maps",
            "first_day": first,
        }
    )


def main(dsn: str, folder: Path, step: str, first: date, days: int) -> None:
    database, config = StatsDatabase(dsn=dsn), configuration(folder, first)
    maps = read_maps(config)
    loader = DayLoader(database, config, maps)
    if step == "versions":
        replace_versions(database, config, maps)
    for day in (first + timedelta(days=n) for n in range(days)):
        if step == "reports":
            loader.load_reports(day)
        elif step == "raw_crashes":
            loader.load_raw_crashes(day)
        elif step == "installs":
            loader.load_installs(day)
        elif step == "duplicates":
            replace_duplicates(database, day)
        elif step == "aggregates":
            for aggregate in AGGREGATES:
                replace_aggregate(database, aggregate, day)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], date.fromisoformat(sys.argv[4]), int(sys.argv[5]))
