"""When a sensor may ask again for what it has asked for before, because it is still to be done: later each time.

A source that is away for a minute then costs minutes, one that is away for a week a run every hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.dagster_run import RunRecord

_ASKED_FOR = "stats/asked_for"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_REMEMBERED = timedelta(days=1)
_LOOKED_AT = 50


def whose_time_has_come(
    instance: dg.DagsterInstance, requests: Iterable[dg.RunRequest], now: datetime
) -> list[dg.RunRequest]:
    """The requests that were not made before, or long enough ago for the number of times they were.

    The `run_key` of a request says what is to be done, and nothing of when: equal as long as nothing has changed.
    """
    return list(_whose_time_has_come(instance, requests, now))


def _whose_time_has_come(
    instance: dg.DagsterInstance, requests: Iterable[dg.RunRequest], now: datetime
) -> Iterator[dg.RunRequest]:
    for request in requests:
        what = hashlib.sha256((request.run_key or "").encode()).hexdigest()[:16]
        records = instance.get_run_records(dg.RunsFilter(tags={_ASKED_FOR: what}), limit=_LOOKED_AT)
        if now >= may_ask_at(records, now):
            # One key asks once: the next time is named after the time before.
            key = f"{request.run_key} after {records[0].dagster_run.run_id}" if records else request.run_key
            yield request.with_replaced_attrs(run_key=key, tags={**request.tags, _ASKED_FOR: what})


def may_ask_at(records: Sequence[RunRecord], now: datetime) -> datetime:
    """From when on, after these runs of the same thing; those that Dagster itself tried again count once."""
    asked = [
        record
        for record in records
        if record.dagster_run.parent_run_id is None and now - record.create_timestamp < _REMEMBERED
    ]
    if not asked:
        return now
    pause = min(_FIRST_PAUSE * 2 ** (len(asked) - 1), _LONGEST_PAUSE)
    return max(map(_ended_at, records)) + pause


def _ended_at(record: RunRecord) -> datetime:
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp
