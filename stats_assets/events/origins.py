"""Cross-origin requests of browsers: which origins an app takes, and what a preflight is answered. Pure.

Protocol: Fetch standard, CORS. A request without `Origin` comes from no page and is let through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stats_assets.events.envelope import BodyRefused
from stats_assets.events.headers import Header, Headers, text_of

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@?#]+|null")
_PREFLIGHT_SECONDS = 600


def answer_headers(allowed: Sequence[str], sent: bytes | None) -> tuple[Header, ...]:
    """The headers that let a page of the origin read the answer.

    Raises BodyRefused: 400 for what is no origin, 403 for one that the app does not take.
    """
    if sent is None:
        return ()
    origin = sent.decode("latin-1")
    if not _ORIGIN.fullmatch(origin):
        raise BodyRefused(400, "bad origin", "Origin is no scheme://host")
    if "*" in allowed:
        return ((b"access-control-allow-origin", b"*"),)
    if origin.lower() not in (each.lower() for each in allowed):
        raise BodyRefused(403, "origin not allowed", "access_control_allow_origin of the app does not name it")
    return ((b"access-control-allow-origin", sent), (b"vary", b"Origin"))


def preflight_headers(allowed: Sequence[str], headers: Headers) -> tuple[Header, ...]:
    """The headers of the answer to OPTIONS. Raises BodyRefused: 400 without what a preflight has, 403."""
    method = text_of(headers, b"access-control-request-method")
    if method is None or b"origin" not in headers:
        wanted = "Access-Control-Request-Method" if method is None else "Origin"
        raise BodyRefused(400, "no preflight", f"the request has no header {wanted}")
    answered = list(answer_headers(allowed, headers[b"origin"]))
    if method != "POST":
        raise BodyRefused(403, "method not allowed", "events are posted")
    if wished := headers.get(b"access-control-request-headers"):
        answered.append((b"access-control-allow-headers", wished))
    return (
        *answered,
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-max-age", str(_PREFLIGHT_SECONDS).encode()),
    )
