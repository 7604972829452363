"""The room in Dagster: the assets of a schema file, a run over days, checks, what the sensors ask for, the export."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stats_assets.events import automation
from stats_assets.events.assets import Refresh
from stats_assets.events.config import EventsConfig
from stats_assets.events.defs import definitions
from stats_assets.events.export import export
from stats_assets.events.partition_policies import policies
from stats_assets.events.stale import MadeDay, is_today_due, stale_days
from stats_assets.events.typed import definition_of
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import StatsDatabase
from tests.events.typed_world import FRIDAY, World, at

SCHEMA = """\
tables:
  levels:
    columns:
      - {name: level, type: i32, required: true}
      - {name: hero}
  bare: {columns: []}
apps:
  game: {secret_key: "${A_SECRET_NOBODY_KNOWS_HERE}", tables: [levels, bare]}
"""
DAYS = [FRIDAY + timedelta(days=n) for n in range(2)]
ALL = ("schema", "raw_events", "levels", "bare", "daily_event_counts")


class DagsterWorld(World):
    """A world whose schema file is a file, and Dagster over it."""

    def in_folder(self, folder: Path) -> DagsterWorld:
        self.file = folder / "events.yaml"
        self.write(SCHEMA)
        self.config = EventsConfig(schema_file=self.file, first_day=date(2026, 11, 1))
        return self

    def write(self, text: str) -> None:
        from stats_assets.events.schema_file import parse_schema

        self.file.write_text(text)
        self.schema = parse_schema(text, {"A_SECRET_NOBODY_KNOWS_HERE": "s"}, "events.yaml")

    @property
    def definitions(self) -> dg.Definitions:
        return dg.Definitions.merge(
            definitions(self.config, False), dg.Definitions(resources={"database": self.database})
        )

    def run(self, instance: dg.DagsterInstance, first: date, last: date, **config: Any) -> dg.ExecuteInProcessResult:
        tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
        job = self.definitions.resolve_job_def(automation.TABLES_JOB)
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False, **config)


@pytest.fixture
def world(database: StatsDatabase, tmp_path: Path) -> DagsterWorld:
    return DagsterWorld(database).in_folder(tmp_path)


def test_a_run_over_days_makes_tables_rows_counts_and_checks(world: DagsterWorld, tmp_path: Path):
    ids = [{"level": n, "event_id": f"{n % 4}"} for n in range(6)]
    world.receive(at(DAYS[0]), *ids, {"level": "bad"}, {"level": 7, "colour": "red"})
    world.receive(at(DAYS[1]), {"level": 1})
    world.receive(at(DAYS[1]), {"anything": 1}, table="bare")
    with dg.DagsterInstance.ephemeral() as instance:
        result = world.run(instance, *DAYS)
        assert result.success
        for table in ALL[1:]:
            assert instance.get_materialized_partitions(dg.AssetKey(["events", table])) >= set(map(str, DAYS))
        wanted = dg.AssetRecordsFilter(dg.AssetKey(["events", "levels"]), asset_partitions=[str(DAYS[0])])
        (event,) = instance.fetch_materializations(wanted, limit=2).records
        assert event.asset_materialization is not None
        told = {name: value.value for name, value in event.asset_materialization.metadata.items()}
        assert (told["received"], told["dagster/partition_row_count"], told["quarantined"], told["repeats"]) == (
            8,
            5,
            1,
            2,
        )
        failed = {c.check_name: c.description or "" for c in result.get_asset_check_evaluations() if not c.passed}
    assert set(failed) == {"quarantined_events_are_few", "columns_are_known"}
    assert f"{DAYS[0]} game: 1 of 8 events refused or of no use" in failed["quarantined_events_are_few"]
    assert f"{DAYS[0]} game levels.colour: in 1 events" in failed["columns_are_known"]

    names = [path.name for path in export(world.database, tmp_path / "out")]
    assert names == ["bare.csv", "levels.csv", "quarantine.csv", "daily_event_counts.csv", "unknown_columns.csv"]
    assert (tmp_path / "out/daily_event_counts.csv").read_text().splitlines() == [
        "day,app_id,table_name,received,stored,repeats,quarantined,refused,with_unknown_columns",
        f"{DAYS[0]},game,levels,8,5,2,1,0,1",
        f"{DAYS[1]},game,bare,1,1,0,0,0,1",
        f"{DAYS[1]},game,levels,1,1,0,0,0,0",
    ]
    levels = (tmp_path / "out/levels.csv").read_text().splitlines()
    assert levels[0] == "received_at,request_id,request_position,app_id,event_id,level,hero,extra"
    assert levels[-2].endswith(',game,,7,,"{""colour"": ""red""}"')
    assert '""level"": ""bad""' in (tmp_path / "out/quarantine.csv").read_text()


def test_a_change_that_is_refused_stops_the_tables_and_says_what_would_make_it(world: DagsterWorld):
    world.receive(at(FRIDAY), {"level": 1})
    with dg.DagsterInstance.ephemeral() as instance:
        assert world.run(instance, FRIDAY, FRIDAY).success
        world.write(SCHEMA.replace("type: i32", "type: i64"))
        result = world.run(instance, FRIDAY, FRIDAY)
        (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name.startswith("tables_agree")]
        assert not check.passed
        assert 'ALTER COLUMN "level" TYPE bigint' in (check.description or "")
        assert not result.asset_materializations_for_node("events__levels")
    assert world.rows("level") == [(1,)]


def test_apps_that_drop_off_or_send_more_than_usual_are_told(world: DagsterWorld):
    world.evolve()
    insert = "INSERT INTO events.daily_event_counts VALUES ('{}', '{}', 'levels', {}, {}, 0, 0, 0, 0) RETURNING 1"
    for back in range(1, 8):
        for app, events in (("game", 100), ("web", 50), ("gone", 10)):
            world.query(insert.format(FRIDAY - timedelta(days=back), app, events, events))
    world.receive(at(FRIDAY), *({"level": n} for n in range(20)))
    world.receive(at(FRIDAY), *({"level": n} for n in range(90)), app="web")
    with dg.DagsterInstance.ephemeral() as instance:
        result = world.run(instance, FRIDAY, FRIDAY)
        failed = {c.check_name: c.description or "" for c in result.get_asset_check_evaluations() if not c.passed}
    assert f"{FRIDAY} game: 20 events, usual are 100; {FRIDAY} gone: 0 events" in failed["apps_have_not_dropped_off"]
    assert f"{FRIDAY} web: 90 events, usual are 50; a new release" in failed["apps_send_no_more_than_usual"]


# --- when ------------------------------------------------------------------------------------------------------


def asked(world: DagsterWorld, now: datetime) -> list[str]:
    definitions = {name: definition_of(table) for name, table in world.schema.tables.items()}
    found = automation.requests_now(world.database, world.config, definitions, now)
    return [
        request.partition_key or "...".join(v for k, v in sorted(request.tags.items(), reverse=True) if "range" in k)
        for request in found
    ]


def test_the_sensor_asks_for_what_is_out_of_date_until_it_is_made(world: DagsterWorld):
    world.evolve()
    now = datetime.now(UTC)
    today, yesterday = now.date(), now.date() - timedelta(days=1)
    world.config = world.config.model_copy(update={"first_day": today - timedelta(days=10)})
    assert asked(world, now) == []
    world.receive(at(yesterday), {"level": 1})
    world.receive(now - timedelta(seconds=1), {"level": 2})
    late = now.replace(hour=23, minute=59)
    assert asked(world, late) == [str(yesterday), str(today)]
    for table in ("levels", "bare"):
        world.replace(yesterday, today, table=table)
    assert asked(world, now) == []
    world.replayed(yesterday)
    assert asked(world, now)[0] == str(yesterday)
    for table in ("levels", "bare"):
        world.replace(yesterday, today, table=table)
    # Another column: the last days are made again, today too.
    world.write(SCHEMA.replace("name: hero", "name: heroine"))
    assert str(yesterday) in asked(world, now)[0]


def test_a_day_is_stale_when_it_is_missing_incomplete_of_other_columns_or_added_to():
    end = midnight(FRIDAY + timedelta(days=1))
    now, settle = end + timedelta(minutes=5), timedelta(minutes=1)

    def is_stale(**changed: Any) -> bool:
        usual: dict[str, Any] = {"definition": "d", "complete_until": end, "replaced_at": end, "has_all_replays": True}
        made = {("levels", FRIDAY): MadeDay(**(usual | changed))}
        return bool(stale_days({"levels": "d"}, {FRIDAY}, made, now, settle))

    assert not is_stale()
    assert is_stale(definition="another")
    assert is_stale(complete_until=end - timedelta(seconds=1))
    assert is_stale(has_all_replays=False)
    assert stale_days({"levels": "d"}, {FRIDAY}, {}, now, settle) == [FRIDAY]
    assert stale_days({"levels": "d"}, {FRIDAY}, {}, end, settle) == []  # may still be committing


@pytest.mark.parametrize("minutes, is_due", [(9, False), (10, True)])
def test_today_is_made_again_when_its_rows_are_as_old_as_they_may_be(minutes: int, is_due: bool):
    now = at(FRIDAY, 12.5)
    made = {("levels", FRIDAY): MadeDay("d", now, now - timedelta(minutes=minutes), True)}
    assert is_today_due({"levels": "d"}, made, now, timedelta(minutes=10)) is is_due


def test_today_is_made_again_when_an_hour_is_over():
    now = at(FRIDAY, 12) + timedelta(seconds=30)
    made = {("levels", FRIDAY): MadeDay("d", now, now - timedelta(minutes=1), True)}
    assert is_today_due({"levels": "d"}, made, now, timedelta(minutes=10))


def test_the_run_of_today_adds_what_is_new(world: DagsterWorld):
    world.evolve()
    now = datetime.now(UTC)
    world.config = world.config.model_copy(update={"first_day": now.date()})
    world.receive(now, {"level": 1})
    definitions = {"levels": definition_of(world.schema.tables["levels"])}
    (request,) = automation.requests_now(world.database, world.config, definitions, now.replace(hour=23, minute=59))
    assert request.run_config == {"ops": {"events__levels": {"config": Refresh(only_new=True).model_dump()}}}
    job = world.definitions.resolve_job_def(automation.TABLES_JOB)
    assert dg.validate_run_config(job, request.run_config)


def test_every_typed_table_has_a_policy(world: DagsterWorld):
    tables = {policy.table: policy for policy in policies(world.config)}
    assert set(tables) == {"events.raw_events", "events.quarantine", "events.levels", "events.bare"}
    assert (tables["events.levels"].step, tables["events.levels"].action) == ("day", "keep")
