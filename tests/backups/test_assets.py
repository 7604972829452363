"""The assets and checks as Dagster runs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import dagster as dg
import pytest

from stats_assets.backups.assets import BASE_BACKUP, RESTORE_DRILL, build_assets
from stats_assets.backups.automation import build_automation
from stats_assets.backups.checks import age_problem, build_checks, drill_problem
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.manifest import MANIFEST
from stats_assets.backups.plan import backup_name
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.store import LastDrills
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.notifications.message import Links
from stats_assets.notifications.watch import Watcher
from stats_assets.shared.archive import Archive
from tests.backups.conftest import Place
from tests.notifications.world import Webhook, webhooks

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.mark.slow
def test_a_backup_and_its_drill_are_made_and_entered_and_a_damaged_one_fails_and_is_told(place: Place):
    assets = build_assets(place.config, place.shelf, place.cluster.binaries.folder)
    checks = build_checks(place.config, place.shelf)
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday())
    with dg.DagsterInstance.ephemeral() as instance, webhooks() as (people,):

        def make(key: dg.AssetKey, partition: date) -> dg.ExecuteInProcessResult:
            return dg.materialize(
                [*assets, *checks],
                selection=dg.AssetSelection.assets(key),
                partition_key=f"{partition}",
                resources={"database": place.database},
                instance=instance,
                raise_on_error=False,
            )

        assert not make(BASE_BACKUP, today - timedelta(days=1)).success  # yesterday's cannot be made
        assert place.shelf.backups() == []
        look = watcher_of(place, instance, people)
        backup = make(BASE_BACKUP, today)
        assert backup.success
        assert [check.passed for check in backup.get_asset_check_evaluations()] == [True, True]
        drill = make(RESTORE_DRILL, monday)
        assert drill.success and [check.passed for check in drill.get_asset_check_evaluations()] == [True]
        look()
        assert people.messages == []
        (name,) = place.shelf.backups()
        base = place.folder / "shelf" / name / "base.tar.zst"
        whole = base.read_bytes()
        base.write_bytes(whole[:-1] + b"?")
        damaged = make(RESTORE_DRILL, monday)
        assert not damaged.success
        look()
        base.write_bytes(whole)
        assert make(RESTORE_DRILL, monday).success
        look()
    failure, recovery = people.messages
    assert failure["title"] == f"[stats] backups/restore_drill {monday} failed"
    assert re.search("^why: .*base.tar.zst", failure["message"], re.MULTILINE)
    assert re.search(r"^do: .*docs/runbooks/\S+\.md", failure["message"], re.MULTILINE)
    assert recovery["title"] == f"[stats] backups/restore_drill {monday} is well again"
    with place.database.transaction() as cursor:
        cursor.execute("SELECT backup_name, removed_at FROM backups.base_backup")
        assert (name, None) in cursor.fetchall()
        cursor.execute("SELECT week, is_good FROM backups.restore_drill WHERE backup_name = %s ORDER BY 2", (name,))
        assert cursor.fetchall() == [(monday, False), (monday, True), (monday, True)]


def watcher_of(place: Place, instance: dg.DagsterInstance, people: Webhook) -> Callable[[], None]:
    """A look of a watcher that tells at once; it has looked once already."""
    channels = {"people": {"url": f"json://{people.address}"}}
    config = NotificationsConfig.model_validate({"channels": channels, "group_seconds": 0})
    watcher = Watcher(config, place.database, instance, Links("https://ui.example.org"), sleep=lambda seconds: None)

    def look() -> None:
        # A while after it, whether a run is tried again is decided.
        watcher.look(datetime.now(UTC) + timedelta(minutes=1))

    look()
    return look


def test_an_old_backup_and_no_backup_are_told():
    names = [backup_name(NOW - timedelta(hours=hours)) for hours in (55, 31)]
    assert age_problem(names, 31, NOW) == ""
    assert age_problem(names, 30, NOW) == "the newest backup was begun 31 hours ago, allowed are 30"
    assert age_problem([], 30, NOW).startswith("there is no backup yet")


def test_that_there_is_no_backup_yet_is_a_warning_and_an_old_one_an_error(tmp_path: Path):
    shelf = Shelf(Archive(f"{tmp_path}"))
    newest_backup_is_recent, *_ = build_checks(BackupsConfig(), shelf)
    answer = cast(dg.AssetCheckResult, newest_backup_is_recent())
    assert (answer.passed, answer.severity) == (False, dg.AssetCheckSeverity.WARN)
    old = tmp_path / backup_name(NOW - timedelta(days=365))
    old.mkdir()
    (old / MANIFEST).touch()
    answer = cast(dg.AssetCheckResult, newest_backup_is_recent())
    assert (answer.passed, answer.severity) == (False, dg.AssetCheckSeverity.ERROR)


def test_a_failed_an_old_and_no_drill_are_told():
    good = LastDrills(NOW - timedelta(days=9), True, "b", None, NOW - timedelta(days=9))
    assert drill_problem(LastDrills(), 8, NOW).startswith("no backup was restored yet")
    assert drill_problem(good, 9, NOW) == ""
    assert drill_problem(good, 8, NOW) == "the last drill was 9 days ago, allowed are 8"
    bad = LastDrills(NOW - timedelta(days=1), False, "b", "it is cut", NOW - timedelta(days=9))
    assert drill_problem(bad, 30, NOW) == "the drill of 2026-05-19 failed: it is cut"


def test_schedules_ask_for_the_day_and_the_week_under_way():
    config = BackupsConfig()
    defs = build_automation(config, [], is_running=True)
    asked = {}
    for schedule in defs.schedules or []:
        if isinstance(schedule, dg.ScheduleDefinition) and schedule.name != "backups_hourly_watch":
            sunday = datetime(2026, 5, 24, 4, 10, tzinfo=UTC)
            with dg.build_schedule_context(scheduled_execution_time=sunday) as context:
                requests = cast(Iterable[dg.RunRequest], schedule(context))
                asked[schedule.name] = [request.partition_key for request in requests]
    assert asked == {"backups_daily": ["2026-05-24"], "backups_weekly_drill": ["2026-05-18"]}
