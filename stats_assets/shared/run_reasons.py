"""Why a run failed, in one line and in the names of its errors. Read from its events; what follows is the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

# The events that tell how a run went, and why.
TELLING = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


def why_failed(events: Sequence[dg.DagsterEvent]) -> str | None:
    """What a failed blocking check says, else the failed step's own first line, else what Dagster says of the run."""
    for event in events:
        if (check := failed_blocking_check(event)) is not None:
            return one_line(f"check {check.check_name}: {check.description or 'failed without a word'}")
    for event in events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            return why_step_failed(event)
    for event in events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE and event.message:
            return one_line(event.message)
    return None


def why_step_failed(event: dg.DagsterEvent) -> str:
    """The first line of what a failed step said itself."""
    failure = event.step_failure_data
    told = failure.user_failure_data.description if failure.user_failure_data else None
    error = failure.error.cause.message if failure.error and failure.error.cause else None
    return one_line(told or error or (failure.error.message if failure.error else "failed without a word"))


def failed_blocking_check(event: dg.DagsterEvent) -> dg.AssetCheckEvaluation | None:
    """The evaluation, if the event is one of a check that stops what is behind it."""
    if event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    check = event.asset_check_evaluation_data
    is_stop = check.blocking and not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    return check if is_stop else None


def error_names(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """The classes of the errors that ended steps, causes first: they tell which kind of trouble it was."""
    names: list[str] = []
    for event in events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            while error is not None:
                names.insert(0, error.cls_name or "")
                error = error.cause or error.context
    return names


def one_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"
