"""The collector as an ASGI application: requests in, answers out. What is decided about a request is in `reception`,
what becomes of its events in `batches`; connections and their time limits are in `connections`, the process in `serve`.

Plain ASGI, because routing and request objects of a framework cost more than all the rest of a small request.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic, time_ns
from typing import Any

from stats_assets.events import answers
from stats_assets.events.answers import Answer
from stats_assets.events.batches import Batches, NoRoom
from stats_assets.events.envelope import BodyRefused, Judged
from stats_assets.events.headers import Header, Headers
from stats_assets.events.metrics import CONTENT_TYPE, Tally, exposition
from stats_assets.events.openapi import document
from stats_assets.events.origins import answer_headers, preflight_headers
from stats_assets.events.reception import Door, Reception, check_content_type, judge_body

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_BEFORE, _AFTER = "/apps/", "/events"
_NO_ROOM_SECONDS = 5


class ClientGone(Exception):
    """The connection ended before the request was complete."""


class Collector:
    """`reception` may be exchanged at any time; a request goes on with the one it began with."""

    def __init__(
        self, reception: Reception, batches: Batches, tally: Tally, health: Callable[[], dict[str, Any]]
    ) -> None:
        self.reception = reception
        self._batches, self._tally, self._health = batches, tally, health
        self._exposition = exposition(tally, self._gauges)
        self._openapi = document(reception.limits)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        self._tally.answers[answer.status] += 1
        length = (b"content-length", b"%d" % len(answer.body))
        await send({"type": "http.response.start", "status": answer.status, "headers": [length, *answer.headers]})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path.startswith(_BEFORE) and path.endswith(_AFTER):
            door = self.reception.doors.get(path[len(_BEFORE) : -len(_AFTER)])
            return await self._answer_app(door, method, _headers(scope), receive)
        return self._answer_about_us(path, method)

    def _answer_about_us(self, path: str, method: str) -> Answer:
        pages = {"/health": self._health_page, "/metrics": self._metrics_page, "/openapi.json": self._openapi_page}
        page = pages.get(path)
        if page is None:
            return self._refuse(BodyRefused(404, "no such page", "events are posted to /apps/APP/events"))
        if method not in ("GET", "HEAD"):
            return self._refuse(BodyRefused(405, "method not allowed"), ((b"allow", b"GET, HEAD"),))
        return page()

    async def _answer_app(self, door: Door | None, method: str, headers: Headers, receive: Receive) -> Answer:
        shown: list[Header] = []
        try:
            if door is None:
                raise BodyRefused(404, "unknown app")
            if method == "OPTIONS":
                return Answer(204, b"", preflight_headers(door.origins, headers))
            if method != "POST":
                return self._refuse(BodyRefused(405, "method not allowed"), ((b"allow", b"POST, OPTIONS"),))
            shown = answer_headers(door.origins, headers.get(b"origin"))
            check_content_type(headers)
            if wait := door.bucket.wait_seconds(monotonic()):
                return answers.come_again(429, "too many events", wait, shown)
            return await self._receive_events(door, headers, receive, shown)
        except BodyRefused as error:
            return self._refuse(error, shown)
        except NoRoom as error:
            return answers.come_again(503, str(error), _NO_ROOM_SECONDS, shown)

    async def _receive_events(self, door: Door, headers: Headers, receive: Receive, shown: list[Header]) -> Answer:
        limits = door.judge.limits
        body = await _read_body(receive, headers, limits.max_body_bytes)
        microseconds = time_ns() // 1000
        judged = judge_body(door, body, headers, microseconds / 1e6)
        number = judged.accepted.number + len(judged.refused)
        door.bucket.take(number or 1)
        request_id = os.urandom(16)
        where = "stored"
        if number:
            where = await self._batches.keep(door.packer.pack(request_id, microseconds, judged, headers))
        self._count(door.app_id, judged)
        return answers.kept(_uuid(request_id), judged, where, shown)

    def _count(self, app_id: str, judged: Judged) -> None:
        self._tally.accepted[app_id] += judged.accepted.number
        for each in judged.refused:
            self._tally.refused[app_id, each.refusal.reason] += 1
        if judged.unknown_columns:
            self._tally.unknown_columns[app_id] += 1

    def _refuse(self, error: BodyRefused, headers: tuple[Header, ...] | list[Header] = ()) -> Answer:
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


def _headers(scope: Mapping[str, Any]) -> Headers:
    """By lower-case name; of a header that comes twice the first counts, as attolytics has it."""
    return dict(reversed(scope["headers"]))


async def _read_body(receive: Receive, headers: Headers, max_bytes: int) -> bytes:
    """The body as it was sent. Raises BodyRefused (413) as soon as it is known to be longer, ClientGone."""
    length = headers.get(b"content-length", b"")
    if len(length) > 15 or (length.isdigit() and int(length) > max_bytes):
        raise _too_large(max_bytes)
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        body += message["body"]
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if not message["more_body"]:
            return body


def _too_large(max_bytes: int) -> BodyRefused:
    return BodyRefused(413, "body too large", f"a body has at most {max_bytes} bytes")


def _uuid(random: bytes) -> str:
    """The 16 bytes as PostgreSQL writes a uuid."""
    digits = random.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
