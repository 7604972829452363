"""Secrets are planted in the environment; nothing that others may see must hold one: `ps`, output, logs, events."""

from __future__ import annotations

import subprocess
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from tests.stack import PROJECT, Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DSN, FEED, OPTION, RESTIC = "planted-dsn-k3y", "planted-feed-k3y", "planted-option-k3y", "planted-restic-k3y"
SECRETS = (DSN, FEED, OPTION, RESTIC)
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
"""


def test_no_secret_is_seen_in_ps_output_logs_or_events(database_dsn: str, empty_database_dsn: str, tmp_path: Path):
    config = tmp_path / "stats.yaml"
    config.write_text(CONFIG.replace("FOLDER", str(tmp_path)).replace("FIRST_DAY", f"{DAY - timedelta(days=3)}"))
    home = Home(tmp_path / "home", 3890, config)
    url = make_url(database_dsn)
    home.environ |= {
        "STATS_DSN": url.set(password=DSN).render_as_string(hide_password=False),
        "STATS_DAGSTER_DSN": make_url(empty_database_dsn).set(password=DSN).render_as_string(hide_password=False),
        "PLANTED_FEED": FEED,
        "PLANTED_OPTION": OPTION,
        "PLANTED_RESTIC": RESTIC,
    }
    with _watched_commands() as commands:
        fetched = home.stats("materialize", "log_sync/files", "--partition", f"{DAY}")
        backup = home.stats("materialize", "backups/base_backup")
        listed = home.stats("restore")
        told = home.stats("doctor")
    assert fetched.returncode == 1 and "proxy01" in fetched.stderr  # the failure is told, which is what we read
    assert "dump" in listed.stdout
    assert any("pg_dump" in command for command in commands)
    places = {f"output of {done.args[1:]}": done.stdout + done.stderr for done in (fetched, backup, listed, told)}
    places |= {"ps": "\n".join(sorted(commands)), "events": _dump(empty_database_dsn)}
    places |= {str(file): file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.is_file()}
    assert "STEP_FAILURE" in places["events"]
    found = [f"{secret} in {place}" for place, text in places.items() for secret in SECRETS if secret in text]
    assert found == []


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
        while not self._stop.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self._seen.add(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue  # it has ended


def _dump(dsn: str) -> str:
    """Every row of Dagster's database as text."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        text = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM public."{table}" t')
            text += [row for (row,) in cursor.fetchall()]
    return "\n".join(text)


def test_a_mistake_in_stats_yaml_is_told_without_the_secret_beside_it(tmp_path: Path):
    config = tmp_path / "stats.yaml"
    config.write_text(f"log_sync:\n  hosts:\n    - {{name: p, url: 'ftpx://u:{FEED}@h/x', path: 'a', since: never}}\n")
    environ = Home(tmp_path / "home", 3890, config).environ
    done = subprocess.run([PROJECT / "stats", "restore"], env=environ, capture_output=True, text=True)
    assert done.returncode == 1 and "stats.yaml:3" in done.stderr
    assert FEED not in done.stdout + done.stderr
