"""Reports that the room's own policy has archived: days are refused, their counts stay, and a restore opens them."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from stats_assets.crashes import automation
from stats_assets.crashes.partition_policies import policies
from stats_assets.shared.archive import Archive
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance
from tests.crashes.test_assets import materialized, run
from tests.crashes.world import TUESDAY, World, noon

RECENT = TUESDAY + timedelta(weeks=6)
NOW = noon(RECENT + timedelta(days=1))


@pytest.fixture
def archiving(world: World) -> World:
    """Reports older than two weeks are archived and dropped at once."""
    return World(world.database, world.folder, {"raw_action": "archive", "keep_raw_weeks": 2})


def maintenance(world: World) -> Maintenance:
    archive = Archive(url=str(world.folder / "archive"))
    config = TablePartitionsConfig(attic_days=0)
    return Maintenance(world.database, archive, policies(world.config), config, lambda: NOW, trusts_clock=True)


def archive_what_is_old(world: World) -> None:
    keeper = maintenance(world)
    while steps := keeper.planned().plan.steps:
        results = keeper.carry_out(keeper.planned().plan, "test")
        assert [str(each) for each in results if each.result != "done"] == [], steps


def test_archived_days_are_refused_in_a_backfill_that_counts_the_others_and_open_again_when_restored(archiving: World):
    for day in (TUESDAY, RECENT):
        archiving.deliver(day)
        archiving.load(day)
    archiving.count(TUESDAY, RECENT)
    counted = archiving.everything()
    archive_what_is_old(archiving)
    assert archiving.rows("SELECT count(*) FROM crashes.reports") == [(1,)]  # that of the recent day

    with dg.DagsterInstance.ephemeral() as instance:
        result = run(archiving, instance, automation.COUNT_JOB, TUESDAY, RECENT)
        assert not result.success
        told = [str(event.step_failure_data.user_failure_data) for event in result.all_events if event.is_step_failure]
        assert any(f"{TUESDAY}: crashes/reports" in each and "were retired" in each for each in told), told
        assert materialized(instance, "signature_counts") == {str(RECENT)}

    kept = ("signature_counts", "daily_crash_rates", "crashes_by_user", "signature_summary")
    assert {name: archiving.everything()[name] for name in kept} == {name: counted[name] for name in kept}

    for (name,) in archiving.rows("SELECT archive_name FROM table_partitions.archives"):
        maintenance(archiving).restore(name, 30, False)
    archiving.count(TUESDAY)
    assert archiving.everything() == counted
