"""`./stats bench crashes`: a month of crash documents from files to committed, indexed rows, and what counting costs.

    ./stats bench crashes [--reports 1000000] [--days 30]

Every figure is of this run on this machine: CPU seconds are user and system; a client is a process of its own, so
starting Python and importing count; the server is a PostgreSQL of the benchmark's own, durable as in earnest. The
first row loads a tenth of the days beforehand: where memory is flat, its peak is that of all days.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psycopg2
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure

FIRST = date(2026, 1, 5)
_ROWS = "SELECT count(*) FROM crashes.reports"
_SIZE = "SELECT sum(pg_total_relation_size(relid)) / 1e6 FROM pg_partition_tree('crashes.reports')"


@dataclass(frozen=True)
class Row:
    """One measured step over some days: client and server CPU seconds, and the client's peak memory."""

    step: str
    days: int
    rows: int
    client: float
    server: float
    peak_mb: float

    @property
    def cpu(self) -> float:
        return self.client + self.server


def main(
    reports: Annotated[int, typer.Option(min=1000, help="crash documents in all")] = 1_000_000,
    days: Annotated[int, typer.Option(min=2, help="over how many days")] = 30,
) -> None:
    """Measures the way of a month of crashes into PostgreSQL, and what is counted of it."""
    per_day = -(-reports // days)
    with TemporaryDirectory(prefix="stats-bench-") as folder, measure.server() as server:
        module = [sys.executable, "-m", "benchmarks.crashes.generate"]
        measure.run([*module, folder, str(FIRST), str(days), str(per_day)])
        few = max(days // 10, 1)
        _step(server, Path(folder), "versions", days, 0)
        rows = [_step(server, Path(folder), "reports", few, few * per_day, told="reports, a tenth of the days")]
        rows.append(_step(server, Path(folder), "reports", days - few, (days - few) * per_day, first=few))
        for step in ("raw_crashes", "installs", "duplicates", "aggregates"):
            rows.append(_step(server, Path(folder), step, days, days * per_day))
        _show(rows, days, _one(server.dsn, _ROWS), _one(server.dsn, _SIZE))


def _step(server: measure.Server, folder: Path, step: str, days: int, rows: int, first: int = 0, told: str = "") -> Row:
    measure.settle(server.dsn)
    before = server.cpu_seconds()
    module = [sys.executable, "-m", "benchmarks.crashes.work"]
    cost = measure.run([*module, server.dsn, folder, step, str(FIRST + timedelta(days=first)), str(days)])
    return Row(told or step, days, rows, cost.cpu_seconds, server.cpu_seconds() - before, cost.peak_mb)


def _one(dsn: str, statement: str) -> float:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return float((cursor.fetchone() or (0,))[0])


def _show(rows: list[Row], days: int, reports: float, megabytes: float) -> None:
    console = Console(width=110)  # a row a line, in files, too
    console.print(f"\n{reports:,.0f} reports over {days} days, {megabytes:,.0f} MB with their index")
    columns = ("CPU s", "client", "server", "reports/CPU s", "CPU s a day", "peak MB")
    table = Table("step", "days", *columns, box=None)
    for row in rows:
        table.add_row(
            row.step,
            str(row.days),
            f"{row.cpu:.2f}",
            f"{row.client:.2f}",
            f"{row.server:.2f}",
            f"{row.rows / row.cpu:,.0f}",
            f"{row.cpu / row.days:.3f}",
            f"{row.peak_mb:,.0f}",
        )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
