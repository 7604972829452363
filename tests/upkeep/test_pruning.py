"""Old records go, and what Dagster shows of partitions stays: on an instance with a thousand runs in PostgreSQL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, EngineEventData, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.objects import StepSuccessData
from dagster._core.instance import InstanceRef
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster_shared.record import copy
from dagster_shared.serdes import serialize_value
from psycopg2.extras import execute_values

from stats_assets.local.surroundings import for_sqlalchemy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.upkeep import compute_logs, sizes
from stats_assets.upkeep.assets import build_assets
from stats_assets.upkeep.config import UpkeepConfig
from stats_assets.upkeep.instance_database import transaction
from stats_assets.upkeep.pruning import prune

KEY = dg.AssetKey(["countme", "raw_hits"])
PARTITIONS = dg.StaticPartitionsDefinition([f"day{n:03}" for n in range(100)])
CONFIG = UpkeepConfig(keep_runs_days=90, keep_failed_runs_days=180, keep_event_days=30)
NOW = datetime.now(UTC)


@dg.asset(key=KEY, partitions_def=PARTITIONS)
def raw_hits() -> None: ...


JOB = dg.Definitions(assets=[raw_hits], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance(empty_database_dsn: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text("storage: {postgres: {postgres_url: {env: PRUNED_DSN}}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNED_DSN", for_sqlalchemy(empty_database_dsn))
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as made:
            yield made


class History:
    """Runs as a year leaves them. Dagster writes the first; the others are rows as it wrote them, many at once."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self._runs: list[tuple[object, ...]] = []
        self._events: list[tuple[object, ...]] = []
        self._first = instance.create_run_for_job(JOB, asset_selection={KEY}, tags={"dagster/partition": "day000"})
        made = dg.AssetMaterialization(KEY, partition="day000")
        instance.report_runless_asset_event(made)  # makes the asset known

    def run(self, age_days: float, partition: str, succeeds: bool = True) -> str:
        """A run that ended so long ago, with the events of one step, five of the engine, and a line of ours."""
        run_id = str(uuid4())
        status = dg.DagsterRunStatus.SUCCESS if succeeds else dg.DagsterRunStatus.FAILURE
        run = copy(self._first, run_id=run_id, status=status, tags={"dagster/partition": partition})
        at = NOW - timedelta(days=age_days)
        body = serialize_value(run), at.timestamp(), at.replace(tzinfo=None)
        self._runs.append((run_id, run.job_snapshot_id, run.job_name, status.value, *body))
        for event in [*_events(partition, succeeds), None]:
            entry = EventLogEntry(None, "debug", "", run_id, at.timestamp(), dagster_event=event)
            asset = event.asset_key.to_string() if event and event.asset_key else None
            kind, key = (event.event_type_value, event.partition if asset else None) if event else (None, None)
            self._events.append((run_id, serialize_value(entry), kind, at.replace(tzinfo=None), asset, key))
        return run_id

    def write(self) -> None:
        """Everything since the beginning; the first run goes."""
        self.instance.delete_run(self._first.run_id)
        with transaction(self.instance) as cursor:
            execute_values(
                cursor,
                "INSERT INTO runs (run_id, snapshot_id, pipeline_name, status, run_body, end_time, update_timestamp)"
                " VALUES %s",
                self._runs,
            )
            execute_values(
                cursor,
                "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, asset_key, partition) VALUES %s",
                self._events,
            )


def _events(partition: str, succeeds: bool) -> list[dg.DagsterEvent]:
    kind, job, step = dg.DagsterEventType, JOB.name, "countme__raw_hits"
    intent = AssetMaterializationPlannedData(KEY, partition=partition)
    made = StepMaterializationData(dg.AssetMaterialization(KEY, partition=partition))
    said = EngineEventData({"words": "said " * 20})
    begin = [
        dg.DagsterEvent.build_asset_materialization_planned_event(job, step, intent),
        dg.DagsterEvent(kind.RUN_START.value, job),
        dg.DagsterEvent(kind.STEP_START.value, job, step_key=step),
        *(dg.DagsterEvent(kind.ENGINE_EVENT.value, job, event_specific_data=said) for _ in range(5)),
    ]
    if not succeeds:
        return [*begin, dg.DagsterEvent(kind.RUN_FAILURE.value, job)]
    return [
        *begin,
        dg.DagsterEvent(kind.ASSET_MATERIALIZATION.value, job, step_key=step, event_specific_data=made),
        dg.DagsterEvent(kind.STEP_SUCCESS.value, job, step_key=step, event_specific_data=StepSuccessData(1.0)),
        dg.DagsterEvent(kind.RUN_SUCCESS.value, job),
    ]


def statuses(instance: dg.DagsterInstance) -> tuple[set[str], set[str]]:
    """What the UI shows as materialized and as failed."""
    found = get_and_update_asset_status_cache_value(instance, KEY, PARTITIONS)
    assert found is not None
    return (
        set(found.deserialize_materialized_partition_subsets(PARTITIONS).get_partition_keys()),
        set(found.deserialize_failed_partition_subsets(PARTITIONS).get_partition_keys()),
    )


def rows(instance: dg.DagsterInstance) -> dict[str, int]:
    counts = {}
    with transaction(instance) as cursor:
        for table in ("runs", "run_tags", "event_logs", "snapshots"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]  # type: ignore[index]
    return counts


@pytest.mark.slow
def test_a_thousand_runs_shrink_to_those_that_partitions_rest_on(instance: dg.DagsterInstance):
    history = History(instance)
    # Ten runs of each of the hundred partitions over a year, the newest of one partition half a year old.
    ids = [history.run(age, f"day{n:03}") for age in range(380, 180, -20) for n in range(100)]
    recent = history.run(5, "day000")
    failed_lately = history.run(120, "day001", succeeds=False)
    failed_long_ago = history.run(300, "day002", succeeds=False)
    history.write()
    every_day = {f"day{n:03}" for n in range(100)}
    before, shown = rows(instance), statuses(instance)
    assert before["runs"] == 1003
    assert shown == (every_day, {"day001", "day002"})

    pruned, gone = prune(instance, CONFIG, NOW, portion=250)

    after = rows(instance)
    assert (pruned.runs, pruned.emptied_runs) == (902, 99)
    assert set(gone) == {*ids[:900], ids[900], failed_long_ago}
    assert after["runs"] == 101
    # Beginning, end and materialization of the 99 that partitions rest on; all of the other two; one without a run.
    assert before["event_logs"] == 1001 * 12 + 2 * 10 + 1
    assert after["event_logs"] == 99 * 3 + 12 + 10 + 1
    assert instance.get_run_by_id(recent) and instance.get_run_by_id(failed_lately)
    instance.wipe_asset_cached_status([KEY])
    assert statuses(instance) == (every_day, {"day001"})
    assert instance.get_latest_materialization_event(KEY)

    again, _ = prune(instance, CONFIG, NOW, portion=250)
    assert (again.runs, again.emptied_runs, again.event_rows, again.snapshots) == (0, 0, 0, 0)
    assert rows(instance) == after

    # The next thousand find room where these have been.
    size = size_after_vacuum(instance)
    more = History(instance)
    for age in range(380, 180, -20):
        for n in range(100):
            more.run(age, f"day{n:03}")
    more.write()
    prune(instance, CONFIG, NOW, portion=250)
    # Partitions rest on the hundred newest now, and two without a run are known.
    assert rows(instance) == {**after, "runs": 102, "event_logs": 100 * 3 + 12 + 10 + 2}
    assert size_after_vacuum(instance) <= 1.25 * size  # 1.19, and twice as much if none were found


def size_after_vacuum(instance: dg.DagsterInstance) -> int:
    """Bytes of all tables and indexes, once what was deleted may be used again, as autovacuum sees to."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
    return sum(size.bytes for size in sizes.measure(instance))


def test_logs_of_steps_go_with_their_runs_and_when_they_are_old(instance: dg.DagsterInstance, tmp_path: Path):
    old, gone, running, young = (str(uuid4()) for _ in range(4))
    for run_id, age_days in ((old, 40), (gone, 1), (running, 40), (young, 1)):
        file = tmp_path / "storage" / run_id / "compute_logs" / "step.out"
        file.parent.mkdir(parents=True)
        file.write_text("said")
        os.utime(file, times=(at := time.time() - age_days * 86400, at))
        os.utime(file.parent, times=(at, at))
    (tmp_path / "storage" / "countme").mkdir()
    assert compute_logs.remove_old(instance, {gone}, {running}, keep_days=30, now=NOW) == 2
    assert sorted(folder.name for folder in compute_logs.folders(instance)) == sorted([running, young])
    assert (tmp_path / "storage" / "countme").is_dir()
    assert compute_logs.size(instance) == (2, 8)


def test_the_assets_write_what_they_took_away_and_how_large_the_rest_is(
    instance: dg.DagsterInstance, database: StatsDatabase
):
    history = History(instance)
    history.run(200, "day000", succeeds=False)
    history.write()
    made = None
    for _ in range(2):
        made = dg.materialize(build_assets(CONFIG), instance=instance, resources={"database": database})
        assert made.success
    with database.transaction() as cursor:
        cursor.execute("SELECT runs, event_rows FROM upkeep.prunings ORDER BY pruned_at")
        assert cursor.fetchall() == [(1, 10), (0, 0)]
        cursor.execute("SELECT part FROM upkeep.instance_sizes WHERE bytes > 0 AND part IN ('runs', 'event_logs')")
        assert sorted(cursor.fetchall()) == [("event_logs",), ("runs",)]
    assert made is not None
    (check,) = made.get_asset_check_evaluations()
    assert check.passed
    assert {size.part for size in sizes.measure(instance)} >= {"runs", "snapshots", sizes.COMPUTE_LOGS}


def test_an_instance_that_is_not_on_postgresql_is_refused(database: StatsDatabase):
    with dg.DagsterInstance.ephemeral() as elsewhere:
        made = dg.materialize(
            build_assets(CONFIG), instance=elsewhere, resources={"database": database}, raise_on_error=False
        )
        assert not made.success
        failure = made.failure_data_for_node("upkeep__prunings")
    assert failure and failure.user_failure_data
    assert "Dagster's storage is not PostgreSQL" in (failure.user_failure_data.description or "")
