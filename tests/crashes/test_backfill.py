"""A backfill as the UI asks for it, carried out by Dagster's own backfill daemon: how many runs, and the same rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_test_daemon_workspace_context, instance_for_test
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration

from stats_assets.crashes.aggregate import AGGREGATES
from tests.crashes import location
from tests.crashes.world import TUESDAY, World

DAYS = [TUESDAY + timedelta(days=n) for n in range(9)]
MISSING = DAYS[4]
INPUTS = ("active_daily_installs", "reports", "raw_crashes")
ASSETS = [dg.AssetKey(["crashes", name]) for name in (*INPUTS, "duplicates", *(each.table for each in AGGREGATES))]
_IN_THIS_PROCESS = {
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}


@pytest.fixture
def context(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[IWorkspaceProcessContext]:
    monkeypatch.setenv(location.FOLDER, str(world.folder))
    monkeypatch.setenv(location.DSN, world.database.dsn)
    with (
        instance_for_test(overrides=_IN_THIS_PROCESS) as instance,
        create_test_daemon_workspace_context(
            ModuleTarget("tests.crashes.location", attribute=None, working_directory=None, location_name="crashes"),
            instance,
        ) as made,
    ):
        yield made


def backfill(context: IWorkspaceProcessContext, days: list[str]) -> BulkActionStatus:
    """All partitioned assets of the room over the days, until nothing is left to do."""
    asked = PartitionBackfill.from_asset_partitions(
        backfill_id="backfill",
        asset_graph=context.create_request_context().asset_graph,
        partition_names=days,
        asset_selection=ASSETS,
        backfill_timestamp=datetime.now(UTC).timestamp(),
        tags={},
        dynamic_partitions_store=context.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    context.instance.add_backfill(asked)
    for _ in range(20):
        list(execute_backfill_iteration(context, logging.getLogger("backfill")))
        found = context.instance.get_backfill("backfill")
        assert found is not None
        if found.status not in (BulkActionStatus.REQUESTED, BulkActionStatus.FAILING):
            return found.status
    raise AssertionError("the backfill does not end")


@pytest.mark.slow
def test_a_backfill_is_few_runs_counts_the_days_that_can_be_and_equals_day_by_day(
    world: World, context: IWorkspaceProcessContext
):
    for number, day in enumerate(DAYS):
        world.deliver(day, number)
    (world.folder / f"adi/{MISSING}.csv").unlink()

    assert backfill(context, [str(day) for day in DAYS]) == BulkActionStatus.COMPLETED_FAILED

    runs = context.instance.get_runs()
    # All inputs in one run, which fails for the sake of one day. What is counted: once for the days before that day
    # and once for those behind it, and on the day itself what needs no installs.
    assert len(runs) <= 4
    assert [run.status for run in runs].count(dg.DagsterRunStatus.FAILURE) == 1
    others = {str(day) for day in DAYS if day != MISSING}
    assert context.instance.get_materialized_partitions(dg.AssetKey(["crashes", "daily_crash_rates"])) == others
    assert context.instance.get_materialized_partitions(dg.AssetKey(["crashes", "signature_counts"])) > others

    ranged = world.everything()
    for table in ranged:
        world.execute(f"DELETE FROM crashes.{table}")
    for day in reversed(DAYS):
        world.load_and_count_what_can_be(day)
    assert world.everything() == ranged
