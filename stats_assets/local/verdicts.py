"""What became of a run: which of its partitions are materialized, and why the others are not. Read from events."""

from __future__ import annotations

import re
from dataclasses import dataclass

import dagster as dg

from stats_assets.local.run_plan import ONLY, Run
from stats_assets.shared.run_reasons import TELLING, why_failed
from stats_assets.shared.run_retries import Undecided, next_attempt

_FAILED = dg.DagsterEventType.STEP_FAILURE
_PLANNED = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}


@dataclass(frozen=True)
class Verdict:
    """The partitions for which a run that has ended made all its assets, and, when it failed, why, in one line."""

    done: frozenset[str]
    reason: str | None

    def reason_for(self, partition: str) -> str | None:
        """What the reason says of this partition ("...; PARTITION: what; ..."), else all of it."""
        return self.own_reason(partition) or self.reason

    def own_reason(self, partition: str) -> str | None:
        """What the reason says of this partition alone; None when it does not name it."""
        if self.reason is None or not partition:
            return None
        own = re.search(rf"(?:^|\s){re.escape(partition)}: (.+?)(?:; |$)", self.reason)
        return own[1] if own else None


def final_attempt(instance: dg.DagsterInstance, run_id: str, now: float) -> str | None:
    """The id under which the run ended, once it has; a run whose worker died may be on its second attempt.

    `now` is in Unix seconds.
    """
    record = instance.get_run_record_by_id(run_id)
    if record is None or not record.dagster_run.is_finished:
        return None
    if not record.dagster_run.is_failure:
        return run_id
    try:
        other = next_attempt(record.dagster_run, now - (record.end_time or 0))
    except Undecided:
        return None
    return final_attempt(instance, other, now) if other else run_id


def verdict(instance: dg.DagsterInstance, run_id: str, planned: Run) -> Verdict:
    """How the ended run went for what was planned. Of a failed one, only partitions it reported before are done.

    The run may have made other assets as well: their failures are not counted here.
    """
    run = instance.get_run_by_id(run_id)
    if run is not None and run.is_success:
        return Verdict(frozenset(planned.partitions), None)
    events = _events(instance, run_id, TELLING)
    made = {
        (event.asset_key.to_user_string(), event.partition or ONLY)
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key
    }
    done = {key for key in planned.partitions if all((asset, key) in made for asset in planned.assets)}
    steps = _steps(instance, run_id, planned)
    own = [event for event in events if event.step_key in steps]
    others_failed = any(event.event_type == _FAILED and event.step_key not in steps for event in events)
    if others_failed and len(done) == len(planned.partitions):
        return Verdict(frozenset(done), why_failed(own))
    return Verdict(frozenset(done), why_failed(own) or why_failed(events) or _ended_how(run))


def _steps(instance: dg.DagsterInstance, run_id: str, planned: Run) -> set[str | None]:
    """The steps of a run that make or check the assets."""
    return {
        event.step_key
        for event in _events(instance, run_id, _PLANNED)
        if (key := _planned_asset(event)) is not None and key.to_user_string() in planned.assets
    }


def _planned_asset(event: dg.DagsterEvent) -> dg.AssetKey | None:
    if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        return event.asset_check_planned_data.asset_key
    return event.asset_key


def _events(instance: dg.DagsterInstance, run_id: str, kinds: set[dg.DagsterEventType]) -> list[dg.DagsterEvent]:
    records = instance.get_records_for_run(run_id, of_type=kinds, limit=100_000).records
    return [event for record in records if (event := record.event_log_entry.dagster_event)]


def _ended_how(run: dg.DagsterRun | None) -> str:
    return "its run is gone from Dagster's tables" if run is None else f"its run ended as {run.status.value.lower()}"
