"""Raw events into typed rows: CPU seconds of client and server, beside the floor that INSERT ... SELECT sets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date

import psycopg2
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.events.tables import SCHEMA
from stats_assets.events.evolve import evolve
from stats_assets.shared.postgres import StatsDatabase

PLAIN_DAY, DAY_WITH_IDS = date(2026, 11, 2), date(2026, 11, 9)
# What no way of filling the table could be without: its rows, ready in the server, written once more.
_FLOOR = """
CREATE TABLE events.floor (LIKE events.plays);
INSERT INTO events.floor SELECT * FROM events.plays WHERE received_at < '2026-11-05'
"""


@dataclass(frozen=True)
class Row:
    """One measured step; client and server in CPU seconds."""

    step: str
    events: int
    client: float
    server: float
    peak_mb: float = 0


def measured(server: measure.Server, events: int) -> list[Row]:
    """A day without and one with event ids, 1 % of both bad; the start of the client is measured apart."""
    module = [sys.executable, "-m", "benchmarks.events.raw_days", server.dsn]
    measure.run([*module, str(PLAIN_DAY), str(events), "none"])
    measure.run([*module, str(DAY_WITH_IDS), str(events), "ids"])
    evolve(StatsDatabase(server.dsn), SCHEMA)
    rows = [_step(server, "start of the client", 0)]
    rows.append(_step(server, "raw to typed", events, PLAIN_DAY))
    rows.append(_step(server, "the same day again", events, PLAIN_DAY))
    rows.append(_step(server, "raw to typed, with event ids", events, DAY_WITH_IDS))
    before = server.cpu_seconds()
    with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_FLOOR)
    return [*rows, Row("floor: INSERT of the typed rows alone", events, 0, server.cpu_seconds() - before)]


def _step(server: measure.Server, step: str, events: int, *days: date) -> Row:
    measure.settle(server.dsn)
    before = server.cpu_seconds()
    cost = measure.run([sys.executable, "-m", "benchmarks.events.type_days", server.dsn, *map(str, days)])
    return Row(step, events, cost.cpu_seconds, server.cpu_seconds() - before, cost.peak_mb)


def show(console: Console, rows: list[Row]) -> None:
    """Figures without the start of the client, which a run pays once."""
    start = rows[0]
    table = Table("raw to typed", "CPU s", "client", "server", "events/CPU s", "peak MB", box=None)
    for row in rows:
        client = row.client - start.client if row.client and row is not start else row.client
        cpu = client + row.server
        rate = f"{row.events / cpu:,.0f}" if row.events else ""
        table.add_row(row.step, f"{cpu:.2f}", f"{client:.2f}", f"{row.server:.2f}", rate, f"{row.peak_mb:,.0f}")
    console.print(table)


def main(events: int) -> None:
    """Only this part: python -m benchmarks.events.raw_to_typed EVENTS."""
    with measure.server() as server:
        show(Console(width=110), measured(server, events))


if __name__ == "__main__":
    main(int(sys.argv[1]))
