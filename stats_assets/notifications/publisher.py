"""Messages of the bus to an AMQP broker, each confirmed by it. When there is none, the bus waits; nobody else does."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from stats_assets.notifications import store
from stats_assets.notifications.bus import KINDS, BusMessage, bus_message
from stats_assets.notifications.config import Bus
from stats_assets.notifications.dagster_events import events_between
from stats_assets.shared.failures import SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel


def publish(bus: Bus, database: StatsDatabase, instance: dg.DagsterInstance, until: int, now: datetime) -> int:
    """Publishes what steps did since the last time, up to the event `until`; gives how many messages that were.

    Raises SourceAway when the broker is away or refuses; what it has taken until then is not published again.
    """
    with database.session() as cursor:
        _, after = store.places(cursor, until, now)
        messages = messages_between(bus, instance, after, until)
        if messages:
            with _broker(bus) as channel:
                for place, message in messages:
                    _publish(channel, bus.exchange, message)
                    store.move_bus_to(cursor, place)
        store.move_bus_to(cursor, until)
    return len(messages)


def messages_between(bus: Bus, instance: dg.DagsterInstance, after: int, until: int) -> list[tuple[int, BusMessage]]:
    """Messages by the place of their event, in the order in which things happened."""
    records = sorted(
        (record for kind in KINDS for record in events_between(instance, kind, after, until)),
        key=lambda record: record.storage_id,
    )
    host, assets, messages = socket.gethostname(), _Assets(instance), []
    for record in records:
        event = record.event_log_entry.dagster_event
        asset = assets.of_step(record.run_id, (event.step_key if event else None) or "")
        partition = assets.partition(record.run_id)
        messages.append((record.storage_id, bus_message(record, asset, partition, host, bus.topic_prefix, bus.topics)))
    return messages


class _Assets:
    """What runs are to make, read once per run."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._planned: dict[str, dict[str, str]] = {}

    def of_step(self, run_id: str, step: str) -> str | None:
        if run_id not in self._planned:
            kind = {dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
            records = self._instance.get_records_for_run(run_id, of_type=kind, limit=10_000).records
            events = [event for record in records if (event := record.event_log_entry.dagster_event)]
            planned = {(event.step_key or ""): event.asset_key.to_user_string() for event in events if event.asset_key}
            self._planned[run_id] = planned
        return self._planned[run_id].get(step)

    def partition(self, run_id: str) -> str:
        run = self._instance.get_run_by_id(run_id)
        tags = run.tags if run else {}
        first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
        return f"{first}...{last}" if first and last else tags.get(PARTITION_NAME_TAG, "")


@contextmanager
def _broker(bus: Bus) -> Iterator[BlockingChannel]:
    import pika  # optional: imported where there is a broker
    from pika.exceptions import AMQPError

    try:
        parameters = pika.URLParameters(bus.url)
        parameters.socket_timeout = parameters.blocked_connection_timeout = 10
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()
    except (AMQPError, OSError) as error:
        raise SourceAway(f"the AMQP broker did not take a message: {first_line(error)}") from None


def _publish(channel: BlockingChannel, exchange: str, message: BusMessage) -> None:
    import pika

    properties = pika.BasicProperties(
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=pika.DeliveryMode.Persistent.value,
        priority=0,
        message_id=str(message.message_id),
        headers={
            "fedora_messaging_schema": "base.message",
            "fedora_messaging_severity": message.severity,
            "sent-at": message.sent_at.isoformat(timespec="seconds"),
        },
    )
    channel.basic_publish(exchange, message.topic, json.dumps(dict(message.body)).encode(), properties)
