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
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from moto.server import ThreadedMotoServer

from stats_assets.local.surroundings import for_sqlalchemy
from tests.deploy.test_proxy import free_port
from tests.stack import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SITE = "mirrors.example.org"
DAYS = [datetime.now(UTC).date() - timedelta(days=n) for n in (4, 3, 2)]
SPAN = {"dagster/asset_partition_range_start": f"{DAYS[0]}", "dagster/asset_partition_range_end": f"{DAYS[-1]}"}
MAX_RUNTIME_SECONDS = 60
CONFIG = f"""
archive: ARCHIVE
log_sync:
  sites: [{SITE}]
  spool: FOLDER/spool
  hosts:
    - {{name: web1, url: "http://127.0.0.1:PORT", path: "%Y-%m-%d.log.gz"}}
countme: {{site: {SITE}, first_day: {DAYS[0]}, policy: compat}}
"""
LINE = (
    "10.0.{n}.1 - - [{day:%d/%b/%Y}:0{n}:00:01 +0000]"
    ' "GET /metalink?repo=fedora-39&arch=x86_64&countme={age} HTTP/2.0" 200 9 "-"'
    ' "libdnf (Fedora Linux 39; workstation; Linux.x86_64)"\n'
)
RESULT = """
SELECT json_agg(t ORDER BY t.hit_at, t.day)::text FROM (
    SELECT h.hit_at, h.sys_age, s.day, s.sha256 FROM countme.raw_hits h JOIN countme.sources s USING (source_id)) t
"""


class LogHost(http.server.BaseHTTPRequestHandler):
    """Serves the days' logs; while `held` is clear a download waits for it."""

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
            "".join(LINE.format(n=n, day=day, age=n % 4 + 1) for n in range(1, 9)).encode(), mtime=0
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{day:%d}"')
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
    arguments = ("job", "launch", "-m", "stats_assets.definitions", "-j", job, "--tags", json.dumps(SPAN))
    command = [sys.executable, "-m", "dagster", *arguments]
    done = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def environ(database_dsn: str, empty_database_dsn: str, redis_server: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The surroundings of every process, with broker, store and log host running."""
    store = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    store.start()
    logs = http.server.ThreadingHTTPServer(("127.0.0.1", 0), LogHost)
    threading.Thread(target=logs.serve_forever, daemon=True).start()
    LogHost.held.set()
    port = free_port()
    home = tmp_path / "dagster"
    home.mkdir()
    text = (PROJECT / "deploy/celery/dagster.yaml").read_text()
    assert "max_runtime_seconds: 3600" in text and "poll_interval_seconds: 15" in text
    text = text.replace("max_runtime_seconds: 3600", f"max_runtime_seconds: {MAX_RUNTIME_SECONDS}")
    (home / "dagster.yaml").write_text(text.replace("poll_interval_seconds: 15", "poll_interval_seconds: 3"))
    config = CONFIG.replace("PORT", str(logs.server_port)).replace("FOLDER", str(tmp_path))
    (tmp_path / "stats.yaml").write_text(config.replace("ARCHIVE", "s3://archive/stats"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_", "AWS_"))}
    host, store_port = store.get_host_and_port()
    given = plain | {
        "STATS_DSN": database_dsn,
        "STATS_DAGSTER_DSN": for_sqlalchemy(empty_database_dsn),
        "STATS_CONFIG": str(tmp_path / "stats.yaml"),
        "STATS_HOME": str(tmp_path / "home"),
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'deploy/celery'}",
        "CELERY_BROKER": f"redis://:planted@127.0.0.1:{port}/0",
        "CELERY_BACKEND": f"redis://:planted@127.0.0.1:{port}/0",
        "AWS_ENDPOINT_URL": f"http://{host}:{store_port}",
        "AWS_ACCESS_KEY_ID": "stats",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    make = "import s3fs; s3fs.S3FileSystem().mkdir('archive')"
    subprocess.run([sys.executable, "-c", make], env=given, check=True)
    options = ("--port", str(port), "--bind", "127.0.0.1", "--requirepass", "planted", "--save", "")
    try:
        with process(tmp_path, "redis", given, str(redis_server), *options):
            yield given
    finally:
        LogHost.held.set()
        logs.shutdown()
        logs.server_close()
        store.stop()


def test_workers_give_what_one_machine_gives_and_one_that_is_killed_is_replaced(
    environ: dict[str, str], database_dsn: str, empty_database_dsn: str, tmp_path: Path
):
    alone = environ | {"STATS_CONFIG": str(tmp_path / "alone.yaml")}
    text = (tmp_path / "stats.yaml").read_text()
    (tmp_path / "alone.yaml").write_text(text.replace("s3://archive/stats", str(tmp_path / "archive")))
    span = ("--from", f"{DAYS[0]}", "--to", f"{DAYS[-1]}")
    command = [PROJECT / "stats", "materialize", "key:log_sync/files or key:countme/raw_hits", *span]
    made = subprocess.run(command, env=alone, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-2000:]
    wanted = rows(database_dsn, RESULT)
    assert len(json.loads(wanted[0][0])) == 24
    for table in ("countme.sources", "countme.raw_hits", "log_sync.files"):
        rows(database_dsn, f"WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone")

    def all_runs(state: str) -> int:
        return rows(empty_database_dsn, f"SELECT count(*) FROM runs WHERE status = '{state}'")[0][0]

    own = all_runs("SUCCESS")

    def runs(state: str) -> int:
        return all_runs(state) - (own if state == "SUCCESS" else 0)

    def received() -> list[int]:
        return [(tmp_path / f"worker{n}.log").read_text().count("received") for n in (1, 2)]

    worker = (sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker", "-Q", "dagster", "-c", "1")
    worker += ("-l", "info", "-n")
    daemon = (sys.executable, "-m", "dagster._daemon", "run", "-m", "stats_assets.definitions")
    with (
        process(tmp_path, "daemon", environ, *daemon),
        process(tmp_path, "worker1", environ, *worker, "w1@%h") as first,
        process(tmp_path, "worker2", environ, *worker, "w2@%h") as second,
    ):
        launch(environ, "log_sync_files")
        wait_for(lambda: runs("SUCCESS") == 1, "files are not fetched")
        launch(environ, "countme_load")
        wait_for(lambda: runs("SUCCESS") == 2, "hits are not loaded")
        assert rows(database_dsn, RESULT) == wanted

        before = received()
        LogHost.held.clear()
        LogHost.asked.clear()
        rows(database_dsn, "WITH gone AS (DELETE FROM log_sync.files RETURNING 1) SELECT count(*) FROM gone")
        launch(environ, "log_sync_files")
        assert LogHost.asked.wait(300)
        busy = [now > then for now, then in zip(received(), before, strict=True)]
        assert sum(busy) == 1
        kill(first if busy[0] else second)
        LogHost.held.set()
        wait_for(lambda: runs("FAILURE") == 1, "the lost run was not ended")
        wait_for(lambda: runs("SUCCESS") == 3, "the lost run was not replaced")
    assert rows(database_dsn, "SELECT count(*) FROM log_sync.files WHERE state = 'fetched'") == [(3,)]
    assert [n > then for n, then in zip(received(), before, strict=True)] == [True, True]
