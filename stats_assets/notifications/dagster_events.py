"""What Dagster's event log tells of things that failed or passed, between two places of it.

Places are storage ids: they rise in the order in which events were written, whatever the clocks say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.event_api import EventLogRecord, EventRecordsFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG

from stats_assets.notifications.incidents import Failed, Passed, Sighting, Thing
from stats_assets.shared.run_reasons import TELLING, error_names, failed_blocking_check, one_line, why_failed
from stats_assets.shared.run_retries import Undecided, next_attempt
from stats_assets.shared.runbooks import STALE, page, page_of_check, page_of_errors

_AT_ONCE = 500


def events_between(
    instance: dg.DagsterInstance, kind: dg.DagsterEventType, after: int, until: int
) -> Iterator[EventLogRecord]:
    """The events of a kind with a storage id above `after`, up to and with `until`, in their order."""
    while True:
        wanted = EventRecordsFilter(event_type=kind, after_cursor=after, before_cursor=until + 1)
        records = instance.event_log_storage.get_event_records(wanted, limit=_AT_ONCE, ascending=True)
        yield from records
        if len(records) < _AT_ONCE:
            return
        after = records[-1].storage_id


def sightings(instance: dg.DagsterInstance, after: int, until: int, now: datetime) -> tuple[list[Sighting], int]:
    """What failed and passed between two places, in order, and the place up to which all is told.

    That place is before `until` when a run has just failed and Dagster has not decided yet whether to try again.
    """
    found: list[Sighting] = []
    for record in events_between(instance, dg.DagsterEventType.RUN_FAILURE, after, until):
        try:
            found += _failed_run(instance, record, now)
        except Undecided:
            until = record.storage_id - 1
            break
    for record in events_between(instance, dg.DagsterEventType.ASSET_CHECK_EVALUATION, after, until):
        found += _evaluated(instance, record)
    for record in events_between(instance, dg.DagsterEventType.FRESHNESS_STATE_CHANGE, after, until):
        found += _freshness(instance, record)
    return sorted(found, key=lambda each: each.event_id), until


def _failed_run(instance: dg.DagsterInstance, record: EventLogRecord, now: datetime) -> list[Failed]:
    """Raises Undecided."""
    run = instance.get_run_by_id(record.run_id)
    if run is None:  # deleted since
        return []
    if next_attempt(run, now.timestamp() - record.timestamp) is not None:
        return []
    events = _events_of(instance, run.run_id)
    why, where = why_failed(events) or "it ended without a word", _page(events)
    return [
        Failed(thing, why, where, _time(record), record.storage_id, run.run_id) for thing in _failed_things(run, events)
    ]


def _events_of(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    wanted = {*TELLING, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    records = instance.get_records_for_run(run_id, of_type=wanted, limit=100_000).records
    return [event for record in records if (event := record.event_log_entry.dagster_event)]


def _page(events: Sequence[dg.DagsterEvent]) -> str:
    for event in events:
        if (check := failed_blocking_check(event)) is not None:
            return page_of_check(check.asset_key.to_user_string(), check.check_name)
    return page_of_errors(error_names(events))


def _failed_things(run: dg.DagsterRun, events: Sequence[dg.DagsterEvent]) -> list[Thing]:
    """What failed steps were to materialize and have not; without a failed step, whatever the run has not.

    What lies behind a failed step was not run: it is told by that step alone. A run of no asset is its job.
    """
    failed_steps = {event.step_key for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE}
    planned: dict[Thing, None] = {}
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and (
            not failed_steps or event.step_key in failed_steps
        ):
            planned[_thing(event)] = None
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            planned.pop(_thing(event), None)
    if planned:
        return list(planned)
    partition = run.tags.get(PARTITION_NAME_TAG, "")
    if run.asset_selection:
        return [Thing("run", key.to_user_string(), partition) for key in sorted(run.asset_selection)]
    return [Thing("run", run.job_name, partition)]


def _thing(event: dg.DagsterEvent) -> Thing:
    assert event.asset_key is not None, "events of assets have a key"
    return Thing("run", event.asset_key.to_user_string(), event.partition or "")


def _evaluated(instance: dg.DagsterInstance, record: EventLogRecord) -> list[Sighting]:
    event = record.event_log_entry.dagster_event
    assert event is not None, "an evaluation is an event"
    check = event.asset_check_evaluation_data
    asset = check.asset_key.to_user_string()
    thing = Thing("check", f"{asset}:{check.check_name}", check.partition or "")
    if check.passed:
        return [Passed(thing, _time(record), record.storage_id)]
    if failed_blocking_check(event) is not None and _has_failed(instance, record.run_id):
        return []  # the failed run tells it, and for which Dagster partition
    why = one_line(check.description or "failed without a word")
    where = page_of_check(asset, check.check_name)
    is_warning = check.severity == dg.AssetCheckSeverity.WARN
    return [Failed(thing, why, where, _time(record), record.storage_id, record.run_id, is_warning)]


def _has_failed(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and not run.is_success


def _freshness(instance: dg.DagsterInstance, record: EventLogRecord) -> list[Sighting]:
    event = record.event_log_entry.dagster_event
    change = event.event_specific_data if event else None
    assert isinstance(change, FreshnessStateChange), "what the kind of the event says"
    thing = Thing("freshness", change.key.to_user_string())
    if change.new_state == FreshnessState.FAIL:
        why = f"not materialized for longer than its freshness policy allows{_last_made(instance, change.key)}"
        return [Failed(thing, why, page(STALE), _time(record), record.storage_id)]
    return [Passed(thing, _time(record), record.storage_id)]


def _last_made(instance: dg.DagsterInstance, key: dg.AssetKey) -> str:
    event = instance.get_latest_materialization_event(key)
    return f"; the last time was {datetime.fromtimestamp(event.timestamp, UTC):%Y-%m-%d %H:%M} UTC" if event else ""


def _time(record: EventLogRecord) -> datetime:
    return datetime.fromtimestamp(record.timestamp, UTC)
