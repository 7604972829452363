"""`./stats bench trends`: logs into every table, from JSON files and from a batch of clone_logs, beside the floor that
COPY alone sets; then what the aggregates of the larger number cost, from nothing and by differences.

    ./stats bench trends [--logs N ...] [--days N]

Every figure is of this run on this machine: CPU seconds are user and system; the client is a process of its own, so
starting Python and importing count; the server is a PostgreSQL of the benchmark's own, durable as in earnest. The way
is the whole one: files read, bytes kept and hashed, rows of eleven tables with their keys, ledger, players, duplicates.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psycopg2
import typer
from psycopg2 import sql
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.trends import cubes
from stats_assets.trends.tables import SILVER

_TABLES = ["raw_logs", *(table.name for table in SILVER)]
_SIZE = """
SELECT sum(pg_total_relation_size(oid)) / 1e6 FROM pg_class
WHERE relnamespace = 'trends'::regnamespace AND relkind = 'r'
"""


@dataclass(frozen=True)
class Row:
    """One measured way: client and server CPU seconds, and the client's peak memory."""

    way: str
    logs: int
    client: float
    server: float
    peak_mb: float

    @property
    def cpu(self) -> float:
        return self.client + self.server


def main(
    logs: Annotated[list[int] | None, typer.Option(help="how many; may be repeated")] = None,
    days: Annotated[int, typer.Option(min=2, help="over which they are spread, for the aggregates")] = 30,
) -> None:
    """Measures the whole way from JSON files to committed rows, then the aggregates of these."""
    numbers = logs or [2_000, 10_000]
    for number in numbers:
        with TemporaryDirectory(prefix="stats-bench-") as folder:
            measure.run([sys.executable, "-m", "benchmarks.trends.generate", folder, str(number)])
            rows, count, size_mb = _measure(Path(folder), number)
        _show(number, [*rows, _measure_batch(number)], count, size_mb)
    cubes.main(max(numbers), days)


def _measure(folder: Path, number: int) -> tuple[list[Row], int, float]:
    with measure.server() as server:
        module = [sys.executable, "-m", "benchmarks.trends.load_logs", server.dsn, folder]
        rows = [_run("stats-assets, first import", number, server, module)]
        count, size_mb = _count(server.dsn)
        rows.append(_run("stats-assets, the same again", number, server, module))
        with TemporaryDirectory(prefix="stats-bench-") as ready:
            _unload(server.dsn, Path(ready))
            floor = [sys.executable, "-m", "benchmarks.trends.copy_only", server.dsn, ready]
            rows.append(_run("floor: COPY of the ready rows alone", number, server, floor))
        yardstick = [sys.executable, "-m", "benchmarks.trends.decode_only", folder]
        rows.append(_run("yardstick: reading and JSON alone", number, server, yardstick))
    return rows, count, size_mb


def _measure_batch(number: int) -> Row:
    """The same logs, as far as the format holds them, from a SQLite batch into an empty database."""
    with TemporaryDirectory(prefix="stats-bench-") as folder, measure.server() as server:
        batch = Path(folder) / "22.sqlite3"
        measure.run([sys.executable, "-m", "benchmarks.trends.clone_batch", batch, str(number)])
        module = [sys.executable, "-m", "benchmarks.trends.load_logs", server.dsn, batch]
        return _run("from a batch of clone_logs", number, server, module)


def _run(way: str, number: int, server: measure.Server, command: Sequence[str | Path]) -> Row:
    measure.settle(server.dsn)
    before = server.cpu_seconds()
    cost = measure.run(command)
    return Row(way, number, cost.cpu_seconds, server.cpu_seconds() - before, cost.peak_mb)


def _count(dsn: str) -> tuple[int, float]:
    """Rows of logs, and MB of all tables with their keys."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        rows = 0
        for table in _TABLES:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("trends", table)))
            rows += (cursor.fetchone() or (0,))[0]
        cursor.execute(_SIZE)
        (size_mb,) = cursor.fetchone() or (0,)
    return rows, float(size_mb)


def _unload(dsn: str, folder: Path) -> None:
    """The rows into files, and empty tables of the same shape and keys for them."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA floor")
        for table in _TABLES:
            names = {"table": sql.Identifier("trends", table), "floor": sql.Identifier("floor", table)}
            cursor.execute(sql.SQL("CREATE TABLE {floor} (LIKE {table} INCLUDING ALL)").format(**names))
            with (folder / table).open("wb") as file:
                cursor.copy_expert(
                    sql.SQL("COPY (SELECT * FROM {table} ORDER BY logid) TO STDOUT (FORMAT binary)").format(**names),
                    file,
                )


def _show(number: int, rows: list[Row], count: int, size_mb: float) -> None:
    console = Console(width=110)  # a row a line, in files, too
    console.print(f"\n{number:,} logs, {count:,} rows, {size_mb:,.0f} MB in the database")
    table = Table("way", *("CPU s", "client", "server", "logs/CPU s", "peak MB", "against us"), box=None)
    for row in rows:
        numbers = (f"{row.cpu:.2f}", f"{row.client:.2f}", f"{row.server:.2f}", f"{row.logs / row.cpu:,.0f}")
        table.add_row(row.way, *numbers, f"{row.peak_mb:,.0f}", f"{row.cpu / rows[0].cpu:.2f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
