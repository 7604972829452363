"""What the doctor finds beyond the database's first questions: clocks, packages, disks, what runs, backups."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg2
import pytest

from stats_assets.configuration import StatsConfig
from stats_assets.local import running_checks
from stats_assets.local.database_checks import backup_age, clock_skew, questions
from stats_assets.local.doctor import disk_space
from stats_assets.local.findings import Finding
from stats_assets.local.graphql import Graphql
from stats_assets.local.installed import packages, pinned
from stats_assets.local.room_checks import web_sites
from stats_assets.notifications import store
from stats_assets.notifications.incidents import Failed, Thing
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.postgres import StatsDatabase

NOW = datetime.now(UTC)


def lines(findings: Iterator[Finding]) -> list[str]:
    return [finding.line() for finding in findings]


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.4, "ok"), (-1.9, "ok"), (5.0, "note"), (-29.0, "note"), (30.0, "wrong"), (-3600.0, "wrong")],
)
def test_clocks_that_do_not_agree_are_told(seconds: float, state: str):
    assert clock_skew(seconds).state == state
    assert state == "ok" or "time server" in clock_skew(seconds).advice


def test_a_clock_s_skew_is_told_with_its_direction():
    assert "60 s ahead of" in clock_skew(60).what
    assert "60 s behind" in clock_skew(-60).what


@pytest.mark.parametrize(("gb", "state"), [(0.5, "wrong"), (3, "note"), (50, "ok")])
def test_a_disk_that_is_nearly_full_is_told(tmp_path, gb: float, state: str):
    assert disk_space(tmp_path, int(gb * (1 << 30))).state == state


def test_what_is_installed_is_what_the_lock_names():
    (found,) = packages(PROJECT_FOLDER / "requirements.lock")
    assert found.state == "ok", found.line()


def test_another_version_than_the_lock_s_and_a_missing_package_are_told(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("rich==1.0.0 \\\n    --hash=sha256:00\nno-such-package==2.0\nold==1 ; python_full_version < '3'\n")
    assert [finding.state for finding in packages(lock)] == ["wrong", "wrong"]
    assert dict(pinned(lock.read_text())) == {"rich": "1.0.0", "no-such-package": "2.0"}


@pytest.mark.parametrize(("days", "state"), [(0, "ok"), (4, "wrong"), (None, "note")])
def test_a_backup_that_is_too_old_is_told(days: int | None, state: str):
    assert backup_age(None if days is None else NOW - timedelta(days=days), NOW).state == state


def test_tables_that_may_not_be_written_are_told(database_dsn: str):
    with psycopg2.connect(database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        role = f"reader_of_{cursor.fetchone()[0]}"  # type: ignore[index]
        cursor.execute(f"CREATE ROLE {role}")
    try:
        with psycopg2.connect(database_dsn) as connection, connection.cursor() as cursor:
            cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public, notifications, upkeep TO {role}")
            cursor.execute(f"GRANT USAGE ON SCHEMA notifications, upkeep TO {role}")
            cursor.execute(f"SET ROLE {role}")
            from stats_assets.local.database_checks import _rights

            (found,) = _rights(cursor)
            assert found.state == "wrong"
            assert "countme.addresses" in found.what
    finally:
        with psycopg2.connect(database_dsn) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_database_in_order_has_no_wrong_and_says_what_is_missing_ahead(database_dsn: str):
    found = list(questions(database_dsn, StatsConfig()))
    assert not [finding.line() for finding in found if finding.state == "wrong"]
    assert any("table partitions are missing ahead" in finding.what for finding in found)
    assert any("clock and the database's agree" in finding.what for finding in found)


def test_the_watcher_that_does_not_look_and_what_is_open_are_told(database: StatsDatabase):
    config = StatsConfig().notifications
    with database.transaction() as cursor:
        assert any("has never looked" in line for line in lines(running_checks.watcher(cursor, config, NOW)))
        store.places(cursor, 7, NOW - timedelta(hours=1))
        failed = Failed(Thing("silence", "collector"), "gone", "docs/runbooks/silent-service.md", NOW)
        store.record(cursor, [failed], NOW)
        told = lines(running_checks.watcher(cursor, config, NOW))
        assert any("the watcher last looked at" in line for line in told)
        assert any("1 incidents are open" in line for line in told)
        assert any("nobody is told of failures" in line for line in told)
        store.move_to(cursor, 8, NOW)
        assert not any("watcher" in line for line in lines(running_checks.watcher(cursor, config, NOW)))


class Ui:
    """A webserver that answers every question with `data`."""

    def __init__(self, data: dict[str, Any]) -> None:
        content = json.dumps({"data": data}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Graphql:
        return Graphql(f"http://127.0.0.1:{self.server.server_port}")

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def state_of(heartbeat: float, location: dict[str, Any]) -> dict[str, Any]:
    daemons = [{"daemonType": "SENSOR", "required": True, "lastHeartbeatTime": heartbeat}]
    return {
        "instance": {"daemonHealth": {"allDaemonStatuses": daemons}},
        "workspaceOrError": {"locationEntries": [{"locationOrLoadError": location}]},
    }


def location(**states: str) -> dict[str, Any]:
    schedules = [{"name": name, "scheduleState": {"status": status}} for name, status in states.items()]
    return {"__typename": "RepositoryLocation", "repositories": [{"schedules": schedules, "sensors": []}]}


def test_schedules_that_are_off_are_named():
    with Ui(state_of(NOW.timestamp(), location(daily="RUNNING", weekly="STOPPED"))) as ui:
        told = lines(running_checks.dagster(ui, NOW))
    assert told[0] == "ok    all 1 parts of the daemon are alive"
    assert told[1].startswith("note  1 of 2 schedules are off: weekly")


def test_a_silent_daemon_and_a_location_that_does_not_load_are_told():
    broken = {"__typename": "PythonError", "message": "ConfigurationMistake: stats.yaml:3: wrong\nmore"}
    with Ui(state_of(NOW.timestamp() - 600, broken)) as ui:
        told = lines(running_checks.dagster(ui, NOW))
    assert told[0].startswith("wrong the daemon gives no sign of life: sensor")
    assert told[1].startswith("wrong the code location does not load: ConfigurationMistake: stats.yaml:3: wrong;")


def test_a_ui_that_does_not_answer_is_told():
    (told,) = lines(running_checks.dagster(Graphql("http://127.0.0.1:1"), NOW))
    assert told.startswith("wrong the Dagster UI at http://127.0.0.1:1 does not answer")


def test_sites_that_do_not_answer_or_are_broken_are_told():
    with Ui({}) as well:
        config = StatsConfig.model_validate({"trends": {"api_url": "http://127.0.0.1:1/api", "demos_url": well.url}})
        told = {finding.what.split(" ")[2]: finding.state for finding in web_sites(config, NOW.date())}
    # The second knows no GET and says 501.
    assert told == {"does": "wrong", "answers": "wrong"}
