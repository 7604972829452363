"""Incidents, outbox and cursor as rows. What they mean is decided in `incidents` and `watch`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from stats_assets.notifications import sql
from stats_assets.notifications.incidents import Failed, Incident, Sighting, Thing
from stats_assets.shared.postgres import Cursor, one_row


@dataclass(frozen=True)
class Waiting:
    """A message in the outbox that its channel has not taken yet."""

    message_id: UUID
    channel: str
    title: str
    body: str
    attempts: int


def places(cursor: Cursor, newest: int, now: datetime) -> tuple[int, int]:
    """Up to which event people, and the bus, were told; the newest one for a watcher that has never looked."""
    cursor.execute(sql.BEGIN_CURSOR, {"event_id": newest, "now": now})
    cursor.execute(sql.CURSOR)
    people, bus = one_row(cursor)
    return people, bus


def move_to(cursor: Cursor, event_id: int, now: datetime) -> None:
    cursor.execute(sql.MOVE_CURSOR, {"event_id": event_id, "now": now})


def move_bus_to(cursor: Cursor, event_id: int) -> None:
    cursor.execute(sql.MOVE_BUS_CURSOR, {"event_id": event_id})


def looked_at(cursor: Cursor) -> datetime | None:
    """When a watcher last looked; None: never."""
    cursor.execute(sql.LOOKED_AT)
    row = cursor.fetchone()
    return row[0] if row else None


def record(cursor: Cursor, sightings: Iterable[Sighting], due_at: datetime) -> None:
    """Opens, counts and closes incidents; a new one is told no sooner than `due_at`."""
    for seen in sightings:
        thing = {"kind": seen.thing.kind, "subject": seen.thing.subject, "partition": seen.thing.partition}
        values = {**thing, "at": seen.at, "event_id": seen.event_id}
        if isinstance(seen, Failed):
            told = {"why": seen.why, "page": seen.page, "run_id": seen.run_id, "is_warning": seen.is_warning}
            cursor.execute(sql.FAILED, {**values, **told, "due_at": due_at})
        else:
            cursor.execute(sql.PASSED, values)


def forget_brief_silences(cursor: Cursor) -> None:
    cursor.execute(sql.FORGET_BRIEF_SILENCES)


def open_incidents(cursor: Cursor) -> list[Incident]:
    """Oldest first."""
    cursor.execute(sql.OPEN)
    return [_incident(*row) for row in cursor.fetchall()]


def due_incidents(cursor: Cursor, now: datetime) -> list[Incident]:
    """What is to be told now: failures, recoveries, and both at once."""
    cursor.execute(sql.DUE, {"now": now})
    return [_incident(*row) for row in cursor.fetchall()]


def mark_told(cursor: Cursor, incidents: Iterable[Incident], now: datetime) -> None:
    cursor.execute(sql.TOLD, {"incidents": [each.incident_id for each in incidents], "now": now})


def put_into_outbox(cursor: Cursor, channel: str, title: str, body: str, now: datetime) -> None:
    values = {"message_id": str(uuid4()), "channel": channel, "title": title, "body": body, "now": now}
    cursor.execute(sql.NEW_MESSAGE, values)


def waiting(cursor: Cursor, channels: Collection[str], now: datetime) -> Sequence[Waiting]:
    """Messages that are to be tried now, oldest first; those of channels that are gone are dropped."""
    cursor.execute(sql.DROP_MESSAGES_OF_GONE_CHANNELS, {"channels": list(channels)})
    cursor.execute(sql.WAITING, {"now": now})
    return [Waiting(UUID(str(row[0])), *row[1:]) for row in cursor.fetchall()]


def count_waiting(cursor: Cursor) -> int:
    """Messages that a channel has not taken at least once."""
    cursor.execute(sql.COUNT_WAITING)
    return one_row(cursor)[0]


def delivered(cursor: Cursor, message: Waiting, now: datetime) -> None:
    cursor.execute(sql.DELIVERED, {"message_id": str(message.message_id), "now": now})


def not_delivered(cursor: Cursor, message: Waiting, problem: str, now: datetime) -> None:
    """The next attempt: after half a minute, then twice as long each time, an hour at most."""
    pause = timedelta(seconds=min(30 * 2 ** min(message.attempts, 10), 3600))
    values = {"message_id": str(message.message_id), "problem": problem, "next_try_at": now + pause}
    cursor.execute(sql.NOT_DELIVERED, values)


def _incident(incident_id: int, kind: str, subject: str, partition: str, *others: object) -> Incident:
    return Incident(incident_id, Thing(kind, subject, partition), *others)  # type: ignore[arg-type]  # as in sql
