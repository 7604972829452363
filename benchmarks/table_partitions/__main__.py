"""`./stats bench table_partitions`: the longest stall of writers, and the size of what is archived.

    ./stats bench table_partitions [--only stall|shrink] [--lines-per-day N] [--logs N]

Every figure is of this run on this machine, on a PostgreSQL of the benchmark's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.table_partitions import shrink, stall

_CONSOLE = Console(width=120)


def main(
    only: Annotated[Literal["stall", "shrink"] | None, typer.Option(help="one of the two")] = None,
    lines_per_day: Annotated[int, typer.Option(help="of the made-up logs the week of hits is loaded from")] = 200_000,
    logs: Annotated[int, typer.Option(help="game logs")] = 4_000,
) -> None:
    """Measures stalls and sizes."""
    with measure.server() as server, TemporaryDirectory(prefix="stats-bench-") as folder:
        if only != "shrink":
            _show_stalls(stall.measure(server.dsn))
        if only != "stall":
            _show_sizes(shrink.raw_hits(server, Path(folder), lines_per_day))
            _show_sizes(shrink.game_logs(server, Path(folder), logs))


def _show_stalls(found: Iterable[stall.Stall]) -> None:
    _CONSOLE.print(
        f"\n{stall.PER_SECOND} inserts a second, a reader holds its transaction for {stall.READER_SECONDS:.0f} s; three"
        " table partitions are created, one is detached, one is dropped"
    )
    columns = ("DDL s", "stall ms", "in step", "lock ms", "p99 ms", "inserts", "failed")
    table = Table("way", *columns, box=None)
    for each in found:
        waits = (f"{each.longest_ms:,.0f}", each.in_step, f"{each.longest_lock_ms:,.0f}", f"{each.p99_ms:,.0f}")
        table.add_row(each.way, f"{each.ddl_seconds:.1f}", *waits, f"{each.inserts:,}", str(each.failed))
    _CONSOLE.print(table)
    _CONSOLE.print(
        "stall: the longest an insert came late, and the step it fell in; lock: the longest wait for a lock, as the"
        " server says, from 5 ms on. What the first row shows is the machine's own noise."
    )


def _show_sizes(found: shrink.Shrunk) -> None:
    _CONSOLE.print(f"\n{found.what}: {found.rows:,} rows, fingerprint of table and file {found.fingerprint}")
    table = Table("kept as", "MB", "bytes a row", "share", box=None)
    for layout in found.layouts:
        share = layout.bytes / found.layouts[0].bytes
        table.add_row(layout.name, f"{layout.bytes / 1e6:,.1f}", f"{layout.bytes / found.rows:,.1f}", f"{share:.2f}")
    _CONSOLE.print(table)


if __name__ == "__main__":
    typer.run(main)
