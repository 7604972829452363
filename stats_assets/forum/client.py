"""Asks the forum: one page at a time, no faster than all crawlers together may, patiently and with limits.

An answer counts only when it is what was asked for; whatever else comes is tried again after a while, and then told
to the caller, who has other things to do meanwhile. What an answer means is in `page`, whose turn it is in `pace`.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit

from stats_assets.forum.answer import WrongAnswer
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.pace import Pace
from stats_assets.shared.failures import SourceAway, first_line

T = TypeVar("T")

_HEADERS = {"User-Agent": "stats-assets/1 (forum statistics)", "Accept-Encoding": "identity"}
_SAMPLE_BYTES = 2000
_FAILURES_OF_AN_OUTAGE = 10  # in a row, whatever the pages
_PAUSES_OF_AN_OUTAGE = 3
_LONGEST_RETRY_AFTER = 600.0


class PageFailed(Exception):
    """A page that could not be had or used in several tries; of the last one: status, reason, beginning."""

    def __init__(self, url: str, error: WrongAnswer, status: int | None, sample: bytes) -> None:
        super().__init__(f"{url}: {error}")
        self.url, self.status, self.sample = url, status, sample
        self.reason, self.found = error.reason, str(error)


class _TooMany(WrongAnswer):
    """429 or 503 with a time to wait."""


@dataclass
class Client:
    """A connection to the forum. Not to be shared by threads; the rate is, through `pace`."""

    config: ForumConfig
    pace: Pace
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=Random)
    requests: int = 0
    retries: int = 0
    received_bytes: int = 0
    _failures: int = 0
    _pauses: int = 0
    _last: tuple[int | None, bytes] = (None, b"")  # status and beginning of the last answer

    def __post_init__(self) -> None:
        self._site = urlsplit(self.config.base_url)
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, path: str, parse: Callable[[bytes], T]) -> T:
        """The page as a value. Raises PageFailed when it cannot be had, SourceAway when nothing can be had."""
        tries = 0
        while True:
            try:
                return self._noted(path, parse)
            except WrongAnswer as error:
                tries += 1
                if tries == self.config.tries:
                    raise PageFailed(self.config.base_url + path, error, *self._last) from error
                self.sleep(self._seconds_before_next(tries, error))

    def _noted(self, path: str, parse: Callable[[bytes], T]) -> T:
        """One attempt; failures in a row, of whatever pages, are an outage, and then everybody waits."""
        try:
            value = parse(self._get(path))
        except WrongAnswer as error:
            self.retries += 1
            if error.reason in ("transport", "status"):
                self._note_failure(error)
            raise
        self._failures = self._pauses = 0
        return value

    def _note_failure(self, error: WrongAnswer) -> None:
        self._failures += 1
        if self._failures < _FAILURES_OF_AN_OUTAGE:
            return
        self._pauses += 1
        if self._pauses > _PAUSES_OF_AN_OUTAGE:
            raise SourceAway(
                f"forum: {self.config.base_url} has failed {self._failures} times in a row, the last time with"
                f" {error}; what is read is stored, the next run goes on from there; if it never answered, check"
                " forum.base_url with ./stats doctor"
            ) from error
        self.pace.pause(self.config.outage_seconds)

    def _get(self, path: str) -> bytes:
        self.pace.take_turn()
        self.requests += 1
        self._last = (None, b"")
        try:
            answer, body = self._exchange(self._site.path + path)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise WrongAnswer("transport", f"{type(error).__name__}: {first_line(error)}"[:300]) from error
        except WrongAnswer:
            self.close()
            raise
        self._last = (answer.status, body[:_SAMPLE_BYTES])
        if answer.status == 200:
            return body
        if answer.status in (429, 503) and (told := answer.getheader("Retry-After")):
            seconds = retry_after_seconds(told, time.time())
            self.pace.slow_down(seconds)
            raise _TooMany("status", f"HTTP {answer.status}, to be asked again in {seconds:.0f} s")
        if answer.status == 429:
            self.pace.slow_down(self.config.outage_seconds)
        raise WrongAnswer("status", f"HTTP {answer.status} {body[:100]!r}")

    def _exchange(self, target: str) -> tuple[http.client.HTTPResponse, bytes]:
        """Redirects are not followed: they are answers of another status."""
        connection = self._connected()
        connection.request("GET", target, headers=_HEADERS)
        answer = connection.getresponse()
        body = self._read(answer)
        if answer.will_close:
            self.close()
        return answer, body

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = _connection_to(self._site.scheme, self._site.netloc, self.config.connect_seconds)
            self._connection.connect()
            self._connection.sock.settimeout(self.config.read_seconds)
        return self._connection

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """The body, if it is neither too large nor too slow: silence alone does not bound a slow answer."""
        ends_at = time.monotonic() + self.config.answer_seconds
        blocks: list[bytes] = []
        size = 0
        while block := answer.read1(1 << 18):
            blocks.append(block)
            size += len(block)
            if size > self.config.max_page_bytes or time.monotonic() > ends_at:
                raise WrongAnswer("size", f"more than {size} bytes or {self.config.answer_seconds:.0f} s")
        if answer.length:
            raise WrongAnswer("transport", f"the connection ended {answer.length} bytes early")
        answer.close()  # of the answer only: the connection stays
        self.received_bytes += size
        return b"".join(blocks)

    def _seconds_before_next(self, tries: int, error: WrongAnswer) -> float:
        """Doubling, with jitter; not at all when the forum has told when, for then the pace holds us."""
        if isinstance(error, _TooMany):
            return 0.0
        first = min(1.0, self.config.retry_seconds / 5)
        return first * 2 ** (tries - 1) * (0.5 + self.random.random())


def retry_after_seconds(text: str, now: float) -> float:
    """The header's seconds or date as seconds from now, at most ten minutes; a minute when it cannot be read."""
    try:
        seconds = float(text) if text.strip().isdigit() else parsedate_to_datetime(text).timestamp() - now
    except ValueError:
        seconds = 60.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _connection_to(scheme: str, netloc: str, connect_seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=connect_seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(netloc, timeout=connect_seconds)
