"""Messages reach their channel whatever happens on the way: away, killed, several of them, mail."""

from __future__ import annotations

import email
from datetime import timedelta
from email.message import Message

import pytest
from aiosmtpd.controller import Controller

from stats_assets.configuration import StatsConfig
from stats_assets.notifications import outbox
from stats_assets.notifications.channels import send, without_address
from stats_assets.notifications.config import Channel
from stats_assets.notifications.watch import Watcher
from stats_assets.shared.config import parse_config
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from tests.notifications.world import AWAY, Webhook, World, webhooks
from tests.ports import free_ports

DAY = "2026-05-02"


class Mailbox:
    """What an SMTP server takes."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.mails.append(email.message_from_bytes(envelope.content))  # type: ignore[attr-defined]
        return "250 taken"


def test_a_failure_is_one_mail_and_its_recovery_another(world: World):
    mailbox = Mailbox()
    port = free_ports()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=stats@example.org&to=ops@example.org"
        watcher = world.watcher({"mail": {"url": address}})
        world.look(watcher)
        world.error = AWAY
        for _ in range(2):
            world.run(DAY)
            world.look(watcher)
        (told,) = mailbox.mails
        world.error = None
        world.run(DAY)
        world.look(watcher)
    finally:
        controller.stop()
    assert told["Subject"] == "[stats] log_sync/files 2026-05-02 failed"
    assert "ops@example.org" in told["To"]
    assert "proxy03 does not answer" in _text(told)
    assert len(mailbox.mails) == 2


def _text(mail: Message) -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    return bytes(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]


def test_a_channel_that_is_away_gets_its_message_when_it_is_back_and_others_do_not_wait(world: World):
    with webhooks(2) as (away, well):
        watcher = world.watcher({"a": {"url": f"json://{away.address}/"}, "b": {"url": f"json://{well.address}/"}})
        world.look(watcher)
        away.status = 503
        world.error = AWAY
        world.run(DAY)
        world.look(watcher)
        assert [len(away.messages), len(well.messages)] == [0, 1]
        away.status = 200
        world.look(watcher, timedelta(minutes=1))
        world.look(watcher, timedelta(minutes=1))
        assert [len(away.messages), len(well.messages)] == [1, 1]


def test_a_channel_that_stays_away_is_asked_less_and_less(world: World, watcher: Watcher, webhook: Webhook):
    webhook.status = 503
    world.error = AWAY
    world.run(DAY)
    for _ in range(12):
        world.look(watcher, timedelta(minutes=5))
    with world.database.transaction() as cursor:
        cursor.execute("SELECT state, attempts, problem IS NOT NULL FROM notifications.messages")
        (message,) = cursor.fetchall()
    assert message[0::2] == ("waiting", True)
    assert message[1] < 10


def test_a_watcher_that_is_killed_before_it_sends_loses_nothing_and_doubles_nothing(
    world: World, watcher: Watcher, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
):
    world.error = AWAY
    world.run(DAY)
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "empty", _killed)
        with pytest.raises(KeyboardInterrupt):
            world.look(watcher)
    again = world.watcher({"ops": {"url": f"json://{webhook.address}/"}})
    world.look(again)
    world.look(again)
    assert len(webhook.messages) == 1


def test_a_watcher_that_is_killed_while_it_writes_sees_everything_again(
    world: World, watcher: Watcher, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
):
    world.error = AWAY
    world.run(DAY)
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "fill", _killed)
        with pytest.raises(KeyboardInterrupt):
            world.look(watcher)
    assert world.incidents() == []
    world.look(watcher)
    assert len(webhook.messages) == 1
    assert world.incidents() == [("run", "log_sync/files", DAY, "open", 1)]


def _killed(*_: object, **__: object) -> int:
    raise KeyboardInterrupt


def test_messages_of_a_channel_that_is_gone_are_dropped(world: World, watcher: Watcher, webhook: Webhook):
    webhook.status = 503
    world.error = AWAY
    world.run(DAY)
    world.look(watcher)
    world.look(world.watcher({}))
    with world.database.transaction() as cursor:
        cursor.execute("SELECT state FROM notifications.messages")
        assert cursor.fetchall() == [("dropped",)]


def test_an_address_apprise_does_not_know_is_refused_without_repeating_it():
    text = "notifications:\n  channels:\n    ops: {url: 'sl4ck://s3cret-t0ken/abc'}\n"
    with pytest.raises(ConfigurationMistake) as refused:
        parse_config(text, StatsConfig, {}, "stats.yaml")
    assert "stats.yaml:3: notifications.channels.ops.url: apprise does not know this address" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_what_a_channel_says_of_a_failure_holds_no_part_of_its_address(webhook: Webhook):
    webhook.status = 401
    channel = Channel(url=f"json://me:s3cretpass@{webhook.address}/t0ken")
    with pytest.raises(SourceAway) as away:
        send(channel, "title", "body")
    assert "s3cretpass" not in str(away.value)
    assert "t0ken" not in str(away.value)
    assert "s3cretpass" not in repr(channel)
    assert without_address("slack://T0KEN/abcd", "posting to T0KEN/abcd failed") == "posting to ***/*** failed"
