"""Connections with limits: how many there are, how long a request may take to arrive, and how much may come in.

uvicorn leaves a client that sends a byte a minute alone for ever, and reads headers without end. This is its protocol
with a deadline on every connection that is sending; `sweep` closes those beyond it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stats_assets.events.config import EventLimits
from stats_assets.events.metrics import Tally

_MAX_HEAD_BYTES = 32 * 1024
# After a 413 the rest of the body is read and dropped, so that the client gets to see the answer; but not for ever.
_PATIENCE_FACTOR = 32
_SWEEP_SECONDS = 0.5


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `limits` and `tally` belong to the class that `bounded` makes."""

    limits: EventLimits
    tally: Tally
    deadline: float | None = None
    _in_head = True
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.deadline = self.loop.time() + self.limits.head_timeout_seconds
        if len(self.connections) > self.limits.max_connections:
            self.tally.refused_connections += 1
            self._end(b"503 Service Unavailable", b"retry-after: 5\r\n")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > _MAX_HEAD_BYTES:
            self._end(b"431 Request Header Fields Too Large")
        elif self._received > _PATIENCE_FACTOR * self.limits.max_body_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._received = True, 0
        self.deadline = self.loop.time() + self.limits.head_timeout_seconds

    def on_headers_complete(self) -> None:
        self._in_head = False
        self.deadline = self.loop.time() + self.limits.body_timeout_seconds
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.deadline = None
        self._received = 0
        super().on_message_complete()

    def be_swept(self) -> None:
        """The deadline has passed."""
        self.tally.slow_clients += 1
        if self.transport.is_closing():
            self.transport.abort()  # it does not even take the answer
        elif self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self._end(b"408 Request Timeout")
        else:
            self.transport.abort()

    def _end(self, status: bytes, headers: bytes = b"") -> None:
        if self.cycle is None or not self.cycle.response_started or self._in_head:
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n" + headers + b"\r\n"
            )
        self.transport.close()


def bounded(limits: EventLimits, tally: Tally) -> type[BoundedProtocol]:
    """The protocol class for these limits."""
    return type("Bounded", (BoundedProtocol,), {"limits": limits, "tally": tally})


async def sweep(server: Server) -> None:
    """Until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        now = loop.time()
        connections: list[Any] = list(server.server_state.connections)
        for connection in connections:
            if isinstance(connection, BoundedProtocol) and connection.deadline and connection.deadline < now:
                connection.be_swept()
