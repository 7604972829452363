"""The room under Dagster: the job, the assets, their partitions, the sensor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from stats_assets.forum import defs
from stats_assets.forum.assets import BOARD_PARTITIONS, POSTS, THREADS
from stats_assets.shared.postgres import StatsDatabase
from tests.forum.world import ForumWorld, assert_equals_truth

FIRST_DAY = date(2026, 5, 28)  # of the small forum's posts


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def room(world: ForumWorld) -> dg.Definitions:
    world.settings = {"first_day": FIRST_DAY}
    found = defs.definitions(world.config, automation_is_running=False)
    resources = dg.Definitions(resources={"database": world.database}, executor=dg.in_process_executor)
    return dg.Definitions.merge(found, resources)


def crawl_job(world: ForumWorld, instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    job = room(world).resolve_job_def("forum_crawl")
    run_config = {"ops": {"crawl_forum": {"config": config}}}
    return job.execute_in_process(instance=instance, run_config=run_config, raise_on_error=False)


def materialize(world: ForumWorld, instance: dg.DagsterInstance, asset: str, **more: Any) -> dg.ExecuteInProcessResult:
    job = room(world).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["forum", asset])], raise_on_error=False, **more
    )


def partitions(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_dynamic_partitions(BOARD_PARTITIONS.name or ""))


def counts(world: ForumWorld) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("post_quotes", "post_links", "daily_stats", "poster_stats", "quote_stats", "link_relation")
    return {table: sorted(world.rows(f"SELECT * FROM forum.{table}")) for table in tables}


def test_the_job_drains_everything_and_counts_the_days(world: ForumWorld, instance: dg.DagsterInstance):
    result = crawl_job(world, instance)
    assert result.success
    checks = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert checks == {"nothing_is_overdue": True, "nothing_is_parked": True}
    assert_equals_truth(world)
    assert partitions(instance) == {"14", "25", "38", "99"}
    assert instance.get_materialized_partitions(POSTS) >= {"14", "25", "38"}
    assert world.rows("SELECT * FROM forum.changed_days") == []
    posts = sum(len(thread.posts) for thread in world.forum.readable_threads())
    assert world.one("SELECT sum(posts) FROM forum.daily_stats") == posts
    assert world.one("SELECT sum(posts) FROM forum.poster_stats") == posts
    assert world.one("SELECT sum(threads_created) FROM forum.daily_stats") == len(world.forum.threads)
    assert world.one("SELECT count(*) FROM forum.quote_stats") > 20
    assert world.one("SELECT count(*) FROM forum.link_relation") > 20
    assert world.one("SELECT sum(posts) FROM forum.weekday_stats") == posts
    assert world.one("SELECT max(active_users) FROM forum.yearly_stats") == 20

    # Moves, edits, removals: counted anew, the same as counting everything from nothing.
    world.forum.next_epoch()
    assert crawl_job(world, instance, full_refresh=True).success
    after = counts(world)
    tables = ", ".join(f"forum.{table}" for table in after)
    world.execute(
        f"TRUNCATE {tables}; INSERT INTO forum.changed_days"
        " SELECT DISTINCT (posted_at AT TIME ZONE 'UTC')::date FROM forum.posts"
    )
    assert crawl_job(world, instance).success
    assert counts(world) == after


def test_assets_by_board_give_what_the_job_gives(world: ForumWorld, instance: dg.DagsterInstance):
    assert materialize(world, instance, "boards").success
    span = {"dagster/asset_partition_range_start": "14", "dagster/asset_partition_range_end": "99"}
    assert materialize(world, instance, "threads", tags=span).success
    assert materialize(world, instance, "posts", partition_key="25").success
    assert not any(page.startswith("thread 700") for page in world.site.asked)
    assert materialize(world, instance, "posts", tags=span).success
    assert_equals_truth(world)
    assert instance.get_materialized_partitions(THREADS) == partitions(instance)
    result = materialize(world, instance, "work")
    assert {check.check_name: check.passed for check in result.get_asset_check_evaluations()} == {
        "nothing_is_overdue": True,
        "nothing_is_parked": True,
    }


def test_a_range_of_days_counts_as_the_days_alone(world: ForumWorld, instance: dg.DagsterInstance):
    world.crawl()
    last = world.one("SELECT max((posted_at AT TIME ZONE 'UTC')::date) FROM forum.posts")
    tables = ("post_quotes", "post_links", "daily_stats", "poster_stats", "quote_stats", "link_relation")
    span = {"dagster/asset_partition_range_start": str(FIRST_DAY), "dagster/asset_partition_range_end": str(last)}
    for table in tables:
        assert materialize(world, instance, table, tags=span).success
    before = counts(world)
    assert all(before.values())
    for table in tables:
        assert materialize(world, instance, table, partition_key=str(last)).success
    assert counts(world) == before
    assert world.one("SELECT count(*) FROM forum.changed_days") > 0  # only counting all tables takes the marks


def test_all_counts_of_a_day_are_made_by_one_step_upstream_first(world: ForumWorld, instance: dg.DagsterInstance):
    world.crawl()
    selection = [dg.AssetKey(["forum", table]) for table in counts(world)]
    job = room(world).resolve_implicit_global_asset_job_def()
    made = job.execute_in_process(instance=instance, asset_selection=selection, partition_key=str(FIRST_DAY))
    keys = [event.asset_key.path[-1] for event in made.get_asset_materialization_events() if event.asset_key]
    assert set(keys) == set(counts(world))
    assert keys.index("post_quotes") < keys.index("quote_stats")
    assert keys.index("post_links") < keys.index("link_relation")


def test_boards_that_come_and_go_are_partitions_that_come_and_go(world: ForumWorld, instance: dg.DagsterInstance):
    crawl_job(world, instance)
    del world.forum.boards[38]
    for thread in world.forum.threads.values():
        thread.is_hidden = thread.is_hidden or thread.bid == 38
    world.forum.add_board(77)
    crawl_job(world, instance)
    assert partitions(instance) == {"14", "25", "77", "99"}


def sensor_says(world: ForumWorld, instance: dg.DagsterInstance) -> dg.SensorResult:
    definitions = room(world)
    context = dg.build_sensor_context(
        instance=instance, resources={"database": world.database}, repository_def=definitions.get_repository_def()
    )
    result = definitions.resolve_sensor_def("forum_due_work")(context)
    assert isinstance(result, dg.SensorResult)
    return result


def test_the_sensor_asks_for_a_run_when_something_is_due(world: ForumWorld, instance: dg.DagsterInstance):
    (request,) = sensor_says(world, instance).run_requests or []
    assert request.run_config == {"ops": {"crawl_forum": {"config": {"until_done": False}}}}
    crawl_job(world, instance)
    result = sensor_says(world, instance)
    assert result.skip_reason is not None
    assert not result.run_requests
    world.execute("UPDATE forum.work SET next_try_at = now() WHERE kind = 'refresh' AND key = 700")
    world.execute("UPDATE forum.boards SET state = 'gone' WHERE bid = 38")
    result = sensor_says(world, instance)
    assert result.run_requests
    assert [request.partition_keys for request in result.dynamic_partitions_requests or []] == [["38"]]


def test_a_database_that_is_away_is_told_in_a_line(world: ForumWorld, instance: dg.DagsterInstance):
    world.database = StatsDatabase(dsn="postgresql://x@/x?host=/nonexistent")
    result = materialize(world, instance, "work")
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert "PostgreSQL does not answer" in (failure.step_failure_data.user_failure_data.description or "")
