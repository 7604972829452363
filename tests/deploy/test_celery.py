"""Runs on Celery workers as deploy/celery has them: a broker, two workers, an archive in an S3 store, on loopback."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from stats_assets.local.surroundings import for_sqlalchemy
from tests.object_store import object_store
from tests.ports import free_ports
from tests.stack import PROJECT
from tests.whole_world import (
    FIRST_LOG_DAY,
    LINES,
    STANDS_AT,
    TODAY,
    WORK,
    differences,
    exported_from,
    undisturbed,
    write_config,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

DAYS = [TODAY - timedelta(days=n) for n in (4, 3, 2)]
# A worker that is lost is replaced after the longest time a run may take, here one of its own.
TAGS = {
    "dagster/asset_partition_range_start": f"{DAYS[0]}",
    "dagster/asset_partition_range_end": f"{DAYS[-1]}",
    "dagster/max_runtime": "60",
}
LINE = (
    "10.0.{n}.1 - - [{day:%d/%b/%Y}:0{n}:00:01 +0000]"
    ' "GET /metalink?repo=fedora-39&arch=x86_64&countme={age} HTTP/2.0" 200 9 "-"'
    ' "libdnf (Fedora Linux 39; workstation; Linux.x86_64)"\n'
)
# What a stack of ours does by itself: asks for every partition through the webserver, level after level.
MATERIALIZE = """
import os, sys
from datetime import date
from stats_assets.local.materialize import Request, failure_lines
from stats_assets.local.run_plan import Days
from stats_assets.local.workshop import materialize
from stats_assets.shared.environment import read_environment
selection, url, first, last = sys.argv[1:]
request = Request(Days(date.fromisoformat(first), date.fromisoformat(last)))
sys.exit("\\n".join(failure_lines(materialize(read_environment(os.environ), selection, request, url))) or 0)
"""


class LogHost(http.server.BaseHTTPRequestHandler):
    """Serves the days' logs, of so many lines; while `held` is clear a download waits for it."""

    lines = 8
    held, asked = threading.Event(), threading.Event()

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        content = self._head()
        self.asked.set()
        self.held.wait(25)
        self.wfile.write(content)

    def _head(self) -> bytes:
        day = datetime.strptime(self.path.strip("/").removesuffix(".log.gz"), "%Y-%m-%d")
        content = gzip.compress(
            "".join(LINE.format(n=n, day=day, age=n % 4 + 1) for n in range(1, self.lines + 1)).encode(), mtime=0
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{day:%d}-{self.lines}"')
        self.end_headers()
        return content

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def process(folder: Path, name: str, environ: dict[str, str], *command: str) -> Iterator[subprocess.Popen]:
    """In a session of its own, its words in a file; killed with all it started."""
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        yield started
    finally:
        kill(started)


def kill(started: subprocess.Popen) -> None:
    try:
        os.killpg(started.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    started.wait()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def rows(dsn: str, statement: str) -> list[tuple]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def launch(environ: dict[str, str], job: str) -> None:
    arguments = ("job", "launch", "-w", environ["WORKSPACE"], "-j", job, "--tags", json.dumps(TAGS))
    command = [sys.executable, "-m", "dagster", *arguments]
    done = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def log_host() -> Iterator[dict[str, Any]]:
    """One more host of stats.yaml, running: the one whose downloads can be held."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), LogHost)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    LogHost.held.set()
    LogHost.lines = 8
    yield {"name": "web1", "url": f"http://127.0.0.1:{server.server_port}", "path": "%Y-%m-%d.log.gz"}
    LogHost.held.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def store() -> Iterator[str]:
    """An S3 store with the bucket `archive`."""
    with object_store() as url:
        yield url


@pytest.fixture
def environ(
    database_dsn: str, empty_database_dsn: str, redis_server: Path, store: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The surroundings of every process of a deployment in tmp_path, with its broker running."""
    broker, home, ui = free_ports(), tmp_path / "home", free_ports()
    (home / "dagster").mkdir(parents=True)
    text = (PROJECT / "deploy/celery/dagster.yaml").read_text()
    assert "poll_interval_seconds: 15" in text
    (home / "dagster/dagster.yaml").write_text(text.replace("poll_interval_seconds: 15", "poll_interval_seconds: 3"))
    socket = tmp_path / "code"
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(f"load_from: [{{grpc_server: {{socket: {socket}, location_name: stats_assets}}}}]\n")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_", "AWS_"))}
    given = plain | {
        "STATS_DSN": database_dsn,
        "STATS_DAGSTER_DSN": for_sqlalchemy(empty_database_dsn),
        "STATS_CONFIG": str(tmp_path / "stats.yaml"),
        "STATS_HOME": str(home),
        "STATS_PORT": str(ui),
        "STATS_SANDBOX_URL": f"http://127.0.0.1:{ui + 1}",
        "STATS_SANDBOX_DIR": str(home / "sandbox"),
        "DAGSTER_HOME": str(home / "dagster"),
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'deploy/celery'}",
        "CELERY_BROKER": f"redis://:planted@127.0.0.1:{broker}/0",
        "CELERY_BACKEND": f"redis://:planted@127.0.0.1:{broker}/0",
        "AWS_ENDPOINT_URL": store,
        "AWS_ACCESS_KEY_ID": "stats",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CODE": str(socket),
        "WORKSPACE": str(workspace),
    }
    make = "import s3fs; s3fs.S3FileSystem().mkdir('archive')"
    subprocess.run([sys.executable, "-c", make], env=given, check=True)
    options = ("--port", str(broker), "--bind", "127.0.0.1", "--requirepass", "planted", "--save", "")
    with process(tmp_path, "redis", given, str(redis_server), *options):
        yield given


@contextmanager
def sources(environ: dict[str, str], folder: Path) -> Iterator[None]:
    """The simulated sources."""
    at = ("--port", environ["STATS_SANDBOX_URL"].rpartition(":")[2], "--folder", environ["STATS_SANDBOX_DIR"])
    options = (*at, "--lines", str(LINES), "--weeks", "3", "--at", STANDS_AT)
    with process(folder, "sandbox", environ, sys.executable, "-m", "stats_assets.sandbox", "serve", *options):
        wait_for(lambda: answers(f"{environ['STATS_SANDBOX_URL']}/health?from={FIRST_LOG_DAY}"), "no simulated sources")
        yield


@contextmanager
def deployment(environ: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen, subprocess.Popen]]:
    """Code server, webserver and daemon, and the two workers, which are given."""
    python = (sys.executable, "-m")
    location = ("--module-name", "stats_assets.definitions", "--location-name", "stats_assets")
    code = (*python, "dagster", "api", "grpc", "--socket", environ["CODE"], *location)
    serve = ("--host", "127.0.0.1", "--port", environ["STATS_PORT"], "-w", environ["WORKSPACE"])
    worker = (*python, "celery", "-A", "dagster_celery.app", "worker", "-Q", "dagster", "-c", "1", "-l", "info", "-n")
    with (
        process(folder, "code", environ, *code, "--use-python-environment-entry-point"),
        process(folder, "worker1", environ, *worker, "w1@%h") as first,
        process(folder, "worker2", environ, *worker, "w2@%h") as second,
    ):
        wait_for(Path(environ["CODE"]).exists, "no code server")
        with (
            process(folder, "webserver", environ, *python, "dagster_webserver", *serve),
            process(folder, "daemon", environ, *python, "dagster._daemon", "run", "-w", environ["WORKSPACE"]),
        ):
            wait_for(lambda: answers(f"http://127.0.0.1:{environ['STATS_PORT']}/server_info"), "no webserver")
            yield first, second


def test_workers_give_what_one_process_gives_and_one_that_is_killed_is_replaced(
    environ: dict[str, str], log_host: dict[str, Any], database_dsn: str, empty_database_dsn: str, tmp_path: Path
):
    (tmp_path / "alone").mkdir()
    wanted = undisturbed(tmp_path / "alone", free_ports(), more_hosts=[log_host])
    write_config(tmp_path, {"archive": "s3://archive/stats"}, more_hosts=[log_host])

    def runs(state: str) -> int:
        return rows(empty_database_dsn, f"SELECT count(*) FROM runs WHERE status = '{state}'")[0][0]

    def received() -> list[int]:
        return [(tmp_path / f"worker{n}.log").read_text().count("received") for n in (1, 2)]

    with sources(environ, tmp_path), deployment(environ, tmp_path) as (first, second):
        url = f"http://127.0.0.1:{environ['STATS_PORT']}"
        for selection, first_day in WORK:
            command = [sys.executable, "-c", MATERIALIZE, selection, url, f"{first_day}", f"{TODAY}"]
            made = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True)
            assert made.returncode == 0, made.stderr[-4000:]
        tables = exported_from(database_dsn, tmp_path / "exported")
        assert differences(tables, {name: text for name, text in wanted.items() if name in tables}) == {}
        assert all(received())  # both have worked

        before, done = received(), runs("SUCCESS")
        LogHost.held.clear()
        LogHost.asked.clear()
        LogHost.lines = 9  # other files than those that are there: they are fetched again
        launch(environ, "log_sync_files")
        assert LogHost.asked.wait(300)
        busy = [now > then for now, then in zip(received(), before, strict=True)]
        assert sum(busy) == 1
        kill(first if busy[0] else second)
        LogHost.held.set()
        wait_for(lambda: runs("FAILURE") == 1, "the lost run was not ended")
        wait_for(lambda: runs("SUCCESS") == done + 1, "the lost run was not replaced")
    files = f"FROM log_sync.files WHERE host = 'web1' AND day BETWEEN '{DAYS[0]}' AND '{DAYS[-1]}'"
    assert rows(database_dsn, f"SELECT count(*), min(lines) {files}") == [(3, 9)]
    assert [n > then for n, then in zip(received(), before, strict=True)] == [True, True]
