"""What receiving costs: committed events per CPU-second of collector and PostgreSQL together, and latencies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2

from benchmarks import measure
from benchmarks.events.load import SECRET

_TICKS = os.sysconf("SC_CLK_TCK")
_SCHEMA = f"""\
tables:
  levels:
    columns:
      - {{name: time, type: timestamp, required: true}}
      - {{name: level, type: i32, required: true}}
      - {{name: score, type: i64}}
      - {{name: accuracy, type: f64}}
      - {{name: won, type: bool, required: true}}
      - {{name: hero}}
      - {{name: agent, header: User-Agent}}
  sessions: {{columns: [{{name: platform}}]}}
apps:
  bench: {{secret_key: {SECRET}, tables: [levels, sessions], events_per_second: 1000000000}}
"""


@dataclass(frozen=True)
class Received:
    """One measured load. CPU seconds are of the collector and of PostgreSQL; latencies in milliseconds."""

    events_per_body: int
    connections: int
    events: int
    collector: float
    server: float
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_cpu_second(self) -> float:
        return self.events / (self.collector + self.server)

    @property
    def requests_per_second(self) -> float:
        return self.events / self.events_per_body / self.seconds


@dataclass(frozen=True)
class RunningCollector:
    port: int
    pid: int
    schema_file: Path

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def collector(dsn: str) -> Iterator[RunningCollector]:
    """A collector with limits that a benchmark does not reach."""
    with TemporaryDirectory(prefix="stats-bench-") as folder, closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = 20_000 + probe.getsockname()[1] % 10_000
        config = Path(folder) / "stats.yaml"
        (Path(folder) / "events.yaml").write_text(_SCHEMA)
        config.write_text(
            f"events:\n  schema_file: {folder}/events.yaml\n  port: {port}\n  spool: {folder}/spool\n"
            "  limits: {max_body_bytes: 1000000, max_events: 5000}\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "stats_assets.events"],
            env={**os.environ, "STATS_CONFIG": str(config), "STATS_DSN": dsn},
        )
        try:
            _wait_for(port, process)
            yield RunningCollector(port, process.pid, Path(folder) / "events.yaml")
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        if process.poll() is not None:
            sys.exit("the collector has ended")
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def measured(
    server: measure.Server, events_per_body: int, connections: int, seconds: float, rate: float = 0
) -> Received:
    """A load on a collector of its own, after a second of warming up. Counts what is in the table afterwards."""
    with collector(server.dsn) as running:
        _load(running.port, connections, events_per_body, 1, rate)
        measure.settle(server.dsn)
        rows = _rows(server.dsn)
        before = running.cpu_seconds(), server.cpu_seconds()
        told = _load(running.port, connections, events_per_body, seconds, rate)
        after = running.cpu_seconds(), server.cpu_seconds()
        events = _rows(server.dsn) - rows
    assert events == told["requests"] * events_per_body, "what was acknowledged is not what is there"
    used = after[0] - before[0], after[1] - before[1]
    return Received(events_per_body, connections, events, *used, told["seconds"], told["p50_ms"], told["p99_ms"])


def _load(port: int, connections: int, events: int, seconds: float, rate: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.events.load", *map(str, (port, connections, events, seconds, rate))]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _rows(dsn: str) -> int:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events.raw_events")
        return (cursor.fetchone() or (0,))[0]
