"""A collector as a process of its own, and a client that sends exactly what it is told to."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

from stats_assets.shared.environment import PROJECT_FOLDER
from tests.ports import free_ports

SCHEMA = """\
tables:
  levels:
    columns:
      - {name: level, type: i32, required: true}
      - {name: hero}
      - {name: agent, header: User-Agent}
  bare: {columns: []}
apps:
  game: {secret_key: [old, new], tables: [levels, bare]}
"""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RunningCollector:
    """`start` and `kill` as often as wanted; folder, port and database stay the same."""

    def __init__(self, folder: Path, dsn: str, schema: str = SCHEMA, events: str = "", port: int | None = None) -> None:
        self.folder, self.port, self._dsn = folder, port or free_ports(), dsn
        folder.mkdir(parents=True, exist_ok=True)
        self.schema_file = folder / "events.yaml"
        self.schema_file.write_text(schema)
        (folder / "stats.yaml").write_text(
            f"events:\n  schema_file: {self.schema_file}\n  port: {self.port}\n  spool: {self.spool}\n{events}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was not started"
        return self._process.pid

    def start(self, max_file_bytes: int | None = None) -> None:
        """Returns when it listens. No file it writes gets longer than `max_file_bytes`."""

        def limit() -> None:
            if max_file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))

        environ = {**os.environ, "STATS_CONFIG": str(self.folder / "stats.yaml"), "STATS_DSN": self._dsn}
        with (self.folder / "log").open("ab") as log:
            log_before = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stats_assets.events"],
                cwd=PROJECT_FOLDER,
                env=environ | {"PYTHONPATH": str(PROJECT_FOLDER), "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
                preexec_fn=limit,
            )
        wait_for(lambda: self._listens(log_before), "the collector does not listen")

    def _listens(self, log_before: int) -> bool:
        """By its own words: on a port that is taken somebody else would answer."""
        words = (self.folder / "log").read_bytes()[log_before:].decode()
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"the collector has ended:\n{words}")
        return "the collector takes events" in words

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
            self._process = None

    def memory_mb(self) -> float:
        """Resident now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def health(self) -> Any:
        return self.get("/health").json

    def post(self, *events: Any, headers: Mapping[str, str] | None = None, secret: str = "new") -> Answer:
        body = json.dumps({"secret_key": secret, "events": events}).encode()
        return self.post_body(body, headers)

    def post_body(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("POST", "/apps/game/events", body, {"Content-Type": "application/json", **(headers or {})})


@contextmanager
def collecting(folder: Path, dsn: str, schema: str = SCHEMA, events: str = "") -> Iterator[RunningCollector]:
    """A collector that has started, and is ended with the block."""
    collector = RunningCollector(folder, dsn, schema, events)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def wait_for(condition: Callable[[], bool], otherwise: str, timeout_seconds: float = 120) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def stored_ids(dsn: str) -> list[str]:
    """The event ids in raw_events, sorted, repeated ones repeatedly."""
    return sorted(event_id for (event_id,) in rows(dsn, "SELECT event_id FROM events.raw_events"))
