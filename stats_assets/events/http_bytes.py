"""An answer as the bytes of HTTP/1.1. Pure."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from stats_assets.events.answers import Answer
from stats_assets.events.headers import Header

_STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_NO_CONTENT = 204


def http_bytes(answer: Answer, is_last: bool, has_no_body: bool) -> bytes:
    """`is_last`: the connection ends with it; `has_no_body`: it is the answer to HEAD."""
    head = _head(answer.status, answer.headers, is_last, len(answer.body))
    return head if has_no_body else head + answer.body


@lru_cache(maxsize=1024)  # answers are of few lengths
def _head(status: int, headers: tuple[Header, ...], is_last: bool, body_bytes: int) -> bytes:
    lines = [_STATUS_LINES[status], *[b"%b: %b\r\n" % header for header in headers]]
    lines += [b"connection: close\r\n"] if is_last else []
    lines += [b"content-length: %d\r\n" % body_bytes] if status != _NO_CONTENT else []
    return b"".join((*lines, b"\r\n"))
