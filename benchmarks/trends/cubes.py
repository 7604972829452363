"""What aggregates cost: a first count, a new day, a changed day, one changed log, a full recount.

    python -m benchmarks.trends.cubes [--logs N] [--days N]

CPU seconds of server and client. The logs are those of `generate`, spread over `days`: the new day is the last of them,
and by what share a renewal costs less than a rebuild depends on how much of the whole a day is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from benchmarks import measure
from benchmarks.trends.generate import generate
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.cubes import CUBES
from stats_assets.trends.cubes_store import AggregateReport, refresh
from stats_assets.trends.load import Importer
from stats_assets.trends.raw import RawLog
from stats_assets.trends.rolling import refresh_trends


@dataclass(frozen=True)
class Step:
    """A renewal of every aggregate: CPU seconds of each, with how many rows changed."""

    name: str
    spent: dict[str, float]
    changed: dict[str, str]

    @property
    def whole(self) -> float:
        return sum(self.spent.values())


def main(
    logs: Annotated[int, typer.Option(min=100, help="game logs in all")] = 10_000,
    days: Annotated[int, typer.Option(min=2, help="over which they are spread")] = 30,
) -> None:
    """Prints a line per step: CPU seconds of each aggregate, rows changed, their sum and its share of a rebuild."""
    steps = measure_cubes(logs, days)
    rebuild = steps[-1].whole
    typer.echo(f"\naggregates of {logs:,} logs on {days} days, a day being 1/{days} of them")
    for step in steps:
        told = ", ".join(f"{table} {spent:.2f} s ({step.changed[table]})" for table, spent in step.spent.items())
        typer.echo(f"{step.name}: {step.whole:.2f} CPU s, {step.whole / rebuild:.1%} of a rebuild; {told}")


def measure_cubes(logs: int, days: int) -> list[Step]:
    """The steps one after the other; the last is a rebuild from nothing."""
    now, a_day = datetime.now(UTC), logs // days
    raws = [RawLog(logid, body, "file:bench", now) for logid, body in generate(logs, a_day)]
    first, last = raws[: a_day * (days - 1)], raws[a_day * (days - 1) :]
    with measure.server() as server:
        database = StatsDatabase(server.dsn)
        importer = Importer(database)
        steps = []

        def step(name: str, new: Iterable[RawLog] = (), is_full: bool = False) -> None:
            importer.import_logs(new)
            steps.append(_measured(server, database, name, is_full))

        step("first count", first)
        step(f"a new day of {len(last)} logs", last)
        step("the same day, every log changed", map(_changed, last))
        step("a day with one changed log", [_changed(first[-1])])
        step("full recount, nothing wrong", is_full=True)
        with database.transaction() as cursor:
            for cube in CUBES:
                cursor.execute(f"TRUNCATE trends.{cube.table}, trends.{cube.days_table}")
            cursor.execute("TRUNCATE trends.player_trends, trends.aggregate_days")
        step("full rebuild from nothing", is_full=True)
    return steps


def _changed(raw: RawLog) -> RawLog:
    log = orjson.loads(raw.data)
    for player in log["players"].values():
        player["kills"] += 1
    return RawLog(raw.logid, orjson.dumps(log), raw.source, raw.fetched_at)


def _measured(server: measure.Server, database: StatsDatabase, name: str, is_full: bool) -> Step:
    measure.settle(server.dsn)
    renewals: list[Callable[[], AggregateReport]] = [
        *(lambda cube=cube: refresh(database, cube, is_full) for cube in CUBES),
        lambda: refresh_trends(database, is_full),
    ]
    step = Step(name, {}, {})
    for renew in renewals:
        before = server.cpu_seconds() + time.process_time()
        report = renew()
        step.spent[report.aggregate] = server.cpu_seconds() + time.process_time() - before
        step.changed[report.aggregate] = f"{report.rows_changed} of {report.rows} rows"
    return step


if __name__ == "__main__":
    typer.run(main)
