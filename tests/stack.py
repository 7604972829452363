"""The whole stack as an operator meets it: the launcher's verbs on a home and a port of their own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from stats_assets.local.databases import private_server
from stats_assets.local.graphql import Graphql
from stats_assets.shared.environment import read_environment

PROJECT = Path(__file__).resolve().parents[1]
LINES = 200  # per host and day: enough for every kind of line, and quickly made


class Home:
    """A folder and a port, and the launcher run with them."""

    def __init__(self, folder: Path, port: int, config: Path) -> None:
        self.folder, self.port = folder, port
        without = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_"))}
        self.environ = {
            **without,
            "STATS_HOME": str(folder),
            "STATS_PORT": str(port),
            "STATS_CONFIG": str(config),
            "STATS_SANDBOX_LINES": str(LINES),
        }

    def stats(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROJECT / "stats", *arguments], env=self.environ, capture_output=True, text=True)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROJECT / "stats", *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ui(self) -> Graphql:
        return Graphql(self.url)

    def pids(self) -> dict[str, int]:
        record = json.loads((self.folder / "run.json").read_text())
        return {name: process["pid"] for name, process in record["services"].items()}

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the data database answers, asked without the launcher: that takes a second each time."""
        server = private_server(read_environment(self.environ))
        dsn = self.environ.get("STATS_DSN") or (server.dsn("stats") if server else "")
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def postmaster(self) -> int:
        (lock,) = self.folder.glob("pg/data-*/postmaster.pid")
        return int(lock.read_text().split()[0])

    def processes(self) -> list[str]:
        """Every process of this home that is alive, by its command line."""
        mark = str(self.folder).encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in told and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found


def logs_only(folder: Path) -> Path:
    """stats.yaml without the sources of other rooms, which would fill themselves beside what is tested.

    The hosts that are seen as folders have logs of the last weeks only: a year of two hosts is enough.
    """
    config = yaml.safe_load((PROJECT / "stats.yaml").read_text())
    for host in config["log_sync"]["hosts"]:
        if host["url"].startswith("file:"):
            host["since"] = datetime.now(UTC).date() - timedelta(weeks=6)
    path = folder / "stats.yaml"
    path.write_text(yaml.safe_dump({name: config[name] for name in ("archive", "log_sync", "countme")}))
    return path


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.2)


def assets_of(home: Home) -> set[str]:
    nodes = home.ui.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
    return {"/".join(node["assetKey"]["path"]) for node in nodes}
