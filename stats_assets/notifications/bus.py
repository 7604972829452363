"""Steps as messages for machines: topics below `logging.stats.` and bodies, as statistics scripts have long sent them.

    logging.stats.sync.start            a step began
    logging.stats.sync.finish           it has ended well
    logging.stats.sync.fail.retry       it failed and is tried again
    logging.stats.sync.fail.final       it failed

The words in the middle are those of `Bus.topics`, else room.table, else the name of the step. Bodies are JSON: host,
run_id, step, and where they apply asset, partition and reason. Ids are made of the event's place in Dagster's log, so
that a message that came twice can be told from two. Headers are those of fedora-messaging (base.message).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

import dagster as dg
from dagster._core.event_api import EventLogRecord

from stats_assets.shared.run_reasons import one_line, why_step_failed

_ENDINGS = {
    dg.DagsterEventType.STEP_START: "start",
    dg.DagsterEventType.STEP_SUCCESS: "finish",
    dg.DagsterEventType.STEP_UP_FOR_RETRY: "fail.retry",
    dg.DagsterEventType.STEP_FAILURE: "fail.final",
}
KINDS = tuple(_ENDINGS)
_INFO, _ERROR = 20, 40
_OURS = UUID("5b0d4b0e-6a05-5b8c-9a57-0d2ea39b9a61")  # any, but always the same


@dataclass(frozen=True)
class BusMessage:
    """What is published: a topic, a JSON body, an id and when it happened."""

    topic: str
    body: Mapping[str, str]
    message_id: UUID
    severity: int
    sent_at: datetime


def bus_message(
    record: EventLogRecord, asset: str | None, partition: str, host: str, prefix: str, topics: Mapping[str, str]
) -> BusMessage:
    """An event of `KINDS` as a message. `asset` is the first the step makes, `host` the machine that tells."""
    event = record.event_log_entry.dagster_event
    assert event is not None, "a record of a kind of event holds one"
    step = event.step_key or ""
    words = topics.get(asset or step) or (asset or step).replace("/", ".")
    body = {"host": host, "run_id": record.run_id, "step": step, "asset": asset or "", "partition": partition}
    if event.event_type == dg.DagsterEventType.STEP_FAILURE:
        body["reason"] = why_step_failed(event)
    elif event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY:
        error = event.step_retry_data.error
        body["reason"] = one_line(error.message if error else "")
    return BusMessage(
        topic=f"{prefix}logging.stats.{words}.{_ENDINGS[event.event_type]}",
        body={name: value for name, value in body.items() if value},
        message_id=uuid5(_OURS, f"{record.run_id} {record.storage_id}"),
        severity=_ERROR if event.event_type == dg.DagsterEventType.STEP_FAILURE else _INFO,
        sent_at=datetime.fromtimestamp(record.timestamp, UTC),
    )
