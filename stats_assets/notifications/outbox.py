"""Due incidents into the outbox, and messages out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from stats_assets.notifications import store
from stats_assets.notifications.channels import Send, concerned
from stats_assets.notifications.config import Channel
from stats_assets.notifications.message import Links, compose
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import Cursor, StatsDatabase


def fill(cursor: Cursor, channels: Mapping[str, Channel], links: Links, now: datetime) -> int:
    """Puts what is due into the outbox, one message per channel; gives how many incidents that were.

    Without any channel nothing is due: who adds one is told what is wrong by then.
    """
    store.forget_brief_silences(cursor)
    due = [each for each in store.due_incidents(cursor, now) if channels or not each.is_open]
    for name in channels:
        theirs = [each for each in due if name in concerned(channels, each.thing.room, each.is_warning)]
        if theirs:
            message = compose(theirs, links)
            store.put_into_outbox(cursor, name, message.title, message.body, now)
    store.mark_told(cursor, due, now)
    return len(due)


def empty(
    database: StatsDatabase, channels: Mapping[str, Channel], send: Send, now: datetime, say: Callable[[str], None]
) -> None:
    """Sends what is waiting. A channel that does not take one message is not asked again for the others."""
    with database.session() as cursor:
        away: set[str] = set()
        for message in store.waiting(cursor, channels, now):
            if message.channel in away:
                continue
            try:
                send(channels[message.channel], message.title, message.body)
            except SourceAway as error:
                away.add(message.channel)
                store.not_delivered(cursor, message, str(error), now)
                say(f"{message.channel} did not take a message, attempt {message.attempts + 1}: {error}")
            else:
                store.delivered(cursor, message, now)
                say(f"{message.channel} was told: {message.title}")
