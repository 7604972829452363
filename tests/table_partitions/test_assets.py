"""The room as Dagster runs it: plan, creation, retention, archives as Dagster partitions, checks."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg2
import pytest

from stats_assets.table_partitions.assets import ARCHIVE, ARCHIVES, CREATED, INVENTORY, PLAN, RETIRED, build_assets
from stats_assets.table_partitions.automation import build_automation
from stats_assets.table_partitions.checks import check_name
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.steps import TAKES_NO_CHANGES, plan_from_json
from tests.table_partitions.conftest import World
from tests.table_partitions.made_up import policy

TODAY = datetime.now(UTC)
MONDAY = (TODAY - timedelta(days=TODAY.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
LONG_AGO = MONDAY - timedelta(weeks=10)
ARCHIVING = {"retention": "8 weeks", "action": "archive", "confirm": True}


class Runs:
    """Materializes assets of the room on an instance of its own, by the real clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.instance = dg.DagsterInstance.ephemeral()

    def run(self, *assets: dg.AssetKey, key: str | None = None) -> dg.ExecuteInProcessResult:
        config = TablePartitionsConfig(attic_days=0, lock_budget_seconds=2)
        return dg.materialize(
            build_assets(config, self.world.policies),
            selection=dg.AssetSelection.assets(*assets),
            instance=self.instance,
            resources={"database": self.world.database, "archive": self.world.archive},
            partition_key=key,
            raise_on_error=False,
        )


@pytest.fixture
def runs(world: World) -> Runs:
    """A table partition of ten weeks ago with a hundred rows."""
    end = LONG_AGO + timedelta(weeks=1)
    world.run(
        f"CREATE TABLE s.m_old PARTITION OF s.m FOR VALUES FROM ('{LONG_AGO}') TO ('{end}')",
        f"INSERT INTO s.m SELECT n, '{LONG_AGO}'::timestamptz + n * interval '1 h', 'x' FROM generate_series(1, 100) n",
    )
    world.policies = [policy(**ARCHIVING)]
    return Runs(world)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetKey) -> dict[str, object]:
    (event,) = [each for each in result.get_asset_materialization_events() if each.asset_key == asset]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_plan_is_shown_and_changes_nothing_but_its_own_books(runs: Runs):
    result = runs.run(PLAN)
    assert result.success
    found = metadata(result, PLAN)
    assert "| create | s.m |" in str(found["plan"]) and found["steps"] == 3
    assert set(runs.world.parts()) == {"m_old"}
    assert checks(result) == {
        check_name(each, "s.m"): True for each in ("policy_fits", "no_rows_in_default", "no_drift", "enough_disk")
    }
    assert runs.world.rows("SELECT table_name, policy->>'action', problem FROM table_partitions.policies") == [
        ("s.m", "archive", None)
    ]


def test_from_creation_to_archive_to_a_bad_file(runs: Runs):
    assert checks(runs.run(CREATED)) == {"future_partitions_exist__s_m": True, "no_gap_or_overlap__s_m": True}
    retired = runs.run(RETIRED)
    assert checks(retired) == {
        f"{each}__s_m": True for each in ("nothing_overdue", "nothing_pending", "archive_verified")
    }
    (key,) = runs.instance.get_dynamic_partitions(ARCHIVES.name or "")
    assert key == "s.m_old" and runs.instance.get_materialized_partitions(ARCHIVE) == {key}
    shown = metadata(retired, ARCHIVE)
    assert shown["dagster/row_count"] == 100 and str(shown["fingerprint"]).startswith("100-")
    assert runs.run(ARCHIVE, key=key).success
    assert runs.run(INVENTORY).success
    sizes = runs.world.rows("SELECT place, sum(rows)::int FROM table_partitions.inventory WHERE rows > 0 GROUP BY 1")
    assert dict(sizes)["archive"] == 100
    again = runs.run(INVENTORY)
    by_place = {name: metadata(again, INVENTORY)[f"{name}_bytes"] for name in ("size", "attached", "attic", "archive")}
    assert by_place.pop("size") == sum(map(int, map(str, by_place.values()))) and by_place["archive"] != 0
    assert "data:image/png;base64," in str(metadata(again, INVENTORY)["over_time"])
    assert runs.world.rows("SELECT count(DISTINCT measured_at) FROM table_partitions.inventory") == [(1,)]
    (file,) = runs.world.folder.rglob("*.parquet")
    file.write_bytes(b"PAR1 no more")
    assert not runs.run(ARCHIVE, key=key).success
    bad = runs.run(RETIRED)  # the row is in the attic still: it is not dropped on the word of such a file
    assert not bad.success
    assert checks(bad)["archive_verified__s_m"] is False
    assert runs.world.rows("SELECT state FROM table_partitions.attic") == [("kept",)]


def test_what_is_not_confirmed_stays_and_the_check_says_why(runs: Runs):
    runs.world.policies = [policy(**ARCHIVING | {"confirm": False})]
    result = runs.run(CREATED, RETIRED)
    (overdue,) = [
        each for each in result.get_asset_check_evaluations() if each.check_name.startswith("nothing_overdue")
    ]
    assert overdue.passed and "stay, because the policy is not confirmed" in (overdue.description or "")
    assert "m_old" in runs.world.parts()


def test_a_table_that_does_not_fit_its_policy_fails_its_checks_and_no_other_table(runs: Runs):
    runs.world.policies = [policy(table="s.gone"), policy()]
    result = runs.run(PLAN)
    assert checks(result)["policy_fits__s_gone"] is False and checks(result)["policy_fits__s_m"] is True
    made = runs.run(CREATED)
    assert checks(made)["future_partitions_exist__s_gone"] is False
    assert checks(made)["future_partitions_exist__s_m"] is True
    blocking = {each.check_name for each in made.get_asset_check_evaluations() if each.blocking}
    assert blocking == {"future_partitions_exist__s_gone", "future_partitions_exist__s_m"}


def test_a_table_that_is_locked_is_told_as_such(runs: Runs):
    with closing(psycopg2.connect(runs.world.database.dsn)) as somebody:
        somebody.cursor().execute("LOCK TABLE s.m IN ACCESS EXCLUSIVE MODE")
        result = runs.run(CREATED)
    assert result.success
    told = {each.check_name: each.description or "" for each in result.get_asset_check_evaluations()}
    assert "somebody holds it locked" in told["future_partitions_exist__s_m"]


def test_an_archive_that_dagster_was_not_told_of_is_told_by_the_next_run(runs: Runs):
    runs.run(CREATED)
    runs.world.now = TODAY
    runs.world.settle()  # as a run that was killed before its end: the archive is there, Dagster does not know
    runs.run(RETIRED)
    assert len(runs.instance.get_materialized_partitions(ARCHIVE)) == 1


def test_drift_and_rows_in_a_default_partition_are_told(runs: Runs):
    runs.world.run(
        "CREATE TABLE s.m_rest PARTITION OF s.m DEFAULT",
        "INSERT INTO s.m VALUES (1, '2999-01-01', 'x')",
        "ALTER TABLE s.m_old ENABLE ROW LEVEL SECURITY",
    )
    found = checks(runs.run(PLAN))
    assert (found["no_rows_in_default__s_m"], found["no_drift__s_m"]) == (False, False)


def test_36_on_a_read_only_database_runs_succeed_and_say_that_they_did_nothing(runs: Runs):
    (name,) = runs.world.rows("SELECT current_database()")[0]
    runs.world.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    for asset in (PLAN, CREATED, RETIRED, INVENTORY):
        assert runs.run(asset).success, asset
    assert metadata(runs.run(CREATED), CREATED)["refused"] == [f"every table: {TAKES_NO_CHANGES}"]
    assert set(runs.world.parts()) == {"m_old"}


def test_creation_is_hourly_and_what_takes_away_daily_at_a_quiet_hour():
    found = build_automation(TablePartitionsConfig(retire_hour=4), is_running=True)
    schedules = {each.name: each.cron_schedule for each in found.schedules or []}  # type: ignore[union-attr]
    assert schedules == {"table_partitions_hourly": "5 * * * *", "table_partitions_daily": "20 4 * * *"}


def test_the_plan_survives_its_way_through_json(runs: Runs):
    plan = runs.world.maintenance.planned().plan
    assert plan_from_json(json.loads(json.dumps(plan.as_json(TODAY)))) == plan
