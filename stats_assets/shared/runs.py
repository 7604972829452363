"""Dagster runs as sensors see them: what is under way, and a request for a range of partitions in one run."""

from __future__ import annotations

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_busy(instance: dg.DagsterInstance, *assets: dg.AssetKey) -> bool:
    """Whether a run that is queued or under way is to materialize one of the assets."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_UNDER_WAY))
    return any(run.asset_selection and run.asset_selection & set(assets) for run in runs)


def range_request(first_key: str, last_key: str, run_key: str | None = None) -> dg.RunRequest:
    """A single run over the partitions from `first_key` to `last_key`, both included; one `run_key` asks once."""
    if first_key == last_key:
        return dg.RunRequest(run_key=run_key, partition_key=first_key)
    span = {ASSET_PARTITION_RANGE_START_TAG: first_key, ASSET_PARTITION_RANGE_END_TAG: last_key}
    return dg.RunRequest(run_key=run_key, tags=span)
