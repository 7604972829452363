"""From a request to rows: what is asked of it, in which order, and what it is answered when it does not do. Pure.

The order: app (404), method (405), origin (400, 403), content type (415), rate (429), size (413), encoding (400, 413,
415), signature or token (403), JSON (400), shape (422), secret (403), and then each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from stats_assets.events.config import EventLimits
from stats_assets.events.copy_rows import Packer
from stats_assets.events.credentials import Doorkeeper, Said
from stats_assets.events.envelope import BodyRefused, Judge, Judged, read_envelope
from stats_assets.events.headers import Headers, text_of
from stats_assets.events.rates import Bucket
from stats_assets.events.schema_file import EventSchema
from stats_assets.events.unpacking import unpack


@dataclass(frozen=True)
class Door:
    """Everything the collector knows of one app."""

    app_id: str
    judge: Judge
    keeper: Doorkeeper
    packer: Packer
    bucket: Bucket

    @property
    def origins(self) -> tuple[str, ...]:
        return self.keeper.app.access_control_allow_origin


@dataclass(frozen=True)
class Reception:
    """The doors of all apps, made once per schema."""

    schema: EventSchema
    doors: Mapping[str, Door]
    limits: EventLimits
    # By the bytes of their heads; what the collector has read lately. Another schema begins without.
    postings: dict[bytes, Any] = field(default_factory=dict)

    @cached_property
    def doors_by_target(self) -> Mapping[bytes, Door]:
        """The same by what requests are usually sent to; other writings of it have to be read."""
        return {f"/apps/{app_id}/events".encode(): door for app_id, door in self.doors.items()}

    @classmethod
    def of(cls, schema: EventSchema, limits: EventLimits, before: Reception | None = None) -> Reception:
        """`before` is the one this takes the place of: what apps have sent lately still counts."""
        doors = {}
        for app_id, app in schema.apps.items():
            rate = app.events_per_second or limits.events_per_second
            bucket = Bucket(rate, rate * limits.burst_seconds)
            if before and app_id in before.doors and before.doors[app_id].bucket.per_second == rate:
                bucket = before.doors[app_id].bucket
            judge = Judge.of(schema, app_id, limits)
            packer = Packer.of(app_id, schema.version, judge.tables)
            doors[app_id] = Door(app_id, judge, Doorkeeper(app), packer, bucket)
        return cls(schema, doors, limits)


class Sender(NamedTuple):
    """What the head of a request says of who sends and how, with what its events need of it.

    `said` is None when there is a signature, which is over the body.
    """

    headers: Headers
    said: Said | None
    signature: str | None
    encoding: str | None

    @classmethod
    def of(cls, keeper: Doorkeeper, headers: Headers) -> Sender:
        signature = text_of(headers, b"x-signature")
        said = keeper.judge_token(headers) if signature is None else None
        encoding = text_of(headers, b"content-encoding")
        return cls(headers, said, signature, encoding.strip().lower() if encoding else None)


def check_content_type(headers: Headers) -> None:
    """Raises BodyRefused (415)."""
    kind = headers.get(b"content-type", b"")
    if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
        raise BodyRefused(415, "unsupported media type", "send application/json")


def judge_body(door: Door, sender: Sender, body: bytes, now: float) -> Judged:
    """The verdict on each event of a body as it was sent, at a Unix time. Raises BodyRefused."""
    headers, said, signature, encoding = sender
    keeper, judge = door.keeper, door.judge
    if signature is not None:
        said = keeper.judge_signature(signature, body, now)
    if said == "closed":
        raise BodyRefused(403, "secret mismatch", "the token or signature is not good")
    plain = body if encoding is None else unpack(body, encoding, judge.limits.max_unpacked_bytes)
    envelope = read_envelope(plain, judge.limits, needs_secret=said == "unsaid")
    if said == "unsaid" and not (isinstance(envelope.secret_key, str) and keeper.knows(envelope.secret_key)):
        raise BodyRefused(403, "secret mismatch", "secret_key is not that of the app")
    return judge.judge(plain, envelope, headers)
