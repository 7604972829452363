"""That the database is away is told without it, once, and so is that it is back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stats_assets.local.graphql import Graphql
from stats_assets.local.probes import silent_daemons, unanswered, unloaded
from stats_assets.local.watching import watch
from stats_assets.notifications.channels import send
from stats_assets.notifications.config import Channel
from stats_assets.notifications.database_away import DatabaseAway
from stats_assets.notifications.message import Links
from stats_assets.shared.environment import read_environment
from tests.notifications.world import NOW, Webhook, webhooks

NOBODY = "postgresql://nobody@127.0.0.1:1/none"


def account(folder: Path, *webhooks: Webhook) -> DatabaseAway:
    channels = {f"ops{n}": Channel(url=f"json://{each.address}/") for n, each in enumerate(webhooks)}
    links = Links("http://ui", None)
    return DatabaseAway(folder / "away.json", channels, links, timedelta(minutes=3), send, lambda line: None)


def minutes(count: int) -> datetime:
    return NOW + timedelta(minutes=count)


def test_an_outage_is_told_once_whoever_restarts_and_its_end_once(tmp_path: Path, webhook: Webhook):
    for minute in range(6):
        account(tmp_path, webhook).seen("connection refused", minutes(minute))
    for minute in range(6, 8):
        account(tmp_path, webhook).is_back(minutes(minute))
    away, back = webhook.messages
    assert away["title"] == "[stats] PostgreSQL does not answer"
    assert away["message"].splitlines() == [
        "why:   connection refused",
        "since: 2026-05-04 12:00 UTC",
        "do:    docs/runbooks/database-away.md",
    ]
    assert back["title"] == "[stats] PostgreSQL answers again"
    assert "2026-05-04 12:00 UTC to 2026-05-04 12:06 UTC" in back["message"]


def test_a_short_outage_is_told_to_nobody(tmp_path: Path, webhook: Webhook):
    account(tmp_path, webhook).seen("restarting", minutes(0))
    account(tmp_path, webhook).is_back(minutes(1))
    account(tmp_path, webhook).seen("restarting", minutes(10))
    account(tmp_path, webhook).is_back(minutes(11))
    assert webhook.messages == []


def test_a_channel_that_is_away_too_is_told_later_and_the_other_not_twice(tmp_path: Path):
    with webhooks(2) as (late, well):
        late.status = 503
        account(tmp_path, late, well).seen("gone", minutes(0))
        account(tmp_path, late, well).seen("gone", minutes(4))
        assert [len(late.messages), len(well.messages)] == [0, 1]
        late.status = 200
        account(tmp_path, late, well).seen("gone", minutes(5))
        assert [len(late.messages), len(well.messages)] == [1, 1]


def test_a_look_at_a_database_that_is_away_fails_and_is_kept(tmp_path: Path, webhook: Webhook):
    (tmp_path / "stats.yaml").write_text(
        f"notifications:\n  silent_after_seconds: 1\n  channels:\n    ops: {{url: 'json://{webhook.address}/'}}\n"
    )
    environ = {
        "STATS_HOME": str(tmp_path),
        "STATS_CONFIG": str(tmp_path / "stats.yaml"),
        "STATS_DSN": NOBODY,
        "STATS_DAGSTER_DSN": NOBODY,
    }
    (tmp_path / "database-away.json").write_text('{"since": "2026-05-04T12:00:00+00:00", "why": "refused"}')
    said: list[str] = []
    assert not watch(read_environment(environ), environ, once=True, say=said.append)
    assert "the database is away" in said[0]
    assert [message["title"] for message in webhook.messages] == ["[stats] PostgreSQL does not answer"]


def test_daemons_that_have_not_told_for_a_while_that_they_live_are_named():
    beats = {"SENSOR": SimpleNamespace(timestamp=1000.0), "SCHEDULER": SimpleNamespace(timestamp=1170.0)}
    instance: Any = SimpleNamespace(
        get_required_daemon_types=lambda: ["SENSOR", "SCHEDULER", "BACKFILL"], get_daemon_heartbeats=lambda: beats
    )
    told = silent_daemons(instance, 1200.0)
    assert told == "no sign of life from 2 of 3 parts of the daemon; the last: backfill never, sensor 200 s ago"
    beats |= {kind: SimpleNamespace(timestamp=1190.0) for kind in ("SENSOR", "BACKFILL")}
    assert silent_daemons(instance, 1200.0) is None


def test_services_that_do_not_answer_have_a_complaint(webhook: Webhook):
    assert "does not answer" in (unloaded(Graphql("http://127.0.0.1:1")) or "")
    assert "does not answer" in (unanswered("http://127.0.0.1:1/health") or "")
    assert "answers 501" in (unanswered(f"http://{webhook.address}/") or "")  # it knows no GET
