"""The simulated apps: the same in every run, good for the schema file but for what is odd on purpose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stats_assets.events.schema_file import read_schema_file
from stats_assets.events.verdict import judge_event
from stats_assets.sandbox.event_clients import requests_of
from stats_assets.sandbox.event_traffic import due
from stats_assets.sandbox.world import World
from stats_assets.shared.environment import PROJECT_FOLDER

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = [NOON + timedelta(minutes=n) for n in range(60)]


def test_a_minute_is_the_same_in_every_run_and_another_with_another_seed():
    assert requests_of(World(1), NOON) == requests_of(World(1), NOON)
    assert requests_of(World(1), NOON) != requests_of(World(2), NOON)
    assert [r.body for r in due(World(1), NOON, NOON + timedelta(minutes=2))] == [
        r.body for minute in HOUR[:2] for r in requests_of(World(1), minute)
    ]


def test_an_hour_holds_every_kind_of_event():
    schema = read_schema_file(PROJECT_FOLDER / "events.yaml", {})
    requests = [request for minute in HOUR for request in requests_of(World(1), minute)]
    verdicts = [judge_event(event, schema.tables, {}, 500) for request in requests for event in request.events]
    reasons = {verdict.refusal.reason for verdict in verdicts if verdict.refusal}
    assert reasons == {"wrong type"}
    assert 0.005 < sum(verdict.refusal is not None for verdict in verdicts) / len(verdicts) < 0.06
    assert {column for verdict in verdicts for column in verdict.unknown_columns} == {"device"}
    ids = [verdict.event_id for verdict in verdicts]
    assert len(ids) - len(set(ids)) > 5  # sent again
    assert {request.app_id for request in requests} == set(schema.apps)
