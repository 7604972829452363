"""What was asked for and is still to be done is asked for again, later each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stats_assets.shared.asking_again import whose_time_has_come

REQUEST = dg.RunRequest(run_key="2026-05-04 v1", partition_key="2026-05-04")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def asked(instance: dg.DagsterInstance, minutes: float = 0, *others: dg.RunRequest) -> list[dg.RunRequest]:
    return whose_time_has_come(instance, [REQUEST, *others], datetime.now(UTC) + timedelta(minutes=minutes))


def fail(instance: dg.DagsterInstance, request: dg.RunRequest, of: str | None = None) -> str:
    """A run as the request asks for it, which has ended by now."""
    run = dg.DagsterRun(job_name="load", tags=dict(request.tags), parent_run_id=of, root_run_id=of)
    instance.add_run(run)
    instance.report_run_failed(run)
    return run.run_id


def test_what_was_never_asked_for_is_asked_for_at_once(instance: dg.DagsterInstance):
    (request,) = asked(instance)
    assert (request.run_key, request.partition_key) == (REQUEST.run_key, "2026-05-04")


def test_pauses_double_up_to_an_hour_and_every_time_has_a_key_of_its_own(instance: dg.DagsterInstance):
    keys = set()
    for pause in (0, 1, 2, 4, 8, 16, 32, 60, 60):
        assert pause == 0 or asked(instance, pause / 2) == []
        (request,) = asked(instance, pause)
        keys.add(request.run_key)
        fail(instance, request)
    assert len(keys) == 9


def test_runs_that_dagster_itself_tries_again_count_once(instance: dg.DagsterInstance):
    (request,) = asked(instance)
    first = fail(instance, request)
    fail(instance, request, of=first)
    assert asked(instance, 0.5) == []
    assert len(asked(instance, 1)) == 1


def test_something_else_does_not_wait(instance: dg.DagsterInstance):
    fail(instance, asked(instance)[0])
    other = REQUEST.with_replaced_attrs(run_key="2026-05-04 v2")
    assert [request.run_key for request in asked(instance, 0, other)] == ["2026-05-04 v2"]
