"""What is told of failures, and how often: a failure once, the same again not, its recovery once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

from stats_assets.notifications.incidents import Incident, Thing
from stats_assets.notifications.recovery import made_good
from stats_assets.notifications.watch import WATCHER_LOCK, Watcher
from stats_assets.shared.failures import ConfigurationMistake, OurMistake
from stats_assets.shared.postgres import try_lock
from tests.notifications.world import AWAY, FILES, NOW, Webhook, World, webhooks

BAD_DAY = "2026-05-02"


def ended_at(world: World, run_id: str) -> datetime:
    (record,) = world.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    assert record.end_time is not None
    return datetime.fromtimestamp(record.end_time, UTC)


def titles(webhook: Webhook) -> list[str]:
    return [message["title"] for message in webhook.messages]


def test_a_failed_day_is_told_once_and_its_recovery_once(world: World, watcher: Watcher, webhook: Webhook):
    world.bad_days = {BAD_DAY}
    run = world.run("2026-05-01", "2026-05-03")
    world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files 2026-05-02 failed"]
    assert webhook.messages[0]["message"].splitlines() == [
        "log_sync/files 2026-05-02 failed",
        "why:   1 of 3 days incomplete: 2026-05-02: proxy03 has no file",
        f"since: {ended_at(world, run.run_id):%Y-%m-%d %H:%M} UTC",
        f"look:  https://ui.example.org/runs/{run.run_id}",
        "do:    https://docs.example.org/stats/docs/runbooks/failed-days.md",
    ]
    world.run(BAD_DAY)
    world.look(watcher)
    assert len(webhook.messages) == 1
    assert world.incidents() == [("run", "log_sync/files", BAD_DAY, "open", 2)]
    world.bad_days = set()
    world.run(BAD_DAY)
    world.look(watcher)
    world.look(watcher)
    assert titles(webhook)[1:] == ["[stats] log_sync/files 2026-05-02 is well again"]
    assert world.incidents() == [("run", "log_sync/files", BAD_DAY, "recovered", 2)]


def test_an_asset_without_partitions_that_failed_in_a_run_of_a_day_is_well_when_it_is_made(world: World):
    schema = Incident(1, Thing("run", "events/schema", BAD_DAY), True, "", "", "", 0, False, NOW, NOW, 1)
    files = replace(schema, thing=Thing("run", "log_sync/files", BAD_DAY))
    assert made_good(world.instance, [schema, files], NOW) == []
    world.instance.report_runless_asset_event(dg.AssetMaterialization(["events", "schema"]))
    world.instance.report_runless_asset_event(dg.AssetMaterialization(FILES, partition="2026-05-01"))
    assert [passed.thing for passed in made_good(world.instance, [schema, files], NOW)] == [schema.thing]


def test_another_day_that_fails_while_one_is_open_is_told(world: World, watcher: Watcher, webhook: Webhook):
    world.bad_days = {"2026-05-01", BAD_DAY}
    world.run("2026-05-01")
    world.look(watcher)
    world.run(BAD_DAY)
    world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files 2026-05-01 failed", "[stats] log_sync/files 2026-05-02 failed"]


def test_days_that_fail_in_one_run_are_one_message(world: World, watcher: Watcher, webhook: Webhook):
    world.error = AWAY
    world.run("2026-05-01", "2026-05-03")
    world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files 2026-05-01, 2026-05-02, 2026-05-03 failed"]
    assert "do:    https://docs.example.org/stats/docs/runbooks/source-away.md" in webhook.messages[0]["message"]


def test_what_lies_behind_a_failed_step_is_not_told(world: World, watcher: Watcher):
    world.error = ConfigurationMistake("stats.yaml:3: wrong")
    world.run(BAD_DAY, with_hits=True)
    world.look(watcher)
    assert [(kind, subject) for kind, subject, *_ in world.incidents()] == [("run", "log_sync/files")]


def test_failures_of_one_minute_are_one_message(world: World, webhook: Webhook):
    watcher = world.watcher({"ops": {"url": f"json://{webhook.address}/"}}, group_seconds=60)
    world.look(watcher)
    world.bad_days = {"2026-05-01", BAD_DAY}
    world.run("2026-05-01")
    world.look(watcher, timedelta(seconds=30))
    world.run(BAD_DAY)
    world.look(watcher, timedelta(seconds=30))
    assert webhook.messages == []
    world.look(watcher, timedelta(seconds=60))
    assert titles(webhook) == ["[stats] 2 wrong"]
    assert webhook.messages[0]["message"].count(" failed\n") == 2


def test_a_job_without_assets_is_told_by_its_name_and_made_good_by_its_next_success(
    world: World, watcher: Watcher, webhook: Webhook
):
    world.error = OurMistake("forum: no page")
    world.run_job()
    world.look(watcher)
    world.error = None
    world.run_job()
    world.look(watcher)
    assert titles(webhook) == ["[stats] forum_crawl failed", "[stats] forum_crawl is well again"]


def test_a_check_that_fails_is_told_once_and_when_it_holds_again(world: World, watcher: Watcher, webhook: Webhook):
    world.check_passes, world.severity = False, dg.AssetCheckSeverity.WARN
    for _ in range(2):
        world.run(BAD_DAY)
        world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files: check every_expected_host_delivered does not hold (warning)"]
    message = webhook.messages[0]["message"]
    assert "why:   proxy03 owes a file" in message
    assert "look:  https://ui.example.org/assets/log_sync/files?view=checks" in message
    assert "/docs/runbooks/log_sync.md#every_expected_host_delivered" in message
    world.check_passes = True
    world.run(BAD_DAY)
    world.look(watcher)
    assert len(webhook.messages) == 2
    assert titles(webhook)[1].endswith("is well again")


def test_what_failed_and_is_well_before_anybody_looked_is_one_message(world: World, watcher: Watcher, webhook: Webhook):
    world.bad_days = {BAD_DAY}
    world.run(BAD_DAY)
    world.bad_days = set()
    world.run(BAD_DAY)
    world.look(watcher)
    world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files 2026-05-02 failed, and is well again"]


def test_a_run_that_dagster_tries_again_is_not_told(world: World, watcher: Watcher, webhook: Webhook):
    world.error = AWAY
    run = world.run(BAD_DAY)
    world.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true", AUTO_RETRY_RUN_ID_TAG: "the other run"})
    world.look(watcher)
    assert webhook.messages == []


def watched_failure(world: World, webhook: Webhook) -> tuple[Watcher, str]:
    """A run that fails after the first look of a watcher that is then asked to look at moments of the test."""
    watcher = world.watcher({"ops": {"url": f"json://{webhook.address}/"}})
    world.look(watcher)
    world.error = AWAY
    return watcher, world.run(BAD_DAY).run_id


def test_a_run_that_dagster_wanted_to_try_again_and_could_not_is_told(world: World, webhook: Webhook):
    watcher, run_id = watched_failure(world, webhook)
    world.instance.add_run_tags(run_id, {WILL_RETRY_TAG: "true"})
    watcher.look(ended_at(world, run_id) + timedelta(seconds=1))
    assert webhook.messages == []
    world.instance.add_run_tags(run_id, {WILL_RETRY_TAG: "false"})
    watcher.look(ended_at(world, run_id) + timedelta(seconds=2))
    assert len(webhook.messages) == 1


def test_a_run_that_dagster_wants_to_try_again_and_does_not_is_told_after_a_minute(world: World, webhook: Webhook):
    watcher, run_id = watched_failure(world, webhook)
    world.instance.add_run_tags(run_id, {WILL_RETRY_TAG: "true"})
    for seconds, told in ((59, 0), (61, 1)):
        watcher.look(ended_at(world, run_id) + timedelta(seconds=seconds))
        assert len(webhook.messages) == told


def test_a_failure_is_not_told_before_dagster_has_decided_on_another_attempt(world: World, webhook: Webhook):
    watcher, run_id = watched_failure(world, webhook)
    watcher.look(ended_at(world, run_id) + timedelta(seconds=1))
    assert webhook.messages == []
    watcher.look(ended_at(world, run_id) + timedelta(seconds=11))
    assert len(webhook.messages) == 1


def test_an_asset_that_is_no_longer_fresh_is_told_until_it_is(world: World, watcher: Watcher, webhook: Webhook):
    for state in (FreshnessState.FAIL, FreshnessState.PASS):
        world.instance._report_runless_asset_event(
            FreshnessStateChange(
                key=FILES, previous_state=FreshnessState.WARN, new_state=state, state_change_timestamp=0.0
            )
        )
        world.look(watcher)
    assert titles(webhook) == ["[stats] log_sync/files is not fresh", "[stats] log_sync/files is well again"]
    assert "docs/runbooks/stale-asset.md" in webhook.messages[0]["message"]


def test_a_service_is_told_when_it_has_been_silent_for_long(world: World, watcher: Watcher, webhook: Webhook):
    world.complaint = "http://127.0.0.1:3702/health does not answer"
    world.look(watcher)
    world.look(watcher)
    assert webhook.messages == []
    world.look(watcher, timedelta(minutes=3))
    world.look(watcher)
    assert titles(webhook) == ["[stats] collector is silent"]
    world.complaint = None
    world.look(watcher)
    assert titles(webhook)[1:] == ["[stats] collector is well again"]


def test_a_service_that_was_silent_for_a_moment_is_forgotten(world: World, watcher: Watcher, webhook: Webhook):
    world.complaint = "restarting"
    world.look(watcher)
    world.complaint = None
    world.look(watcher)
    assert webhook.messages == []
    assert world.incidents() == []


def test_what_was_wrong_before_the_watcher_first_looked_is_no_news(world: World, webhook: Webhook):
    world.bad_days = {BAD_DAY}
    world.run(BAD_DAY)
    world.look(world.watcher({"ops": {"url": f"json://{webhook.address}/"}}))
    assert webhook.messages == []


def test_without_channels_incidents_are_kept_and_told_to_who_comes_later(world: World, webhook: Webhook):
    silent = world.watcher({})
    world.look(silent)
    world.bad_days = {BAD_DAY}
    world.run(BAD_DAY)
    world.look(silent)
    world.look(world.watcher({"ops": {"url": f"json://{webhook.address}/"}}))
    assert titles(webhook) == ["[stats] log_sync/files 2026-05-02 failed"]


def test_channels_are_told_of_their_rooms_and_of_warnings_if_they_like(world: World):
    with webhooks(3) as (everything, forum, errors):
        watcher = world.watcher(
            {
                "everything": {"url": f"json://{everything.address}/"},
                "forum": {"url": f"json://{forum.address}/", "rooms": ["forum"]},
                "errors": {"url": f"json://{errors.address}/", "warnings": False},
            }
        )
        world.look(watcher)
        world.check_passes, world.severity = False, dg.AssetCheckSeverity.WARN
        world.run(BAD_DAY)
        world.look(watcher)
        assert [len(each.messages) for each in (everything, forum, errors)] == [1, 0, 0]


def test_a_second_watcher_leaves_while_one_is_at_work(world: World, watcher: Watcher, webhook: Webhook):
    world.bad_days = {BAD_DAY}
    world.run(BAD_DAY)
    with world.database.session() as cursor:
        assert try_lock(cursor, WATCHER_LOCK)
        world.look(watcher)
        assert webhook.messages == []
    world.look(watcher)
    assert len(webhook.messages) == 1
