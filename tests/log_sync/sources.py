"""Log hosts for tests: folders with small files, and an HTTP server that misbehaves as it is told."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from stats_assets.log_sync.config import LogHost, LogSyncConfig
from stats_assets.log_sync.transports.limits import Limits

SITE = "mirrors.example.org"
PATH = "%Y/%m/%d/{site}-access.log.gz"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 9)
LIMITS = Limits(answer_seconds=5, try_seconds=60, max_file_bytes=1 << 20, connections=4)


def log_bytes(text: str = "a line", lines: int = 100) -> bytes:
    """A gzip file of some kilobytes, always the same for the same text."""
    digests = (hashlib.sha256(f"{text}{n}".encode()).hexdigest() for n in range(lines))
    return gzip.compress("".join(f"{text} {digest}\n" for digest in digests).encode(), mtime=0)


def config_of(tmp_path: Path, *hosts: LogHost, **settings: object) -> LogSyncConfig:
    return LogSyncConfig.model_validate(
        {"sites": [SITE], "hosts": [dict(host) for host in hosts], "spool": str(tmp_path / "spool"), **settings}
    )


@dataclass(frozen=True)
class Folder:
    """A host as a folder."""

    root: Path
    name: str = "web1"

    @property
    def host(self) -> LogHost:
        return LogHost(name=self.name, url=self.root.as_uri(), path=PATH)

    def file(self, day: date = DAY) -> Path:
        return self.root / f"{day:%Y/%m/%d}" / f"{SITE}-access.log.gz"

    def deliver(self, content: bytes, day: date = DAY) -> None:
        self.file(day).parent.mkdir(parents=True, exist_ok=True)
        self.file(day).write_bytes(content)


@dataclass
class Answer:
    """How the server answers one GET: all of `body`, or its first `cut_at` bytes and a closed connection."""

    body: bytes = b""
    status: int = 200
    etag: str = '"1"'
    cut_at: int | None = None
    wait: Callable[[], object] = lambda: None
    hold_at: int | None = None  # after so many bytes of the body it falls silent until `wait` returns


@dataclass
class HttpSource:
    """A host over HTTP. GETs take the answers in turn, the last one again and again; HEADs see the next one."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)  # verb, path, Range
    refuses_head: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> LogHost:
        return LogHost(name="web1", url=self.url, path=PATH)

    def answer(self, *answers: Answer, day: date = DAY) -> None:
        self.answers[f"/{day:%Y/%m/%d}/{SITE}-access.log.gz"] = list(answers)

    def count(self, verb: str) -> int:
        return sum(1 for asked, _, _ in self.requests if asked == verb)


class SourceServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, source: HttpSource) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.source = source
        source.port = self.server_address[1]
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: SourceServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_HEAD(self) -> None:
        answers = self._recorded()
        if self.server.source.refuses_head:
            self._head(Answer(status=405), 0)
        else:
            self._head(answers[0], len(answers[0].body))

    def do_GET(self) -> None:
        answers = self._recorded()
        with self.server.lock:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.hold_at is None:
            answer.wait()
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and answer.status == 200:
            first = int(wanted[1])
            span = f"bytes {first}-{len(answer.body) - 1}/{len(answer.body)}"
            self._head(answer, len(answer.body) - first, 206, {"Content-Range": span})
            self._body(answer, first)
        else:
            self._head(answer, len(answer.body))
            self._body(answer, 0)

    def _recorded(self) -> list[Answer]:
        source = self.server.source
        source.requests.append((self.command, self.path, self.headers.get("Range")))
        return source.answers.get(self.path, [Answer(status=404)])

    def _head(self, answer: Answer, length: int, status: int | None = None, more: dict[str, str] | None = None) -> None:
        self.send_response(status or answer.status)
        for name, value in {"ETag": answer.etag, "Content-Length": str(length), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, answer: Answer, first: int) -> None:
        if answer.hold_at is not None:
            self.wfile.write(answer.body[first : answer.hold_at])
            self.wfile.flush()
            answer.wait()
            first = answer.hold_at
        self.wfile.write(answer.body[first : answer.cut_at])
        if answer.cut_at is not None:
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""
