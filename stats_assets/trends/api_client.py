"""The game-log site over HTTP: a page of its listing, one log. Polite, patient for a while, and never for ever.

Whatever the site does, a request ends: silence, dripping bytes and endless bodies are cut off, errors are tried again
a few times, a Retry-After is obeyed if it is short. What to ask for is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from stats_assets.shared.failures import OurMistake, SourceAway
from stats_assets.trends.listing import NoListing, Page, read_page

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class Patience:
    """How a site is to be asked. Times in seconds; `answer_seconds` is the longest silence, `whole_seconds` all."""

    between_requests: float = 0.5
    answer_seconds: float = 20
    whole_seconds: float = 60
    attempts: int = 4
    longest_wait: float = 120
    most_bytes: int = 32 << 20


class Interrupted(SourceAway):
    """One request went wrong in a way that another may not; `wait` is what the site asked for."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Site:
    """Requests to one site, one after the other, with pauses. `seconds` and `sleep` are a clock's."""

    def __init__(
        self,
        base_url: str,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._patience, self._sleep, self._seconds = patience, sleep, seconds
        self._next_at = 0.0
        self._client = httpx.Client(
            timeout=patience.answer_seconds, follow_redirects=True, headers={"User-Agent": "stats-assets trends"}
        )
        self.requests = 0

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> bytes | None:
        """The body; None when the site says that there is none (404, 410). Raises SourceAway after several tries."""
        return self.asked("GET", path, query)

    def asked(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> bytes | None:
        """As `get`, with another method and a JSON body."""
        patiently = Retrying(
            retry=retry_if_exception_type(Interrupted),
            stop=stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return patiently(self._once, method, f"{self.base_url}/{path}", query, body)

    def close(self) -> None:
        self._client.close()

    def _once(self, method: str, url: str, query: Mapping[str, str | int] | None, body: object) -> bytes | None:
        self._be_polite()
        self.requests += 1
        try:
            with self._client.stream(method, url, params=query, json=body) as answer:
                if answer.status_code in _GONE:
                    return None
                _refuse(answer, url)
                return self._received(answer, url)
        except httpx.TimeoutException as error:
            raise Interrupted(f"{url} was silent for {self._patience.answer_seconds:g} s") from error
        except (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL) as error:
            raise OurMistake(f"{url} cannot be asked ({error}); check the urls of trends in stats.yaml") from error
        except httpx.HTTPError as error:
            raise Interrupted(f"{url} does not answer ({error or type(error).__name__})") from error

    def _received(self, answer: httpx.Response, url: str) -> bytes:
        began, body = self._seconds(), bytearray()
        for block in answer.iter_bytes():
            body += block
            if len(body) > self._patience.most_bytes:
                raise Interrupted(f"{url} sends more than {self._patience.most_bytes} bytes")
            if self._seconds() - began > self._patience.whole_seconds:
                raise Interrupted(f"{url} was not done after {self._patience.whole_seconds:g} s")
        return bytes(body)

    def _be_polite(self) -> None:
        pause = self._next_at - self._seconds()
        if pause > 0:
            self._sleep(pause)
        self._next_at = self._seconds() + self._patience.between_requests

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        told = error.wait if isinstance(error, Interrupted) else None
        own = wait_exponential_jitter(multiplier=0.5, max=30)(state)
        return min(max(own, told or 0), self._patience.longest_wait)


class GameLogApi:
    """The two things the game-log site is asked for."""

    def __init__(self, site: Site, now: Callable[[], datetime] = lambda: datetime.now(UTC), attempts: int = 4) -> None:
        self._site, self._now, self._attempts = site, now, attempts

    @property
    def source(self) -> str:
        return f"api:{self._site.base_url}"

    @property
    def requests(self) -> int:
        return self._site.requests

    def page(self, offset: int, limit: int) -> Page:
        """A page of the listing. Raises SourceAway for one that is empty although there should be more."""
        found: Page | str = "not asked"
        for _ in range(self._attempts):
            found = self._page(offset, limit)
            if isinstance(found, Page):
                return found
        raise SourceAway(f"{self._site.base_url}/log at offset {offset}: {found}; asked {self._attempts} times")

    def log(self, logid: int) -> bytes | None:
        """The log's bytes; None when the site has none of this id."""
        return self._site.get(f"log/{logid}")

    def _page(self, offset: int, limit: int) -> Page | str:
        """The page, or what is wrong with the answer."""
        body = self._site.get("log", {"offset": offset, "limit": limit})
        if body is None:
            return "there is no listing"
        try:
            page = read_page(body, self._now())
        except NoListing as error:
            return str(error)
        if offset < page.total and not page.logs:
            return f"the page is empty, but the site says that it has {page.total} logs"
        return page


def _refuse(answer: httpx.Response, url: str) -> None:
    """Raises for every status that is no success."""
    status = answer.status_code
    if status >= 500 or status in _TRY_AGAIN:
        raise Interrupted(f"{url} answers {status}", _retry_after(answer.headers.get("Retry-After", "")))
    if status >= 300:
        raise OurMistake(f"{url} answers {status}; check the urls of trends in stats.yaml")


def _retry_after(text: str) -> float | None:
    """Seconds; the header holds a number of them or a date."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
