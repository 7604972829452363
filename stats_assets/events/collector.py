"""What requests are answered: heads and bodies in, answers out. What is decided about a body is in `reception`, what
becomes of its events in `batches`; connections and their time limits are in `connections`, the process in `serve`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic, time_ns
from typing import Any
from urllib.parse import unquote

import httptools

from stats_assets.events import answers
from stats_assets.events.answers import Answer
from stats_assets.events.batches import Batches, Kept, NoRoom
from stats_assets.events.envelope import BodyRefused, Judged
from stats_assets.events.headers import Header, Headers
from stats_assets.events.metrics import CONTENT_TYPE, Tally, exposition
from stats_assets.events.openapi import document
from stats_assets.events.origins import answer_headers, preflight_headers
from stats_assets.events.reception import Door, Reception, Sender, check_content_type, judge_body

log = logging.getLogger(__name__)

_BEFORE, _AFTER = "/apps/", "/events"
_NO_ROOM_SECONDS = 5
_IDS_AT_ONCE = 256
# Remembered: of the usual clients all, and some MB at most.
_LONGEST_HEAD, _MOST_HEADS = 1024, 2048


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """A request whose body is wanted, of so many bytes as announced.

    `shown` are the headers of its answer that let a page read it, `tails` what its rows have in common.
    """

    door: Door
    sender: Sender
    shown: tuple[Header, ...]
    tails: Mapping[str | None, bytes]
    body_bytes: int | None


class Collector:
    """`reception` may be exchanged at any time; a request goes on with the one it began with."""

    def __init__(
        self, reception: Reception, batches: Batches, tally: Tally, health: Callable[[], dict[str, Any]]
    ) -> None:
        self.reception = reception
        self._batches, self._tally, self._health = batches, tally, health
        self._exposition = exposition(tally, self._gauges)
        self._openapi = document(reception.limits)
        self._request_ids = _random_ids()

    def open(self, method: bytes, target: bytes, headers: Headers) -> Answer | Posting:
        """What the head of a request is answered; or its posting, for `receive` when the body has come."""
        door = self.reception.doors_by_target.get(target)
        if door is not None:
            return self._open_app(door, method, headers)
        try:
            path = _path(target)
        except BodyRefused as error:
            return self._refuse(error)
        if path.startswith(_BEFORE) and path.endswith(_AFTER):
            return self._open_app(self.reception.doors.get(path[len(_BEFORE) : -len(_AFTER)]), method, headers)
        return self._answer_about_us(path, method)

    def remembered(self, head: bytes) -> Posting | None:
        """What `open` has made of these bytes before."""
        return self.reception.postings.get(head)

    def remember(self, head: bytes, posting: Posting) -> None:
        """Clients send the same head again and again: one that was read need not be read again."""
        known, door = self.reception.postings, posting.door
        is_of_before = self.reception.doors.get(door.app_id) is not door  # another schema is in force meanwhile
        if is_of_before or len(head) > _LONGEST_HEAD or posting.sender.signature is not None:
            return
        if len(known) >= _MOST_HEADS:
            known.clear()
        known[head] = posting

    def _open_app(self, door: Door | None, method: bytes, headers: Headers) -> Answer | Posting:
        shown: tuple[Header, ...] = ()
        try:
            if door is None:
                raise BodyRefused(404, "unknown app")
            if method == b"OPTIONS":
                return Answer(204, b"", preflight_headers(door.origins, headers))
            if method != b"POST":
                return self._refuse(BodyRefused(405, "method not allowed"), ((b"allow", b"POST, OPTIONS"),))
            shown = answer_headers(door.origins, headers.get(b"origin"))
            check_content_type(headers)
            if later := _later(door, shown):
                return later
            body_bytes = _announced(headers, door.judge.limits.max_body_bytes)
        except BodyRefused as error:
            return self._refuse(error, shown)
        return Posting(door, Sender.of(door.keeper, headers), shown, door.packer.tails(headers), body_bytes)

    def receive(self, posting: Posting, body: bytes, answer: Callable[[Answer], None]) -> None:
        """Calls `answer` once: now, or when the events are kept."""
        if later := _later(posting.door, posting.shown):
            answer(later)
            return
        try:
            self._receive(posting, body, answer)
        except BodyRefused as error:
            answer(self._refuse(error, posting.shown))
        except NoRoom as error:
            answer(_no_room(posting, error))
        except Exception:
            log.exception("events: a body was neither taken nor refused, which is a mistake of ours")
            answer(answers.bare(500))

    def _receive(self, posting: Posting, body: bytes, answer: Callable[[Answer], None]) -> None:
        door, now = posting.door, time_ns()
        judged = judge_body(door, posting.sender, body, now / 1e9)
        number = len(judged.accepted.positions) + len(judged.refused)
        door.bucket.take(number or 1)
        request_id = next(self._request_ids)
        tell = partial(self._tell, posting, request_id, judged, answer)
        if number:
            self._batches.keep(door.packer.pack(request_id, now // 1000, judged, posting.tails), tell)
        else:
            tell("stored")

    def _tell(
        self,
        posting: Posting,
        request_id: bytes,
        judged: Judged,
        answer: Callable[[Answer], None],
        outcome: Kept | NoRoom,
    ) -> None:
        if isinstance(outcome, NoRoom):
            answer(_no_room(posting, outcome))
        else:
            self._count(posting.door.app_id, judged)
            answer(answers.kept(_uuid(request_id), judged, outcome, posting.shown))

    def too_long(self, posting: Posting) -> Answer:
        """The answer to a body that is longer than it may be."""
        return self._refuse(_too_long(posting.door.judge.limits.max_body_bytes), posting.shown)

    def _answer_about_us(self, path: str, method: bytes) -> Answer:
        pages = {"/health": self._health_page, "/metrics": self._metrics_page, "/openapi.json": self._openapi_page}
        page = pages.get(path)
        if page is None:
            return self._refuse(BodyRefused(404, "no such page", "events are posted to /apps/APP/events"))
        if method not in (b"GET", b"HEAD"):
            return self._refuse(BodyRefused(405, "method not allowed"), ((b"allow", b"GET, HEAD"),))
        return page()

    def _count(self, app_id: str, judged: Judged) -> None:
        self._tally.accepted[app_id] += judged.accepted.number
        for each in judged.refused:
            self._tally.refused[app_id, each.refusal.reason] += 1
        if judged.unknown_columns:
            self._tally.unknown_columns[app_id] += 1

    def _refuse(self, error: BodyRefused, headers: tuple[Header, ...] = ()) -> Answer:
        self._tally.refused_bodies[error.reason] += 1
        return answers.refused(error, headers)

    def _health_page(self) -> Answer:
        health = self._health()
        return answers.plain(200 if health["status"] != "full" else 503, health)

    def _metrics_page(self) -> Answer:
        return Answer(200, self._exposition(), ((b"content-type", CONTENT_TYPE),))

    def _openapi_page(self) -> Answer:
        return answers.plain(200, self._openapi)

    def _gauges(self) -> dict[str, tuple[str, float]]:
        health = self._health()
        return {
            "store_up": ("1 while events are committed to PostgreSQL at once.", float(not self._batches.is_away)),
            "waiting_bytes": ("Received and not kept yet.", float(self._batches.waiting_bytes)),
            "spool_bytes": ("Of the spool.", float(health["spool_bytes"])),
            "spool_segments": ("Segments of the spool, those set aside included.", float(health["spool_segments"])),
        }


def _path(target: bytes) -> str:
    """Of a request target, without query and percent signs. Raises BodyRefused (400)."""
    try:
        path = httptools.parse_url(target).path
    except httptools.HttpParserInvalidURLError as error:
        raise BodyRefused(400, "bad request target") from error
    return unquote((path or b"").decode("ascii", "replace"))


def _announced(headers: Headers, max_bytes: int) -> int | None:
    """The length of the body; None when it is not told. Raises BodyRefused (413) for one that is too long."""
    length = headers.get(b"content-length", b"")
    if len(length) > 15 or (length.isdigit() and int(length) > max_bytes):
        raise _too_long(max_bytes)
    return int(length) if length.isdigit() else None


def _too_long(max_bytes: int) -> BodyRefused:
    return BodyRefused(413, "body too large", f"a body has at most {max_bytes} bytes")


def _later(door: Door, shown: tuple[Header, ...]) -> Answer | None:
    """The answer to an app that has sent too much lately."""
    wait = door.bucket.wait_seconds(monotonic())
    return answers.come_again(429, "too many events", wait, shown) if wait else None


def _no_room(posting: Posting, error: NoRoom) -> Answer:
    return answers.come_again(503, str(error), _NO_ROOM_SECONDS, posting.shown)


def _random_ids() -> Iterator[bytes]:
    """16 random bytes each; asking the system for many at once costs as much as for one."""
    while True:
        many = os.urandom(16 * _IDS_AT_ONCE)
        yield from (many[start : start + 16] for start in range(0, len(many), 16))


def _uuid(random: bytes) -> str:
    """The 16 bytes as PostgreSQL writes a uuid."""
    digits = random.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
