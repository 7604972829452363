"""Makes a typed day in a process of its own, which stays where a test wants to kill it: with all rows copied, none
committed. Arguments: DSN, schema file, day."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

from stats_assets.events import typed
from stats_assets.events.config import EventsConfig
from stats_assets.events.schema_file import read_schema_file
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, schema_file: str, day: str) -> None:
    schema = read_schema_file(Path(schema_file), {})

    def stay(*_: object) -> None:
        print("copied", flush=True)
        time.sleep(600)

    typed._Replacement._settle = stay  # type: ignore[method-assign]
    table = typed.TypedTable(StatsDatabase(dsn), EventsConfig(), "levels", schema.tables["levels"], schema.version)
    table.replace_day(date.fromisoformat(day))


if __name__ == "__main__":
    main(*sys.argv[1:])
