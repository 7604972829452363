"""A run over days: each day is done or fails for itself, and the run tells which failed and why."""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Protocol

import dagster as dg

from stats_assets.crashes.day_state import NotThere
from stats_assets.crashes.feeds import FeedAway
from stats_assets.shared.phrases import named
from stats_assets.shared.runs import done_partitions, told_to_dagster

_NEXT = (
    "; the sensor crashes_late_feeds loads a day once its feed has come,"
    " days older than crashes.late_window_days are for you to materialize"
)


class Report(Protocol):
    """What became of one day, in numbers."""

    @property
    def metadata(self) -> Mapping[str, object]: ...


Events = Iterator[dg.AssetMaterialization | dg.AssetCheckResult | dg.MaterializeResult]


def replace_days(
    context: dg.AssetExecutionContext,
    asset: dg.AssetKey,
    code_version: str,
    replace: Callable[[date], Report],
    checks: Callable[[list[date]], list[dg.AssetCheckResult]] = lambda days: [],
) -> Events:
    """Replaces every day of the run. Days whose input is not there fail, the others count as materialized.

    `checks` are asked once at the end, with the days that are done. Feeds have been asked several times, so the
    step is not tried again at once: the sensor asks for the day when its feed has come.
    """
    done: dict[str, Mapping[str, object]] = {}
    failed: dict[str, str] = {}
    is_feed_away = False
    try:
        with told_to_dagster():
            for key in context.partition_keys:
                try:
                    report = replace(date.fromisoformat(key))
                except (FeedAway, NotThere) as error:
                    failed[key] = str(error)
                    is_feed_away |= isinstance(error, FeedAway)
                    context.log.warning("%s: %s", key, error)
                    continue
                done[key] = report.metadata
                context.log.info("%s: %s", key, report)
    except dg.Failure:
        yield from done_partitions(asset, code_version, done)
        raise
    results = checks([date.fromisoformat(key) for key in done])
    if failed:
        yield from (*done_partitions(asset, code_version, done), *results)
        told = _told(asset, failed, len(done)) + (_NEXT if is_feed_away else "")
        raise dg.Failure(description=told, metadata={"failed_days": failed}, allow_retries=False)
    for key, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=key)
    yield dg.MaterializeResult(check_results=results)


def _told(asset: dg.AssetKey, failed: Mapping[str, str], done: int) -> str:
    place = asset.to_user_string()
    if not done and len(failed) == 1:
        return f"{place}: {named(failed)}"
    others = "the other day is done" if done == 1 else f"the other {done} days are done"
    return f"{place}: {len(failed)} of {len(failed) + done} days failed: {named(failed)}; {others}"
