"""What `./stats status` tells of rooms, incidents and disks."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2
from rich.console import Console

from stats_assets.local.databases import Databases
from stats_assets.local.overview import Overview, Room, age, read_overview
from stats_assets.local.overview_tables import rendered
from stats_assets.notifications import store
from stats_assets.notifications.incidents import Failed, Thing
from stats_assets.shared.environment import read_environment
from stats_assets.shared.postgres import StatsDatabase

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
# The two of Dagster's tables that are asked, with the columns that are asked for.
_DAGSTERS = """
CREATE TABLE asset_keys (asset_key text, last_materialization_timestamp timestamp);
CREATE TABLE event_logs (asset_key text, dagster_event_type text, partition text);
CREATE TABLE runs (status text);
INSERT INTO asset_keys VALUES
    ('["log_sync", "files"]', '2026-05-20 11:00'), ('["log_sync", "combined_logs"]', '2026-05-18 11:00');
INSERT INTO event_logs VALUES
    ('["log_sync", "files"]', 'ASSET_MATERIALIZATION', '2026-05-18'),
    ('["log_sync", "files"]', 'ASSET_MATERIALIZATION', '2026-05-19'),
    ('["log_sync", "files"]', 'ASSET_MATERIALIZATION_PLANNED', '2026-05-20'),
    ('["log_sync", "combined_logs"]', 'ASSET_MATERIALIZATION', '2026-05-15');
INSERT INTO runs VALUES ('STARTED'), ('SUCCESS');
"""


def shown(overview: Overview) -> str:
    console = Console(width=160, file=io.StringIO())
    for part in rendered(overview, NOW):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rooms_tell_their_last_good_partition_their_lag_and_what_is_wrong(
    database: StatsDatabase, empty_database_dsn: str, tmp_path: Path
):
    with psycopg2.connect(empty_database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_DAGSTERS)
    with database.transaction() as cursor:
        thing = Thing("run", "log_sync/files", "2026-05-19")
        failed = Failed(
            thing, "proxy03 has no file", "docs/runbooks/failed-days.md", NOW - timedelta(hours=3), 1, "run"
        )
        store.record(cursor, [failed], NOW)
        cursor.execute(
            "INSERT INTO log_sync.files (day, host, site, state, source_url, checked_at, attempts)"
            " VALUES ('2026-05-19', 'proxy03', 'a', 'missing', 'file:///x', now(), 1)"
        )
    environment = read_environment({"STATS_HOME": str(tmp_path)})
    overview = read_overview(environment, Databases(database.dsn, empty_database_dsn, None), str(tmp_path / "archive"))
    room = overview.rooms["log_sync"]
    assert (room.assets, room.newest, room.behind) == (2, date(2026, 5, 19), ("combined_logs", date(2026, 5, 15)))
    assert (room.wrong, room.parked) == (1, 1)
    assert overview.runs == {"STARTED": 1}
    assert all(free > 0 for free in overview.free_bytes.values())
    text = shown(overview)
    assert "5 d: combined_logs" in text
    assert "1 files owed" in text
    assert "log_sync/files 2026-05-19" in text
    assert "proxy03 has no file" in text
    assert "docs/runbooks/failed-days.md" in text
    assert "runs: 1 started" in text


def test_where_nothing_is_wrong_it_says_so():
    text = shown(Overview({"forum": Room("forum", made_at=NOW)}, [], 0, NOW, {}, {"state": 10 << 30}))
    assert "nothing is wrong" in text
    assert "none under way" in text
    assert "disk of state: 10.0 GB free" in text


def test_ages_are_told_in_the_largest_unit():
    ages = [age(NOW - timedelta(seconds=seconds), NOW) for seconds in (5, 119, 120, 7199, 7200, 172_800)]
    assert ages == ["5 s", "119 s", "2 min", "120 min", "2 h", "2 d"]
