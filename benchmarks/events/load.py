"""Clients of a collector, as cheap as they can be: their CPU is not measured, but they share the machine.

    python -m benchmarks.events.load PORT CONNECTIONS EVENTS SECONDS RATE

RATE is in requests a second over all connections; 0 sends as fast as answers come. Prints a line of JSON: requests
answered 200, the seconds they took, and of their latencies in milliseconds the 50th and 99th percentile and the
longest. With a rate a latency is counted from when its request was due, so that a stall shows in all it holds up.
"""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter
from uuid import UUID

import uvloop

SECRET = "bench-secret"


def event(number: int) -> dict[str, object]:
    """About 210 bytes of JSON, a different one for every number."""
    return {
        "_t": "levels",
        "event_id": str(UUID(int=(number * 0x9E3779B97F4A7C15) % 2**128)),
        "time": f"2026-01-05T{number % 24:02}:{number % 60:02}:{number % 59:02}.{number % 1000:03}Z",
        "level": number % 90,
        "score": number * 37 % 1_000_003,
        "accuracy": number % 997 / 997,
        "won": number % 3 == 0,
        "hero": f"hero-{number % 113}",
    }


def request(port: int, body: bytes) -> bytes:
    head = f"POST /apps/bench/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}User-Agent: bench\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def requests(port: int, events: int, count: int) -> list[bytes]:
    bodies = []
    for first in range(0, count * events, events):
        sent = [event(first + i) for i in range(events)]
        bodies.append(json.dumps({"secret_key": SECRET, "events": sent}, separators=(",", ":")).encode())
    return [request(port, body) for body in bodies]


class Client(asyncio.Protocol):
    """One connection; sends the next request when the last is answered and, with a pace, due."""

    def __init__(self, ready: list[bytes], latencies: list[float], pace: float, start: float, until: float) -> None:
        self.ready, self.latencies, self.pace, self.due, self.until = ready, latencies, pace, start, until
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        self.number = 0
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.loop.call_later(max(0.0, self.due - perf_counter()), self.send)

    def send(self) -> None:
        if perf_counter() >= self.until:
            self.transport.close()
            return
        self.sent = self.due if self.pace else perf_counter()
        self.number += 1
        self.transport.write(self.ready[self.number % len(self.ready)])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"the collector answered {self.answer!r}")
        self.answer = b""
        self.latencies.append(perf_counter() - self.sent)
        if self.pace:
            self.due += self.pace
            if (wait := self.due - perf_counter()) > 0:
                self.loop.call_later(wait, self.send)
                return
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(None)


async def load(port: int, connections: int, events: int, seconds: float, rate: float) -> None:
    ready = requests(port, events, max(64, 2000 // events))
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    pace = connections / rate if rate else 0.0
    start = perf_counter() + 0.1
    clients: list[Client] = []
    for i in range(connections):
        begin = start + pace * i / connections
        own = ready[i % len(ready) :] + ready[: i % len(ready)]
        clients.append(Client(own, latencies, pace, begin, start + seconds))
        await loop.create_connection(lambda client=clients[-1]: client, "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in clients))
    taken = perf_counter() - start
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    told = {"requests": len(latencies), "seconds": taken, "p50_ms": p50, "p99_ms": p99}
    print(json.dumps({**told, "longest_ms": latencies[-1] * 1000}))


if __name__ == "__main__":
    uvloop.run(load(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
