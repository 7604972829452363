"""The simulated game-log site: a listing, newest first, and each log; with faults, where a test asks for them.

GET log?offset=&limit=[&player=id64,id64]    {"success", "total", "results", "logs": [{"id", "date", ...}]}
GET log/<id>                                 the log's JSON; 404 where there is none
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from stats_assets.sandbox.game_logs import Entry
from stats_assets.sandbox.sites import SiteAnswer, SiteRequest

LISTING = "list"
MOST_PER_PAGE = 10_000

Fault = Literal["not_found", "busy", "broken", "silent", "cut", "half_json", "not_json", "refused", "empty_page"]


class LogSource(Protocol):
    """Where the site's logs come from."""

    def entries(self, now: datetime) -> list[Entry]: ...

    def body(self, logid: int, now: datetime) -> bytes | None: ...


class GivenLogs:
    """Logs that are given as JSON texts; their listing follows from what they say of themselves."""

    def __init__(self, bodies: Mapping[int, bytes]) -> None:
        self._bodies = dict(bodies)

    @classmethod
    def of_files(cls, files: Sequence[Path]) -> GivenLogs:
        """Files named log_<id>.json."""
        return cls({int(file.stem.rpartition("_")[2]): file.read_bytes() for file in files})

    def entries(self, now: datetime) -> list[Entry]:
        found = [_entry(logid, orjson.loads(body)) for logid, body in self._bodies.items()]
        return sorted((e for e in found if e.date <= now.timestamp()), key=lambda entry: -entry.id)

    def body(self, logid: int, now: datetime) -> bytes | None:
        return self._bodies.get(logid)


def _entry(logid: int, log: Mapping[str, Any]) -> Entry:
    info = log["info"]
    return Entry(logid, info["date"], info["title"], info["map"], len(log["players"]))


class GameLogSite:
    """The site; `faults` tells, by log id or LISTING, what befalls the next requests, one after the other.

    `always` are faults that never end. `asked` counts the requests, by log id or LISTING.
    """

    def __init__(
        self,
        source: LogSource,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        faults: Mapping[int | str, Sequence[Fault]] | None = None,
        always: Mapping[int | str, Fault] | None = None,
        silent_seconds: float = 5,
        retry_after: str = "1",
    ) -> None:
        self._source, self._now = source, now
        self._faults: dict[int | str, list[Fault]] = {key: list(value) for key, value in (faults or {}).items()}
        self._always: dict[int | str, Fault] = dict(always or {})
        self._silent_seconds, self._retry_after = silent_seconds, retry_after
        self._lock = threading.Lock()
        self.asked: dict[int | str, int] = {}

    def __call__(self, request: SiteRequest) -> SiteAnswer:
        head, _, rest = request.path.rpartition("log")
        if head.strip("/") not in ("", "api/v1") or (rest and not rest[1:].isdigit()):
            return _json(HTTPStatus.NOT_FOUND, {"success": False, "error": "no such endpoint"})
        key = int(rest[1:]) if rest else LISTING
        fault = self._next_fault(key)
        answer = self._log(key) if isinstance(key, int) else self._page(request, is_empty=fault == "empty_page")
        return self._with_fault(answer, fault) if fault else answer

    def _page(self, request: SiteRequest, is_empty: bool) -> SiteAnswer:
        entries = self._source.entries(self._now())
        offset, limit = _number(request, "offset", 0), min(_number(request, "limit", 1000), MOST_PER_PAGE)
        page = [] if is_empty else entries[offset : offset + limit]
        rows = [vars(entry) | {"views": 0} for entry in page]
        return _json(HTTPStatus.OK, {"success": True, "results": len(rows), "total": len(entries), "logs": rows})

    def _log(self, logid: int) -> SiteAnswer:
        body = self._source.body(logid, self._now())
        if body is None:
            return _json(HTTPStatus.NOT_FOUND, {"success": False, "error": "Log not found."})
        return SiteAnswer(body=body, content_type="application/json")

    def _next_fault(self, key: int | str) -> Fault | None:
        with self._lock:
            self.asked[key] = self.asked.get(key, 0) + 1
            waiting = self._faults.get(key)
            return waiting.pop(0) if waiting else self._always.get(key)

    def _with_fault(self, answer: SiteAnswer, fault: Fault) -> SiteAnswer:
        half = answer.body[: len(answer.body) // 2]
        kind = answer.content_type
        return {
            "not_found": _json(HTTPStatus.NOT_FOUND, {"success": False, "error": "Log not found."}),
            "busy": SiteAnswer(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": self._retry_after}),
            "broken": SiteAnswer(HTTPStatus.INTERNAL_SERVER_ERROR, b"<h1>Internal error</h1>", "text/html"),
            "silent": SiteAnswer(body=answer.body, content_type=kind, delay_seconds=self._silent_seconds),
            "cut": SiteAnswer(body=answer.body, content_type=kind, cut_after=len(half)),
            "half_json": SiteAnswer(body=half, content_type=kind),
            "not_json": SiteAnswer(body=b"<html>maintenance</html>", content_type="text/html"),
            "refused": _json(HTTPStatus.OK, {"success": False, "error": "not today"}),
            "empty_page": answer,
        }[fault]


def _number(request: SiteRequest, name: str, default: int) -> int:
    text = request.query.get(name, [""])[0]
    return int(text) if text.isdigit() else default


def _json(status: HTTPStatus, value: Mapping[str, Any]) -> SiteAnswer:
    return SiteAnswer(status, json.dumps(value).encode(), "application/json")
