"""How planned runs are executed: queued for the daemon of a running stack, or in this process.

Both write to the same instance, so that the UI shows either; what became of a run is read from there by `verdicts`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    PRIORITY_TAG,
)
from sqlalchemy.exc import DBAPIError

from stats_assets.local.abandoned import process_tag
from stats_assets.local.graphql import Graphql
from stats_assets.local.run_plan import Run
from stats_assets.local.surroundings import LOCATION
from stats_assets.local.verdicts import Verdict, final_attempt, verdict
from stats_assets.shared.failures import SourceAway

_POLL_SECONDS = 1.0
# A restarted server is away for some seconds; one that stays away is no reason to wait for ever.
_PATIENCE_SECONDS = 60.0

_LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
    ... on RunConfigValidationInvalid { errors { message } } } }
"""


# Somebody waits for it; what sensors have asked for does not mind.
_GOES_FIRST = {PRIORITY_TAG: "10"}


Shared = tuple[Run, ...]


class Launcher(Protocol):
    def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
        """Each run with what became of it, in the order in which they end."""
        ...


@dataclass(frozen=True)
class ThroughDaemon:
    """Queues all runs at once and waits; the stack's limits decide how many work at a time."""

    url: str
    instance: dg.DagsterInstance

    def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
        waiting = {self._queue(shared): shared for shared in shared_runs(runs)}
        answered_at = time.monotonic()
        while waiting:
            try:
                for run_id in list(waiting):
                    ended = final_attempt(self.instance, run_id, time.time())
                    if ended is not None:
                        results = [(run, verdict(self.instance, ended, run)) for run in waiting[run_id]]
                        del waiting[run_id]
                        yield from results
                answered_at = time.monotonic()
            except DBAPIError as error:
                if time.monotonic() - answered_at > _PATIENCE_SECONDS:
                    raise SourceAway(
                        "Dagster's database went away while runs were under way; see ./stats status"
                    ) from error
            if waiting:
                time.sleep(_POLL_SECONDS)

    def _queue(self, runs: Shared) -> str:
        """The run's id. Only asked once: a question without an answer may have started the run all the same."""
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": asset.split("/")} for run in runs for asset in run.assets],
        }
        tags = [{"key": key, "value": value} for key, value in {**partition_tags(runs[0]), **_GOES_FIRST}.items()]
        params = {"selector": selector, "mode": "default", "runConfigData": {}, "executionMetadata": {"tags": tags}}
        answer = Graphql(self.url).ask(_LAUNCH, timeout_seconds=_PATIENCE_SECONDS, params=params)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise SourceAway(f"{runs[0].name}: Dagster did not take the run: {answer.get('message') or answer}")
        return answer["run"]["runId"]


@dataclass(frozen=True)
class InProcess:
    """One run after the other, here."""

    job: dg.JobDefinition
    instance: dg.DagsterInstance

    def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
        for shared in shared_runs(runs):
            result = self.job.execute_in_process(
                asset_selection=[dg.AssetKey(asset.split("/")) for run in shared for asset in run.assets],
                instance=self.instance,
                tags={**partition_tags(shared[0]), **process_tag()},
                # Events go to the instance; on the terminal they would bury the progress.
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
            yield from ((run, verdict(self.instance, result.run_id, run)) for run in shared)


def shared_runs(runs: Sequence[Run]) -> list[Shared]:
    """What is carried out as one run of Dagster: those without partitions together, each of the others alone.

    A run costs seconds before it begins, and what is not partitioned is mostly made in less.
    """
    unpartitioned = tuple(run for run in runs if run.first is None)
    return [(run,) for run in runs if run.first is not None] + ([unpartitioned] if unpartitioned else [])


def partition_tags(run: Run) -> Mapping[str, str]:
    """The tags by which Dagster knows a run's partitions."""
    if run.first is None or run.last is None:
        return {}
    if run.first == run.last:
        return {PARTITION_NAME_TAG: run.first}
    return {ASSET_PARTITION_RANGE_START_TAG: run.first, ASSET_PARTITION_RANGE_END_TAG: run.last}
