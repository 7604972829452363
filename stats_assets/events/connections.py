"""HTTP/1.1 connections: requests in, answers out in their order, within limits of number, time and size.

llhttp (by httptools) reads the protocol; what a request means is the collector's. There is no task, future or request
object of a framework: these cost more than all the rest of a small request.

A connection has a deadline while it is the client's turn; `listening` ends those beyond it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from functools import partial

import httptools
import msgspec

from stats_assets.events.answers import Answer, bare, come_again
from stats_assets.events.collector import Collector, Posting
from stats_assets.events.config import EventLimits
from stats_assets.events.http_bytes import http_bytes
from stats_assets.events.metrics import Tally

log = logging.getLogger(__name__)

_MAX_HEAD_BYTES = 32 * 1024
# After a 413 the rest of the body is read and dropped, so that the client gets to see the answer; but not for ever.
_PATIENCE_FACTOR = 32
# Requests that wait for their answers, and answers that wait for being taken: beyond it nothing more is read of the
# connection, and what was read already is answered 503.
_MOST_OPEN = 16
_MOST_UNTAKEN_BYTES = 256 * 1024
_KEEP_ALIVE_SECONDS = 15
_RETRY_SECONDS = 5
_HEAD_ENDS = b"\r\n\r\n"


class _Exchange(msgspec.Struct, eq=False):
    """A request and its answer. `is_last`: the connection ends with it."""

    is_last: bool
    has_no_body: bool = False  # the answer to HEAD
    answer: Answer | None = None


@dataclass(eq=False)
class Shared:
    """What all connections of a collector know."""

    collector: Collector
    limits: EventLimits
    tally: Tally
    connections: set[Connection] = field(default_factory=set)
    is_ending: bool = False


class Connection(asyncio.Protocol):
    """One connection. `deadline`: until when it has to have gone on."""

    def __init__(self, shared: Shared) -> None:
        self._shared, self._limits = shared, shared.limits
        self._now = asyncio.get_running_loop().time
        self._parser = httptools.HttpRequestParser(self)
        self._open: deque[_Exchange] = deque()  # in the order of the requests
        self._coming: _Exchange | None = None  # whose body is on its way
        self._posting: Posting | None = None
        self._is_at_start = True  # no part of a request has come
        self._piece = b""  # what came last, where it begins a request
        self._is_over = False  # nothing more is read
        self._is_choked = self._is_paused = False
        self._received = 0
        self.deadline: float | None = self._now() + self._limits.head_timeout_seconds

    # --- the transport ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._shared.connections.add(self)
        if len(self._shared.connections) > self._limits.max_connections:
            self._shared.tally.refused_connections += 1
            self._give_up(come_again(503, "too many connections", _RETRY_SECONDS))

    def eof_received(self) -> bool:
        """Whether the connection stays open: for the answers to what has come."""
        self._is_over = True
        if self._open:
            self._open[-1].is_last = True
        return bool(self._open) and self._coming is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.connections.discard(self)
        self._is_over = True
        self._posting = None
        del self._parser  # which knows us: a cycle

    def data_received(self, data: bytes) -> None:
        if self._is_over or (self._is_at_start and not self._open and self._take_whole(data)):
            return
        self._piece = data if self._is_at_start else b""
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_over = True  # what follows is no HTTP; the request itself is answered as any other
        except httptools.HttpParserCallbackError as error:
            log.error("events: a mistake of ours ends a connection", exc_info=error)
            self._transport.abort()
        except httptools.HttpParserError:
            self._give_up(bare(400))
        if self._coming is None and self._received > _MAX_HEAD_BYTES:
            self._give_up(bare(431))
        elif self._received > _PATIENCE_FACTOR * self._limits.max_body_bytes:
            self._transport.abort()
        self._pace()

    def _take_whole(self, data: bytes) -> bool:
        """A request in one piece with a head that was read before: nearly all are such, and need not be parsed."""
        start = data.find(_HEAD_ENDS) + len(_HEAD_ENDS)
        posting = self._shared.collector.remembered(data[:start])
        if posting is None or posting.body_bytes != len(data) - start:
            return False
        exchange = _Exchange(is_last=False)
        self._open.append(exchange)
        self.deadline = None
        self._shared.collector.receive(posting, data[start:], partial(self._answer, exchange))
        return True

    def _remember(self, posting: Posting) -> None:
        """Only what was a whole piece, so that nothing can be taken for a head that the parser would read otherwise."""
        start = self._piece.find(_HEAD_ENDS) + len(_HEAD_ENDS)
        if self._piece.startswith(b"POST ") and posting.body_bytes == self._body_bytes == len(self._piece) - start:
            self._shared.collector.remember(self._piece[:start], posting)

    def pause_writing(self) -> None:
        self._is_choked = True
        self._pace()

    def resume_writing(self) -> None:
        self._is_choked = False
        self._pace()

    def _pace(self) -> None:
        """Reads on unless the client takes no answers, or waits for many."""
        is_too_much = self._is_choked or len(self._open) > _MOST_OPEN
        if is_too_much != self._is_paused and not self._transport.is_closing():
            self._is_paused = is_too_much
            (self._transport.pause_reading if is_too_much else self._transport.resume_reading)()

    # --- the parser ---------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._target = b""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._headers: dict[bytes, bytes] = {}
        self._is_at_start = False
        self._received = 0
        self.deadline = self._now() + self._limits.head_timeout_seconds

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.setdefault(name.lower(), value)  # of one that comes twice the first counts, as attolytics has it

    def on_headers_complete(self) -> None:
        self.deadline = self._now() + self._limits.body_timeout_seconds
        parser, method = self._parser, self._parser.get_method()
        keeps_alive = parser.should_keep_alive() and parser.get_http_version() == "1.1" and not parser.should_upgrade()
        exchange = self._coming = _Exchange(not keeps_alive, has_no_body=method == b"HEAD")
        self._open.append(exchange)
        if len(self._open) > _MOST_OPEN or self._transport.get_write_buffer_size() > _MOST_UNTAKEN_BYTES:
            opened = come_again(503, "too many requests at once on a connection", _RETRY_SECONDS)
        else:
            opened = self._shared.collector.open(method, self._target, self._headers)
        if isinstance(opened, Answer):
            self._answer(exchange, opened)
            return
        self._posting = opened
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and len(self._open) == 1:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._coming is None or self._posting is None:
            return  # it is answered already
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body_bytes:
            posting, self._posting = self._posting, None
            self._answer(self._coming, self._shared.collector.too_long(posting))

    def on_message_complete(self) -> None:
        exchange, self._coming = self._coming, None
        posting, self._posting = self._posting, None
        self._is_at_start, self._received = True, 0
        self.deadline = None if self._open else self._now() + _KEEP_ALIVE_SECONDS
        if exchange is None or exchange.is_last:
            self._is_over = True
        if exchange is not None and posting is not None:
            if not exchange.is_last:
                self._remember(posting)
            self._shared.collector.receive(posting, b"".join(self._body), partial(self._answer, exchange))
        elif self._is_over and not self._open:
            self._close()

    # --- answers ------------------------------------------------------------------------------------------------

    def _answer(self, exchange: _Exchange, answer: Answer) -> None:
        exchange.answer = answer
        self._shared.tally.answers[answer.status] += 1
        waiting = self._open
        while waiting and (ready := waiting[0].answer) is not None and not self._transport.is_closing():
            self._write(waiting.popleft(), ready)
        if self._is_paused:
            self._pace()

    def _write(self, exchange: _Exchange, answer: Answer) -> None:
        exchange.is_last |= self._shared.is_ending and not self._open
        self._transport.write(http_bytes(answer, exchange.is_last, exchange.has_no_body))
        if exchange.is_last and exchange is not self._coming:  # closing before all has come would take the answer away
            self._close()
        elif self._is_at_start and not self._open:
            self.deadline = self._now() + _KEEP_ALIVE_SECONDS

    def _give_up(self, answer: Answer) -> None:
        """Ends the connection; the request that is coming is answered so, unless it has its answer already."""
        if self._is_over:
            return
        exchange, self._coming, self._posting, self._is_over = self._coming, None, None, True
        if exchange is None:
            exchange = _Exchange(is_last=True)
            self._open.append(exchange)
        exchange.is_last = True
        if exchange.answer is None:
            self._answer(exchange, answer)
        elif not self._open:
            self._close()

    def _close(self) -> None:
        self._is_over = True
        self.deadline = self._now() + _KEEP_ALIVE_SECONDS  # to take what is on its way
        self._transport.close()

    def end_when_answered(self) -> None:
        if not self._open:
            self._close()

    def be_swept(self) -> None:
        """The deadline has passed."""
        if self._transport.is_closing():
            self._transport.abort()  # it does not even take the answer
        elif self._is_at_start:
            self._close()
        else:
            self._shared.tally.slow_clients += 1
            self._give_up(bare(408))
