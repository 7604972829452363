"""The sandbox over HTTP on loopback: the simulated log hosts, any day on request, with versions and ranges;
and the other simulated sources, each below its own path (see `sites`).

GET /health                     200 as soon as requests are answered
GET /health?from=2026-01-31     503 until the folder hosts reach back to that day, then 200
GET /hosts/<host>/<yyyy>/<mm>/<dd>/<file>
    /<site>/...                 whatever the site answers
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from stats_assets.sandbox.day_files import DayFiles, rotated_at
from stats_assets.sandbox.log_hosts import LogHost, has_file, host_named, is_unfinished
from stats_assets.sandbox.sites import Site, SiteRequest

_FILE = re.compile(r"/hosts/(?P<host>[a-z0-9]+)/(?P<day>\d{4}/\d\d/\d\d)/[^/]+")
_RANGE = re.compile(r"bytes=(?P<first>\d+)-(?P<last>\d*)")


class SandboxServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1:`port` (0: any free one). `now` gives aware UTC times.

    `late_seconds` is how old the world must be for the late file to be whole; `has_folders_from` tells /health
    whether the folder hosts reach back to a day.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        port: int,
        files: DayFiles,
        late_seconds: float = 0,
        has_folders_from: Callable[[date], bool] = lambda day: True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sites: Mapping[str, Site] = MappingProxyType({}),
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.files = files
        self.has_folders_from = has_folders_from
        self.sites = sites
        self._late_seconds = late_seconds
        self._now = now

    def offers(self, host: LogHost, day: date) -> bool:
        return host.offered == "http" and has_file(host, day, self._now().date())

    def content(self, host: LogHost, day: date) -> tuple[bytes, str]:
        """The file as it is at this moment, and its entity tag."""
        now = self._now()
        version = self.files.version(host, day)
        if is_unfinished(host, day, now.date(), self.files.age_seconds(now), self._late_seconds):
            return self.files.first_part(host, day), version.replace('"', '"unfinished-', 1)
        return self.files.made(host, day).read_bytes(), version


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    # Head and body leave in one piece; in two, the second waits 40 ms for the first's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        found = _requested_file(url.path)
        if url.path == "/health":
            self._answer_health(parse_qs(url.query).get("from", []))
        elif found and self.server.offers(*found):
            self._answer_file(*found)
        elif site := self.server.sites.get(url.path.split("/")[1]):
            self._answer_for(site, url.path.split("/", 2)[-1], parse_qs(url.query, keep_blank_values=True))
        else:
            self._answer_text(HTTPStatus.NOT_FOUND, f"there is no {url.path} here\n")

    do_HEAD = do_POST = do_GET

    def _answer_for(self, site: Site, path: str, query: Mapping[str, list[str]]) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = site(SiteRequest(self.command, path, query, dict(self.headers.items()), body))
        time.sleep(answer.delay_seconds)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.close_connection = answer.cut_after is not None
        self._send_body(answer.body, answer.content_type, answer.cut_after)

    def _answer_health(self, oldest: list[str]) -> None:
        try:
            ready = all(self.server.has_folders_from(date.fromisoformat(day)) for day in oldest)
        except ValueError:
            self._answer_text(HTTPStatus.BAD_REQUEST, "from is a day: /health?from=2026-01-31\n")
            return
        if ready:
            self._answer_text(HTTPStatus.OK, "ok\n")
        else:
            self._answer_text(HTTPStatus.SERVICE_UNAVAILABLE, "older folders are being made\n")

    def _answer_file(self, host: LogHost, day: date) -> None:
        content, version = self.server.content(host, day)
        span = self._asked_range(len(content), version)
        if span is None:
            self.send_response(HTTPStatus.OK)
            body = content
        elif span[0] >= len(content):
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            body = b""
        else:
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {span[0]}-{span[1]}/{len(content)}")
            body = content[span[0] : span[1] + 1]
        self.send_header("ETag", version)
        self.send_header("Last-Modified", format_datetime(rotated_at(day), usegmt=True))
        self.send_header("Accept-Ranges", "bytes")
        self._send_body(body, "application/octet-stream")

    def _asked_range(self, size: int, version: str) -> tuple[int, int] | None:
        """First and last byte asked for; None when the whole file is to be sent."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None or self.headers.get("If-Range", version) != version:
            return None
        last = int(match["last"]) if match["last"] else size - 1
        return int(match["first"]), min(last, size - 1)

    def _answer_text(self, status: HTTPStatus, text: str) -> None:
        self.send_response(status)
        self._send_body(text.encode(), "text/plain; charset=utf-8")

    def _send_body(self, body: bytes, content_type: str, cut_after: int | None = None) -> None:
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut_after])

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the room that asks reports what it found."""


def _requested_file(path: str) -> tuple[LogHost, date] | None:
    match = _FILE.fullmatch(path)
    host = host_named(match["host"]) if match else None
    if match is None or host is None:
        return None
    try:
        day = date.fromisoformat(match["day"].replace("/", "-"))
    except ValueError:
        return None
    return (host, day) if path == f"/hosts/{host.name}/{host.file_name(day)}" else None
