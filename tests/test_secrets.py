"""Secrets are planted in the environment; nothing that others may see must hold one: `ps`, output, logs, events."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from stats_assets.notifications import store
from stats_assets.shared.postgres import StatsDatabase
from tests.events.running import RunningCollector, collecting
from tests.stack import PROJECT, Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DSN, FEED, OPTION, RESTIC = "planted-dsn-k3y", "planted-feed-k3y", "planted-option-k3y", "planted-restic-k3y"
APP, TOKEN, CHANNEL, BUS = "planted-app-k3y", "planted-token-k3y", "planted-channel-k3y", "planted-bus-k3y"
SECRETS = (DSN, FEED, OPTION, RESTIC, APP, TOKEN, CHANNEL, BUS)
DAY = datetime.now(UTC).date() - timedelta(days=1)
# Port 1 refuses: the worst case, since addresses go into messages when something fails.
CONFIG = """
archive: FOLDER/archive
log_sync:
  sites: [mirrors.example.org]
  spool: FOLDER/spool
  attempts: 1
  hosts:
    - name: proxy01
      url: http://stats:${PLANTED_FEED}@127.0.0.1:1/logs
      path: "%Y/%m/%d/{site}.log.gz"
    - name: proxy02
      url: s3://logs/proxy02
      path: "%Y/%m/%d/{site}.log.gz"
      storage_options: {endpoint_url: "http://127.0.0.1:1", key: k, secret: "${PLANTED_OPTION}"}
countme: {site: mirrors.example.org, first_day: FIRST_DAY}
backups:
  url: FOLDER/backups
  staging: FOLDER/staging
  method: dump
  restic_repository: rest:http://stats:${PLANTED_RESTIC}@127.0.0.1:1/
notifications:
  channels: {us: {url: "json://stats:${PLANTED_CHANNEL}@127.0.0.1:1/"}}
  bus: {url: "amqp://stats:${PLANTED_BUS}@127.0.0.1:1/"}
  group_seconds: 0
"""
EVENTS = """
tables: {levels: {columns: [{name: level, type: i32}, {name: agent, header: User-Agent}]}}
apps: {game: {secret_key: "${PLANTED_APP}", tables: [levels]}}
"""


def test_no_secret_is_seen_in_ps_output_logs_tables_or_files(
    database_dsn: str, empty_database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, secret in {"FEED": FEED, "OPTION": OPTION, "RESTIC": RESTIC, "CHANNEL": CHANNEL, "BUS": BUS}.items():
        monkeypatch.setenv(f"PLANTED_{name}", secret)
    monkeypatch.setenv("PLANTED_APP", APP)
    config = tmp_path / "stats.yaml"
    config.write_text(CONFIG.replace("FOLDER", str(tmp_path)).replace("FIRST_DAY", f"{DAY - timedelta(days=3)}"))
    home = Home(tmp_path / "home", 3890, config)
    dsn, dagster_dsn = (_with_password(dsn) for dsn in (database_dsn, empty_database_dsn))
    home.environ |= {"STATS_DSN": dsn, "STATS_DAGSTER_DSN": dagster_dsn}
    with StatsDatabase(database_dsn).transaction() as cursor:
        store.places(cursor, 0, datetime.now(UTC))  # so that the watcher, when it looks, reads from the beginning
    with _watched_commands() as commands:
        with collecting(tmp_path / "collector", dsn, EVENTS) as collector:
            assert _sent(collector) == [207, 422, 200, 403, 403, 400]
        made = home.stats("materialize", "key:log_sync/files or key:backups/base_backup")
        watched = home.stats("watch", "--once")
        listed = home.stats("restore")
        told = home.stats("doctor")
    # Each failure is told, which is what we read.
    assert made.returncode == 1 and "proxy01" in made.stderr and "restic" in made.stderr
    assert "dump" in listed.stdout
    assert watched.returncode == 0 and "us did not take a message" in watched.stderr and "AMQP" in watched.stderr, (
        watched
    )
    assert any("pg_dump" in command for command in commands)
    places = {f"output of {done.args[1:]}": done.stdout + done.stderr for done in (made, watched, listed, told)}
    places |= {"ps": "\n".join(sorted(commands)), "dagster": _dump(empty_database_dsn), "data": _dump(database_dsn)}
    places |= {str(file): file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.is_file()}
    assert "STEP_FAILURE" in places["dagster"] and _hex("levels") in places["data"]
    found = [
        f"{secret} in {place}"
        for place, text in places.items()
        for secret in SECRETS
        if secret in text or _hex(secret) in text  # as bytes are shown
    ]
    assert found == []


def _with_password(dsn: str) -> str:
    return make_url(dsn).set(password=DSN).render_as_string(hide_password=False)


def _hex(text: str) -> str:
    return text.encode().hex()


def _sent(collector: RunningCollector) -> list[int]:
    """What requests are answered that carry secrets in every place there is: right ones, wrong ones, a broken body."""
    event, nonsense = {"_t": "levels", "level": 1}, {"_t": "levels", "level": "high"}
    plain = json.dumps({"events": [event]}).encode()
    answers = (
        collector.post(event, nonsense, secret=APP),
        collector.post(nonsense, secret=APP),
        collector.post_body(plain, {"Authorization": f"Bearer {APP}"}),
        collector.post_body(plain, {"Authorization": f"Bearer {TOKEN}", "Cookie": TOKEN}),
        collector.post(event, secret=TOKEN),
        collector.post_body(f'{{"secret_key": "{APP}", "events": ['.encode()),
    )
    return [answer.status for answer in answers]


class _watched_commands:
    """Command lines of every process that is seen meanwhile, as `ps` shows them."""

    def __enter__(self) -> set[str]:
        self._stop, self._seen = threading.Event(), set[str]()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self._seen

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        known: set[str] = set()
        while not self._stop.wait(0.02):
            there = {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208  # a third of the cost
            # A process is new twice: when it is started, and then as the program it becomes.
            for pid in there - known:
                self._read(pid)
            recent, known = there - known, there
            if self._stop.wait(0.02):
                recent = there
            for pid in recent:
                self._read(pid)

    def _read(self, pid: str) -> None:
        with suppress(OSError):  # it has ended
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            self._seen.add(command.replace(b"\0", b" ").decode(errors="replace"))


def _dump(dsn: str) -> str:
    """Every row of a database's tables as text."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        text = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            text += [row for (row,) in cursor.fetchall()]
    return "\n".join(text)


def test_a_mistake_in_stats_yaml_is_told_without_the_secret_beside_it(tmp_path: Path):
    config = tmp_path / "stats.yaml"
    config.write_text(f"log_sync:\n  hosts:\n    - {{name: p, url: 'ftpx://u:{FEED}@h/x', path: 'a', since: never}}\n")
    environ = Home(tmp_path / "home", 3890, config).environ
    done = subprocess.run([PROJECT / "stats", "restore"], env=environ, capture_output=True, text=True)
    assert done.returncode == 1 and "stats.yaml:3" in done.stderr
    assert FEED not in done.stdout + done.stderr
