"""Makes typed days in a process of its own, for the benchmark: python -m benchmarks.events.type_days DSN DAY..."""

from __future__ import annotations

import sys
from datetime import date

from benchmarks.events.tables import SCHEMA
from stats_assets.events.config import EventsConfig
from stats_assets.events.typed import TypedTable
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, *days: str) -> None:
    table = TypedTable(StatsDatabase(dsn), EventsConfig(), "plays", SCHEMA.tables["plays"], SCHEMA.version)
    for day in days:
        print(table.replace_day(date.fromisoformat(day)))


if __name__ == "__main__":
    main(*sys.argv[1:])
