"""Dagster runs: how trouble ends a step, what is under way, a request for a range of partitions in one run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from stats_assets.shared.failures import OurMistake, SourceAway

# For our own database that is away for a moment; sources are tried again by those who ask them.
DATABASE_RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)

_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Ends the step with our one line as its message; only `SourceAway` is tried again."""
    try:
        yield
    except SourceAway as error:
        raise dg.Failure(description=str(error), allow_retries=True) from error
    except OurMistake as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def done_partitions(
    asset: dg.AssetKey, code_version: str, metadata_by_key: Mapping[str, Mapping[str, Any]]
) -> Iterator[dg.AssetMaterialization]:
    """For a step that is about to fail: the partitions of its range that are done all the same.

    To be yielded, because Dagster drops what a failing step has only logged with `log_event`.
    """
    for key, metadata in metadata_by_key.items():
        yield dg.AssetMaterialization(
            asset_key=asset, partition=key, metadata=metadata, tags={"dagster/code_version": code_version}
        )


def is_busy(instance: dg.DagsterInstance, *assets: dg.AssetKey, jobs: Collection[str] = ()) -> bool:
    """Whether a run that is queued or under way is to materialize one of the assets, or is of one of the jobs.

    Runs that a schedule or sensor asks for name a job and no assets, others the assets and no job of ours.
    """
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_UNDER_WAY))
    return any(run.job_name in jobs or (run.asset_selection or set()) & set(assets) for run in runs)


def range_request(first_key: str, last_key: str, run_key: str | None = None) -> dg.RunRequest:
    """A single run over the partitions from `first_key` to `last_key`, both included; one `run_key` asks once."""
    if first_key == last_key:
        return dg.RunRequest(run_key=run_key, partition_key=first_key)
    span = {ASSET_PARTITION_RANGE_START_TAG: first_key, ASSET_PARTITION_RANGE_END_TAG: last_key}
    return dg.RunRequest(run_key=run_key, tags=span)
