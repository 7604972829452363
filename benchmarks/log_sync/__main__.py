"""`./stats bench log_sync`: fetching and combining a day of logs, beside the same bytes plainly through the libraries.

    ./stats bench log_sync [--hosts 4] [--lines 250000] [--compression gz|xz|zst]

Hosts are folders, so that the network is not measured. Every piece of work is a process of its own, so starting
Python and importing count: MB are of lines, uncompressed; CPU seconds are user and system of the client; the
manifest lies in a PostgreSQL of the benchmark's own. The lines are nearly in order, as a web server writes them.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import psycopg2
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure

_COUNTS = """
SELECT sum(f.lines), sum(f.content_bytes), max(f.step_back_seconds), min(c.lines + c.undatable_lines)
FROM log_sync.files f JOIN log_sync.combined_logs c USING (site, day)
"""
_WAYS = {
    "fetch": "fetch, verify, manifest",
    "fetch_plainly": "floor: copy and decompress alone",
    "combine": "combine, zstd",
    "combine_plainly": "floor: decompress and compress alone",
}


@dataclass(frozen=True)
class Row:
    """One measured way."""

    way: str
    cost: measure.Cost
    seconds: float


def main(
    hosts: Annotated[int, typer.Option(min=1, help="log hosts")] = 4,
    lines: Annotated[int, typer.Option(min=1000, help="lines of each host's log")] = 250_000,
    compression: Annotated[Literal["gz", "xz", "zst"], typer.Option(help="of the hosts' logs")] = "gz",
) -> None:
    """Measures a day of logs from the hosts' files to one ordered file."""
    with TemporaryDirectory(prefix="stats-bench-") as folder, measure.server() as server:
        arguments = (folder, server.dsn, compression, hosts, lines)
        _run("make", arguments)
        rows = [_run(verb, arguments) for verb in _WAYS]
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(_COUNTS)
            counts = cursor.fetchone()
        stored = sum(path.stat().st_size for path in (Path(folder) / "hosts").iterdir())
    assert counts is not None, "an aggregate gives one row"
    written, content_bytes, step_back, combined = (int(count) for count in counts)
    assert written == combined, f"{written} lines in, {combined} out"
    _show(f"{hosts} hosts, {written:,} lines, {stored / 1e6:,.1f} MB as .{compression}, steps back {step_back} s")
    _table(rows, content_bytes / 1e6)


def _run(verb: str, arguments: tuple[object, ...]) -> Row:
    started = time.monotonic()
    cost = measure.run([sys.executable, "-m", "benchmarks.log_sync.work", verb, *map(str, arguments)])
    return Row(_WAYS.get(verb, verb), cost, time.monotonic() - started)


def _show(told: str) -> None:
    Console(width=110).print(f"\n{told}")


def _table(rows: list[Row], size_mb: float) -> None:
    table = Table("way", *("CPU s", "MB/CPU s", "wall s", "MB/s", "peak MB", "against floor"), box=None)
    for row, floor in zip(rows, [rows[1], rows[1], rows[3], rows[3]], strict=True):
        table.add_row(
            row.way,
            f"{row.cost.cpu_seconds:.2f}",
            f"{size_mb / row.cost.cpu_seconds:,.0f}",
            f"{row.seconds:.2f}",
            f"{size_mb / row.seconds:,.0f}",
            f"{row.cost.peak_mb:,.0f}",
            f"{row.cost.cpu_seconds / floor.cost.cpu_seconds:.2f}",
        )
    console = Console(width=110)
    console.print(f"{size_mb:,.1f} MB of lines")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
