"""The simulated apps and a real collector: every kind of event finds its way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stats_assets.events.schema_file import read_schema_file
from stats_assets.sandbox import world as sandbox
from stats_assets.sandbox.event_traffic import EventTraffic
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.postgres import StatsDatabase
from tests.events.running import collecting, wait_for
from tests.events.typed_world import World


@pytest.mark.slow
def test_the_apps_of_the_sandbox_fill_the_typed_tables(database: StatsDatabase, tmp_path: Path):
    text = (PROJECT_FOLDER / "events.yaml").read_text()
    with collecting(tmp_path, database.dsn, text) as collector:
        world = World(database, read_schema_file(collector.schema_file, {}))
        world.evolve()
        traffic = EventTraffic(f"http://127.0.0.1:{collector.port}", sandbox.World(), lambda: datetime.now(UTC))
        traffic.start()
        wait_for(lambda: world.query("SELECT count(*) > 600 FROM events.raw_events") == [(True,)], "too few came")
        traffic.stop()
    days = [day for (day,) in world.query("SELECT DISTINCT received_at::date FROM events.raw_events ORDER BY 1")]
    reports = [report for table in world.schema.tables for report in world.replace(*days, table=table)]
    assert sum(report.stored for report in reports) > 300
    assert sum(report.repeats for report in reports) > 0
    assert sum(report.with_unknown_columns for report in reports) > 0
    assert {reason for reason, *_ in world.quarantined()} == {"wrong type"}
    apps = world.query("SELECT DISTINCT app_id FROM events.sessions ORDER BY 1")
    assert apps == [("com.example.game",), ("com.example.web",)]
