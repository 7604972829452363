"""How long clients wait while a column is added: 500 events a second through a collector, beside the same without."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.events.receive import RunningCollector, collector
from stats_assets.events.evolve import evolve
from stats_assets.events.schema_file import EventSchema, read_schema_file
from stats_assets.shared.postgres import StatsDatabase

_SECONDS, _EVENTS_PER_BODY, _REQUESTS_PER_SECOND, _CONNECTIONS = 8, 10, 50, 8
_ADDED = "      - {name: season, indexed: true}\n"


@dataclass(frozen=True)
class Waited:
    """Latencies of one load in milliseconds, counted from when each request was due."""

    what: str
    requests: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


def measured(server: measure.Server) -> list[Waited]:
    """Every request was answered 200, or the load ends the benchmark."""
    database = StatsDatabase(server.dsn)
    with collector(server.dsn) as running:
        evolve(database, _schema(running))
        still = _waited("the schema file stays", _begin(running))
        load = _begin(running)
        time.sleep(_SECONDS / 3)
        content = running.schema_file.read_text()
        running.schema_file.write_text(content.replace("  sessions:", f"{_ADDED}  sessions:", 1))
        evolution = evolve(database, _schema(running))
        assert evolution.is_settled, evolution
        return [still, _waited("a column and an index are added", load)]


def show(console: Console, waits: list[Waited]) -> None:
    table = Table("500 events a second", "requests", "p50 ms", "p99 ms", "longest ms", box=None)
    for waited in waits:
        latencies = (f"{ms:.1f}" for ms in (waited.p50_ms, waited.p99_ms, waited.longest_ms))
        table.add_row(waited.what, str(waited.requests), *latencies)
    console.print(table)


def _schema(running: RunningCollector) -> EventSchema:
    return read_schema_file(running.schema_file, {})


def _begin(running: RunningCollector) -> subprocess.Popen[bytes]:
    numbers = (running.port, _CONNECTIONS, _EVENTS_PER_BODY, _SECONDS, _REQUESTS_PER_SECOND)
    command = [sys.executable, "-m", "benchmarks.events.load", *map(str, numbers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _waited(what: str, load: subprocess.Popen[bytes]) -> Waited:
    told, _ = load.communicate()
    assert load.returncode == 0, "a request was not answered 200"
    found = json.loads(told)
    return Waited(what, found["requests"], found["p50_ms"], found["p99_ms"], found["longest_ms"])
