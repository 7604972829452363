"""Starts and ends of steps on a real broker: topics, bodies, order, and that none is lost while it is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from stats_assets.notifications.publisher import messages_between
from stats_assets.notifications.watch import Watcher
from tests.notifications.broker import running_broker
from tests.notifications.world import AWAY, World

DAY = "2026-05-02"


@pytest.fixture(scope="module")
def broker(rabbitmq: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_broker(rabbitmq, tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


class Listener:
    """A queue that hears every topic of the bus."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._queue, "amq.topic", "org.example.logging.stats.#")

    def heard(self) -> list[tuple[str, dict[str, Any], Any]]:
        """Topic, body and properties of each message since the last time."""
        found = []
        while True:
            method, properties, body = self._channel.basic_get(self._queue, auto_ack=True)
            if method is None or body is None:
                return found
            found.append((method.routing_key, json.loads(body), properties))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def listener(broker: str) -> Iterator[Listener]:
    made = Listener(broker)
    yield made
    made.close()


def bus_watcher(world: World, url: str) -> Watcher:
    watcher = world.watcher({}, bus={"url": url, "topic_prefix": "org.example."})
    world.look(watcher)
    return watcher


def test_steps_are_told_in_the_topics_of_old_with_who_what_and_why(world: World, broker: str, listener: Listener):
    watcher = bus_watcher(world, broker)
    good = world.run(DAY, with_hits=True)
    world.error = AWAY
    world.run("2026-05-01", "2026-05-03")
    world.look(watcher)
    heard = listener.heard()
    prefix = "org.example.logging.stats."
    assert [topic.removeprefix(prefix) for topic, _, _ in heard] == [
        "sync.start",
        "sync.finish",
        "countme.raw_hits.start",
        "countme.raw_hits.finish",
        "sync.start",
        "sync.fail.final",
    ]
    _, body, properties = heard[1]
    assert body | {"host": ""} == {
        "host": "",
        "run_id": good.run_id,
        "step": "log_sync__files",
        "asset": "log_sync/files",
        "partition": DAY,
    }
    assert properties.content_type == "application/json"
    assert properties.headers["fedora_messaging_schema"] == "base.message"
    assert properties.headers["fedora_messaging_severity"] == 20
    _, body, properties = heard[-1]
    assert body["reason"] == str(AWAY)
    assert body["partition"] == "2026-05-01...2026-05-03"
    assert properties.headers["fedora_messaging_severity"] == 40
    world.look(watcher)
    assert listener.heard() == []


def test_what_steps_did_while_the_broker_was_away_is_told_when_it_is_back(
    world: World, broker: str, listener: Listener
):
    nobody = "amqp://guest:guest@127.0.0.1:1/%2F"
    world.run(DAY)
    said: list[str] = []
    watcher = bus_watcher(world, nobody)
    watcher.say = said.append
    world.run(DAY)
    world.look(watcher)
    assert any("the AMQP broker did not take a message" in line for line in said)
    assert "guest:guest" not in "".join(said)
    back = world.watcher({}, bus={"url": broker, "topic_prefix": "org.example."})
    world.look(back)
    assert [topic.rpartition(".")[2] for topic, _, _ in listener.heard()] == ["start", "finish"]


def test_the_id_of_a_message_is_that_of_its_event(world: World):
    bus = world.watcher({}, bus={"url": "amqp://broker.example.org"}).config.bus
    assert bus is not None
    world.run(DAY)
    newest = world.instance.event_log_storage.get_maximum_record_id() or 0
    once, again = (messages_between(bus, world.instance, 0, newest) for _ in range(2))
    ids = [message.message_id for _, message in once]
    assert ids == [message.message_id for _, message in again]
    assert len(set(ids)) == 2
