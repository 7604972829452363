"""What clients are answered: statuses, headers and JSON. Pure.

200  all events are in PostgreSQL         202  they are on the collector's disk, and come into PostgreSQL later
207  some were refused, see `refused`     422  all were refused, or the body has another shape
400, 403, 404, 405, 408, 413, 415         the request is refused as a whole and nothing of it is kept
429, 503                                  come again after Retry-After seconds; nothing of it is kept
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from stats_assets.events.envelope import BodyRefused, Judged
from stats_assets.events.headers import Header

_JSON: Header = (b"content-type", b"application/json")
_ONLY_JSON = (_JSON,)
# More are not listed one by one; the numbers are whole.
_MAX_LISTED = 100


class Answer(msgspec.Struct, frozen=True, gc=False):
    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


def refused(error: BodyRefused, headers: tuple[Header, ...] = ()) -> Answer:
    """The answer to a request that is refused as a whole."""
    return _json(error.status, {"reason": error.reason, "detail": error.detail}, headers)


def come_again(status: Literal[429, 503], reason: str, seconds: float, headers: tuple[Header, ...] = ()) -> Answer:
    """Later it may do; seconds are rounded up."""
    later = (b"retry-after", str(max(1, math.ceil(seconds))).encode())
    return _json(status, {"reason": reason, "detail": ""}, (*headers, later))


def kept(request_id: str, judged: Judged, where: Literal["stored", "spooled"], headers: tuple[Header, ...]) -> Answer:
    """The verdicts on all events: those that are not listed as refused were taken."""
    if not judged.refused and not judged.unknown_columns:
        number = judged.accepted.number
        body = f'{{"request_id":"{request_id}","kept":"{where}","accepted":{number},"refused":[]}}'.encode()
        return Answer(200 if where == "stored" else 202, body, (_JSON, *headers) if headers else _ONLY_JSON)
    body = _verdicts(request_id, judged, where)
    if not judged.refused:
        return _json(200 if where == "stored" else 202, body, headers)
    if judged.accepted.number:
        return _json(207, body, headers)
    first = judged.refused[0].refusal
    return _json(422, {"reason": first.reason, "column": first.column, "detail": first.detail, **body}, headers)


def _verdicts(request_id: str, judged: Judged, where: str) -> dict[str, Any]:
    listed = [
        {"position": each.position, "table": each.table, "event_id": each.event_id, **each.refusal._asdict()}
        for each in judged.refused[:_MAX_LISTED]
    ]
    body: dict[str, Any] = {"request_id": request_id, "kept": where, "accepted": judged.accepted.number}
    body |= {"quarantined": len(judged.refused), "refused": listed}
    if judged.unknown_columns:
        body["unknown_columns"] = sorted(judged.unknown_columns)[:_MAX_LISTED]
    return body


def bare(status: int) -> Answer:
    """A status without a body, for what is no request."""
    return Answer(status, b"")


def plain(status: int, value: Any, headers: tuple[Header, ...] = ()) -> Answer:
    """A JSON document of the collector's own."""
    return _json(status, value, headers)


def _json(status: int, value: Any, headers: tuple[Header, ...]) -> Answer:
    return Answer(status, msgspec.json.encode(value), (_JSON, *headers))
