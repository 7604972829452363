"""`./stats bench events`: what it costs to receive events, commit them, and make typed rows of them.

    ./stats bench events [--seconds 5] [--typed 1000000]

CPU seconds are user and system, of the collector and of a PostgreSQL of the benchmark's own, durable as in earnest;
that of the clients is not counted. Half load is half the requests per second that came through at full load.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.events import evolving, raw_to_typed
from benchmarks.events.receive import Received, measured

# Events per body, and how many clients send such bodies at once.
LOADS = ((1, 256), (50, 64), (1000, 16))


def main(
    seconds: Annotated[float, typer.Option(min=1, help="of each load")] = 5,
    typed: Annotated[int, typer.Option(min=10_000, help="raw events that are typed")] = 1_000_000,
) -> None:
    """Measures what it costs to receive events, to commit them, and to type them."""
    console = Console(width=110)  # a row a line, in files, too
    with measure.server() as server:
        _show_received(console, [_both(server, *load, seconds) for load in LOADS])
        _show_inserts(console, [_inserted(server, events, bodies) for events, bodies in ((1, 5000), (50, 400))])
        evolving.show(console, evolving.measured(server))
    with measure.server() as server:
        raw_to_typed.show(console, raw_to_typed.measured(server, typed))


def _both(server: measure.Server, events: int, connections: int, seconds: float) -> tuple[Received, Received]:
    """At full load, and at half of it."""
    full = measured(server, events, connections, seconds)
    return full, measured(server, events, connections, seconds, full.requests_per_second / 2)


def _inserted(server: measure.Server, events: int, bodies: int) -> tuple[int, int, float, float]:
    measure.settle(server.dsn)
    before = server.cpu_seconds()
    command = [sys.executable, "-m", "benchmarks.events.inserts", server.dsn, str(events), str(bodies)]
    client = measure.run(command).cpu_seconds
    return events, events * bodies, client, server.cpu_seconds() - before


def _show_received(console: Console, loads: list[tuple[Received, Received]]) -> None:
    columns = ("events/CPU s", "events", "collector CPU s", "server CPU s", "p50 ms", "p99 ms at half load")
    table = Table("events per body", "clients", *columns, box=None)
    for full, half in loads:
        table.add_row(
            str(full.events_per_body),
            str(full.connections),
            f"{full.per_cpu_second:,.0f}",
            f"{full.events:,}",
            f"{full.collector:.2f}",
            f"{full.server:.2f}",
            f"{half.p50_ms:.1f}",
            f"{half.p99_ms:.1f}",
        )
    console.print(table)


def _show_inserts(console: Console, results: list[tuple[int, int, float, float]]) -> None:
    table = Table("one INSERT per event, no HTTP", "events/CPU s", "client CPU s", "server CPU s", box=None)
    for events, count, client, server in results:
        row = (f"a transaction per {events}", f"{count / (client + server):,.0f}", f"{client:.2f}", f"{server:.2f}")
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
