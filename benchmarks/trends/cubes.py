"""What aggregates cost: a first count, a new day, one changed log, a full recount. `python -m benchmarks.trends.cubes`.

CPU seconds of server and client. The logs are those of `generate`, 820 a day; the new day is the last of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from benchmarks import measure
from benchmarks.trends.generate import LOGS_PER_DAY, generate
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.cubes import CUBES
from stats_assets.trends.cubes_store import AggregateReport, refresh
from stats_assets.trends.load import Importer
from stats_assets.trends.raw import RawLog
from stats_assets.trends.rolling import refresh_trends


def main(logs: Annotated[int, typer.Option(min=2 * LOGS_PER_DAY, help="game logs in all")] = 10_000) -> None:
    """Prints a line per step: CPU seconds of each aggregate, rows changed, and their sum."""
    now = datetime.now(UTC)
    raws = [RawLog(logid, body, "file:bench", now) for logid, body in generate(logs)]
    with measure.server() as server:
        database = StatsDatabase(server.dsn)
        importer = Importer(database)
        importer.import_logs(raws[:-LOGS_PER_DAY])
        _measure(server, database, "first count", False)
        importer.import_logs(raws[-LOGS_PER_DAY:])
        _measure(server, database, f"a day with {LOGS_PER_DAY} new logs", False)
        importer.import_logs([_changed(raws[logs // 2])])
        _measure(server, database, "a day with one changed log", False)
        _measure(server, database, "full recount, nothing wrong", True)
        with database.transaction() as cursor:
            for cube in CUBES:
                cursor.execute(f"TRUNCATE trends.{cube.table}, trends.{cube.days_table}")
            cursor.execute("TRUNCATE trends.player_trends, trends.aggregate_days")
        _measure(server, database, "full rebuild from nothing", True)


def _changed(raw: RawLog) -> RawLog:
    log = orjson.loads(raw.data)
    for player in log["players"].values():
        player["kills"] += 1
    return RawLog(raw.logid, orjson.dumps(log), raw.source, raw.fetched_at)


def _measure(server: measure.Server, database: StatsDatabase, name: str, is_full: bool) -> None:
    measure.settle(server.dsn)
    steps: list[Callable[[], AggregateReport]] = [lambda cube=cube: refresh(database, cube, is_full) for cube in CUBES]
    told, whole = [], 0.0
    for step in (*steps, lambda: refresh_trends(database, is_full)):
        before = server.cpu_seconds() + time.process_time()
        report = step()
        spent = server.cpu_seconds() + time.process_time() - before
        whole += spent
        told.append(f"{report.aggregate} {spent:.2f} s ({report.rows_changed} of {report.rows} rows)")
    typer.echo(f"{name}: {whole:.2f} CPU s; {', '.join(told)}")


if __name__ == "__main__":
    typer.run(main)
