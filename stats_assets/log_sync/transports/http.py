"""Hosts that serve their logs over HTTP: HEAD to ask, GET with Range to fetch and to resume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present, Probe
from stats_assets.log_sync.transports.limits import Limits, SourceRefused, writing
from stats_assets.shared.failures import SourceAway

_NOT_THERE = (404, 410)
_NO_HEAD_HERE = (405, 501)
_TRY_AGAIN = (408, 425, 429)
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<size>\d+|\*)")


class HttpTransport:
    """A file's version is its entity tag, or its time of change and size where the server tells none."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._client = httpx.Client(
            timeout=limits.answer_seconds,
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=limits.connections),
            follow_redirects=True,
            # The file as it is stored: a server that compresses on the way would change its checksum.
            headers={"Accept-Encoding": "identity", "User-Agent": "stats-assets log_sync"},
        )

    def probe(self, source: SourceFile) -> Probe:
        with self._answer("HEAD", source) as answer:
            status, headers = answer.status_code, answer.headers
        if status in _NO_HEAD_HERE:
            with self._answer("GET", source) as answer:  # closed before its body is read
                status, headers = answer.status_code, answer.headers
        if status in _NOT_THERE:
            return Absent(f"{status} at {source.shown}")
        _refuse(status, source)
        return _version(headers)

    def fetch(self, source: SourceFile, version: Present, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        self._limits.check_size(version.size_bytes or 0, source.shown)
        if have and have == version.size_bytes:
            return
        with self._answer("GET", source, {"Range": f"bytes={have}-"} if have else {}) as answer:
            if answer.status_code == 416:
                part.unlink()
                raise SourceAway(f"{source.shown} does not go on from byte {have}; the next try begins anew")
            _refuse(answer.status_code, source)
            if _version(answer.headers).version != version.version:
                raise SourceAway(f"{source.shown} changed between two requests")
            self._receive(answer, part, source)
        if version.size_bytes is not None and part.stat().st_size != version.size_bytes:
            raise SourceAway(f"{source.shown} sent less or more than it had announced")

    def close(self) -> None:
        self._client.close()

    def _receive(self, answer: httpx.Response, part: Path, source: SourceFile) -> None:
        started = self._limits.seconds()
        part.touch()
        with part.open("r+b") as writer:
            writer.seek(_offset(answer))
            writer.truncate()
            for block in answer.iter_raw():  # as it comes: collecting blocks would lose the last at a break
                with writing(part):
                    writer.write(block)
                    writer.flush()
                self._limits.check_size(writer.tell(), source.shown)
                self._limits.check_time(started, source.shown)

    @contextmanager
    def _answer(
        self, method: str, source: SourceFile, headers: dict[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """The answer, its body still to be read; whatever goes wrong with the connection is SourceAway."""
        try:
            with self._client.stream(method, source.url, headers=headers) as answer:
                yield answer
        except httpx.TimeoutException as error:
            raise SourceAway(f"{source.shown} was silent for {self._limits.answer_seconds:g} s") from error
        except httpx.TransportError as error:
            raise SourceAway(f"{source.shown} does not answer ({error or type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise SourceRefused(f"{source.shown} cannot be fetched ({error or type(error).__name__})") from error


def _refuse(status: int, source: SourceFile) -> None:
    """Raises for every status that is no success."""
    if status >= 500 or status in _TRY_AGAIN:
        raise SourceAway(f"{source.shown} answers {status}")
    if status in _NOT_THERE:
        raise SourceAway(f"{source.shown} has just gone ({status})")
    if status >= 300:
        hint = "; check the credentials in log_sync.hosts" if status in (401, 403) else ""
        raise SourceRefused(f"{source.shown} answers {status}{hint}")


def _version(headers: httpx.Headers) -> Present:
    """Of an answer with the whole file or a part of it."""
    size = _whole_size(headers)
    tag = headers.get("ETag", "").removeprefix("W/")
    return Present(f"etag={tag}" if tag else f"modified={headers.get('Last-Modified')} bytes={size}", size)


def _whole_size(headers: httpx.Headers) -> int | None:
    if match := _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "")):
        return None if match["size"] == "*" else int(match["size"])
    length = headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _offset(answer: httpx.Response) -> int:
    """Where in the file the answer begins; a server without ranges sends all of it, from byte 0."""
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return int(match["first"]) if answer.status_code == 206 and match else 0
