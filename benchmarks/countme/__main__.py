"""`./stats bench countme`: the whole way of a log file into PostgreSQL and on to weekly totals.

Beside it the floor that COPY alone sets. The made-up log is of one day, and two lines a week later, of both kinds:
the established tool counts a week only when something later was seen.

    ./stats bench countme [--lines N ...] [--policy compat] [--peer] [--file access.log]

Every figure is of this run on this machine: CPU seconds are user and system; a client is a process of its own,
so starting Python and importing count; the server is a PostgreSQL of the benchmark's own, durable as in earnest.
`--peer` installs mirrors-countme into a throw-away environment and measures it on the same file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import psycopg2
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.countme import peer

DAY = date(2024, 3, 5)  # a Tuesday: the day and the hours around it lie in one week

_LATER = f"{DAY + timedelta(days=7):%d/%b/%Y}:12:00:00 +0000"
_CLOSING_LINES = "".join(
    f'192.0.2.1 - - [{_LATER}] "GET /metalink?repo=fedora-39&arch=x86_64{age} HTTP/2.0" 200 4044 "-" "libdnf"\n'
    for age in ("", "&countme=1")
).encode()

_MAKE_FLOOR = "CREATE TABLE public.floor (LIKE countme.raw_hits INCLUDING ALL)"
_UNLOAD = "COPY countme.raw_hits TO STDOUT (FORMAT binary)"
_COUNTS = "SELECT lines, hits, (SELECT count(*) FROM countme.repeats) FROM countme.sources"


@dataclass(frozen=True)
class Row:
    """One measured way: client and server CPU seconds, and the client's peak memory."""

    way: str
    client: float
    server: float
    peak_mb: float

    @property
    def cpu(self) -> float:
        return self.client + self.server


def main(
    lines: Annotated[list[int] | None, typer.Option(help="size of the made-up log; may be repeated")] = None,
    policy: Annotated[Literal["strict", "compat"], typer.Option(help="the rules to load by")] = "strict",
    file: Annotated[Path | None, typer.Option(help="a plain log file of yours instead of a made-up one")] = None,
    with_peer: Annotated[bool, typer.Option("--peer", help="measure mirrors-countme too")] = False,
) -> None:
    """Measures the whole way from a plain log file to committed, indexed rows."""
    for size in [0] if file else lines or [1_000_000]:
        with TemporaryDirectory(prefix="stats-bench-") as folder:
            log = file or _made_up(Path(folder) / "access.log", size)
            rows, counts = _measure(log, policy, with_peer)
        _show(log.name, counts, rows)


def _made_up(path: Path, lines: int) -> Path:
    measure.run([sys.executable, "-m", "benchmarks.countme.generate", path, f"--lines={lines}", f"--first-day={DAY}"])
    with path.open("ab") as file:
        file.write(_CLOSING_LINES)
    return path


@dataclass(frozen=True)
class Counts:
    lines: int
    hits: int
    repeats: int
    size_mb: float


def _measure(log: Path, policy: str, with_peer: bool) -> tuple[list[Row], Counts]:
    with measure.server() as server:
        rows = [_load("stats-assets, first load", server, log, policy)]
        counts = Counts(*_one(server.dsn, _COUNTS), log.stat().st_size / 1e6)
        rows.append(_load("stats-assets, reload in place of it", server, log, policy))
        rows.append(_floor(server))
        rows.append(_run("stats-assets, weekly totals and CSV", server, "count_week", DAY, policy))
    if with_peer:
        with _peer_environment() as environment:
            for way, cost in (
                ("mirrors-countme, parse to SQLite", peer.parse_to_sqlite(environment, log)),
                ("mirrors-countme, weekly totals and CSV", peer.totals_to_csv(environment)),
            ):
                rows.append(Row(way, cost.cpu_seconds, 0.0, cost.peak_mb))
    return rows, counts


def _load(way: str, server: measure.Server, log: Path, policy: str) -> Row:
    return _run(way, server, "load_day", log, DAY, policy)


def _run(way: str, server: measure.Server, module: str, *arguments: object) -> Row:
    """A module of the benchmark as a process of its own."""
    measure.settle(server.dsn)
    before = server.cpu_seconds()
    command = [sys.executable, "-m", f"benchmarks.countme.{module}", server.dsn, *map(str, arguments)]
    cost = measure.run(command)
    return Row(way, cost.cpu_seconds, server.cpu_seconds() - before, cost.peak_mb)


def _floor(server: measure.Server) -> Row:
    """The same rows, ready in a file, through one COPY into a table of the same shape and index."""
    with TemporaryDirectory(prefix="stats-bench-") as folder:
        ready = Path(folder) / "rows"
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            with ready.open("wb") as file:
                cursor.copy_expert(_UNLOAD.replace("countme.raw_hits", "(SELECT * FROM countme.raw_hits)"), file)
            cursor.execute(_MAKE_FLOOR)
        measure.settle(server.dsn)
        before = server.cpu_seconds()
        cost = measure.run([sys.executable, "-m", "benchmarks.countme.copy_only", server.dsn, ready])
        return Row("floor: COPY of the ready rows alone", cost.cpu_seconds, server.cpu_seconds() - before, cost.peak_mb)


@contextmanager
def _peer_environment() -> Iterator[Path]:
    with TemporaryDirectory(prefix="stats-bench-peer-") as folder:
        yield peer.install(Path(folder))


def _one(dsn: str, statement: str) -> tuple[int, int, int]:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() or (0, 0, 0)


def _show(name: str, counts: Counts, rows: list[Row]) -> None:
    console = Console(width=110)  # a row a line, in files, too
    console.print(
        f"\n{name}: {counts.lines:,} lines, {counts.size_mb:,.1f} MB, {counts.hits:,} hits, {counts.repeats:,} repeats"
    )
    table = Table("way", *("CPU s", "client", "server", "lines/CPU s", "peak MB", "against us"), box=None)
    for row in rows:
        table.add_row(
            row.way,
            f"{row.cpu:.2f}",
            f"{row.client:.2f}",
            f"{row.server:.2f}",
            f"{counts.lines / row.cpu:,.0f}",
            f"{row.peak_mb:,.0f}",
            f"{row.cpu / rows[0].cpu:.2f}",
        )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
