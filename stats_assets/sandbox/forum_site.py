"""The simulated forum over HTTP, and the ways it can fail.

xml/boards.php   xml/board.php?BID=..&page=..   xml/thread.php?TID=..&page=..   thread.php?TID=..
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from stats_assets.sandbox import forum_pages
from stats_assets.sandbox.forum import Forum
from stats_assets.sandbox.sites import SiteAnswer, SiteRequest

Fault = Literal["error_500", "too_many", "dropped", "reset", "truncated", "html_200", "control", "hanging"]

_XML = "application/xml"  # no charset: a client that trusts the header reads ISO-8859-1


@dataclass
class Faults:
    """Which pages fail, and how: a share of all pages of a kind, or pages by name such as 'thread 7 1'.

    A page chosen by share fails at its first `times` requests; one that is named fails as often, too.
    """

    shares: Mapping[Fault, float] = field(default_factory=dict)
    named: Mapping[str, Fault] = field(default_factory=dict)
    kinds: tuple[str, ...] = ("thread",)
    times: int = 1
    hanging_seconds: float = 2
    retry_after_seconds: int = 1

    def fault_of(self, page: str, asked_before: int) -> Fault | None:
        if asked_before >= self.times:
            return None
        if page in self.named:
            return self.named[page]
        if page.split()[0] not in self.kinds:
            return None
        point = int.from_bytes(sha256(page.encode()).digest()[:4], "big") / (1 << 32)
        for fault, share in self.shares.items():
            if point < share:
                return fault
            point -= share
        return None


@dataclass
class ForumSite:
    """Answers for the forum; `asked` counts the requests of each page, `before` is told of each page asked for."""

    forum: Forum
    faults: Faults = field(default_factory=Faults)
    asked: Counter[str] = field(default_factory=Counter)
    before: Callable[[str], None] = lambda page: None
    keeps_pages: bool = False  # for measurements: a page is made once
    _kept: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: SiteRequest) -> SiteAnswer:
        page, make = self._page(request)
        if make is None:
            return SiteAnswer(status=404, body=b"no such page\n")
        self.before(page)
        with self._lock:
            fault = self.faults.fault_of(page, self.asked[page])
            self.asked[page] += 1
            body = self._body(page, make)
        return self._failing(fault, body) if fault else SiteAnswer(body=body, content_type=_XML)

    def _page(self, request: SiteRequest) -> tuple[str, Callable[[], bytes] | None]:
        """The page's name, which faults and counts go by, and what makes it."""
        forum, number = self.forum, lambda name, otherwise: int(request.query.get(name, [otherwise])[0])
        page = max(1, number("page", "1"))  # page 0 is served as page 1
        if request.path == "xml/boards.php":
            return "boards", lambda: forum_pages.boards_page(forum)
        if request.path == "xml/board.php":
            bid = number("BID", "0")
            return f"board {bid} {page}", lambda: forum_pages.board_page(forum, bid, page)
        if request.path == "xml/thread.php":
            tid = number("TID", "0")
            return f"thread {tid} {page}", lambda: forum_pages.thread_page(forum, tid, page)
        if request.path == "thread.php":
            tid = number("TID", "0")
            return f"tags {tid}", lambda: forum_pages.tags_page(forum, tid)
        return request.path, None

    def _body(self, page: str, make: Callable[[], bytes]) -> bytes:
        if not self.keeps_pages:
            return make()
        if page not in self._kept:
            self._kept[page] = make()
        return self._kept[page]

    def _failing(self, fault: Fault, body: bytes) -> SiteAnswer:
        match fault:
            case "error_500":
                return SiteAnswer(status=500, body=forum_pages.ERROR_PAGE, content_type="text/html")
            case "html_200":
                return SiteAnswer(body=forum_pages.ERROR_PAGE, content_type="text/html")
            case "too_many":
                wait = {"Retry-After": str(self.faults.retry_after_seconds)}
                return SiteAnswer(status=429, body=b"slow down\n", headers=wait)
            case "dropped" | "reset":
                return SiteAnswer(body=body, content_type=_XML, cut_after=0 if fault == "dropped" else 40)
            case "truncated":  # the length is told as it is sent: only the XML shows that something is missing
                return SiteAnswer(body=body[: len(body) * 2 // 3], content_type=_XML)
            case "control":
                return SiteAnswer(body=body.replace(b"<![CDATA[", b"<![CDATA[\x00\x0b\x1f"), content_type=_XML)
            case "hanging":
                return SiteAnswer(body=body, content_type=_XML, delay_seconds=self.faults.hanging_seconds)
