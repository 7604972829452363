"""The upper half of the room as Dagster sees it: days from the API, aggregates, checks, sensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stats_assets.sandbox.game_log_site import GameLogSite
from stats_assets.sandbox.game_logs import SimulatedLogs
from stats_assets.sandbox.game_plan import GamePlan
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.api_automation import SENSOR, fetch_day_from
from stats_assets.trends.checks import RAW_LOGS
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.defs import definitions
from stats_assets.trends.gold_assets import AGGREGATES, RECOUNT_JOB, REFRESH_JOB
from stats_assets.trends.gold_assets import SENSOR as CHANGED_GAMES
from tests.trends.gold_world import Game, GoldWorld, Played
from tests.trends.sites import served

PLAN = GamePlan(seed=7, logs_per_day=4)
TODAY = datetime.now(UTC).date()


@dataclass
class Room:
    """The room's definitions on a database of its own and a simulated site."""

    database: StatsDatabase
    site: GameLogSite
    definitions: dg.Definitions
    instance: dg.DagsterInstance

    def materialize(self, *keys: dg.AssetKey, day: date | None = None, **options: Any) -> dg.ExecuteInProcessResult:
        job = dg.define_asset_job("some", selection=dg.AssetSelection.assets(*keys))
        resolved = dg.Definitions.merge(self.definitions, dg.Definitions(jobs=[job])).resolve_job_def("some")
        return resolved.execute_in_process(
            partition_key=str(day) if day else None, instance=self.instance, raise_on_error=False, **options
        )

    def tick(self, sensor: str) -> Any:
        repository = self.definitions.get_repository_def()
        context = dg.build_sensor_context(
            instance=self.instance, repository_def=repository, resources={"database": self.database}
        )
        return repository.get_sensor_def(sensor).evaluate_tick(context)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@pytest.fixture
def room(database: StatsDatabase, tmp_path: Path) -> Iterator[Room]:
    site = GameLogSite(SimulatedLogs(PLAN))
    with served(tmp_path, {"game_logs": site}) as url, dg.instance_for_test() as instance:
        config = TrendsConfig(
            api_url=f"{url}/game_logs/api/v1", seconds_between_requests=0, first_day=date(2025, 11, 3)
        )
        found = dg.Definitions.merge(
            definitions(config, automation_is_running=False),
            dg.Definitions(resources={"database": database}, executor=dg.in_process_executor),
        )
        yield Room(database, site, found, instance)


def test_a_day_comes_from_the_site_and_the_aggregates_follow(room: Room):
    day = TODAY - timedelta(days=3)
    assert room.materialize(RAW_LOGS, day=day).success
    assert room.rows("SELECT count(*) FROM trends.raw_logs") == [(4,)]
    assert room.tick(CHANGED_GAMES).run_requests
    assert room.materialize(*AGGREGATES).success
    assert room.tick(CHANGED_GAMES).skip_message == "every aggregate is counted from the games there are now"
    assert room.rows("SELECT sum(popularity) FROM trends.map_popularity")[0][0] >= 3


def test_after_two_days_off_the_sensor_asks_for_all_of_them(room: Room):
    for days in range(3, 7):  # what the sensor looks at first
        room.materialize(RAW_LOGS, day=TODAY - timedelta(days=days))
    with room.database.transaction() as cursor:  # as if the last listing had been three days ago, in the evening
        evening = "UPDATE trends.listed_days SET listed_at = day + interval '20 hours' WHERE day = %s"
        cursor.execute(evening, (TODAY - timedelta(days=3),))
    [request] = room.tick(SENSOR).run_requests
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert (first, last) == (str(TODAY - timedelta(days=3)), str(TODAY))
    job = room.definitions.resolve_job_def("trends_fetch")
    assert job.execute_in_process(instance=room.instance, tags=request.tags).success
    listed = {game.logid for n in range(5) for game in PLAN.games(TODAY - timedelta(days=n))}
    have = {logid for (logid,) in room.rows("SELECT logid FROM trends.import_ledger")}
    uploaded = {entry.id for entry in SimulatedLogs(PLAN).entries(datetime.now(UTC))}
    assert listed & uploaded <= have


def test_without_a_site_the_sensor_says_so(room: Room):
    assert fetch_day_from(TrendsConfig()) is None
    resources = dg.Definitions(resources={"database": room.database})
    siteless = dg.Definitions.merge(definitions(TrendsConfig(), automation_is_running=False), resources)
    sensor = siteless.get_repository_def().get_sensor_def(SENSOR)
    context = dg.build_sensor_context(instance=room.instance, resources={"database": room.database})
    assert "no trends.api_url" in str(sensor.evaluate_tick(context).skip_message)


def test_totals_are_checked_and_a_recount_mends_them(room: Room):
    world = GoldWorld(room.database).make_room()
    world.put(Game(1, players=(Played(7), Played(8, role="medic"))))
    assert room.definitions.resolve_job_def(REFRESH_JOB).execute_in_process(instance=room.instance).success
    with room.database.transaction() as cursor:
        cursor.execute("UPDATE trends.leaderboard_cube SET dmg = dmg + 5 WHERE grouping = 15")
    wrong = checks_of(room)
    assert wrong == {"leaderboard_cube": False, "medic_cube": True, "map_popularity": True}
    result = room.definitions.resolve_job_def(RECOUNT_JOB).execute_in_process(instance=room.instance)
    [event] = result.asset_materializations_for_node("trends__leaderboard_cube")
    assert event.metadata["rows_changed"].value == 2
    assert all(checks_of(room).values())


def checks_of(room: Room) -> dict[str, bool]:
    result = room.materialize(*AGGREGATES)
    return {check.asset_key.path[-1]: check.passed for check in result.get_asset_check_evaluations()}
