"""The open port of a collector: its connections are begun, ended when they take too long, and ended at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stats_assets.events.connections import Connection, Shared
from stats_assets.shared.failures import ConfigurationMistake

_BACKLOG = 2048  # connections the kernel keeps for us: a crowd may come at once
_SWEEP_SECONDS = 0.5
_LOOK_SECONDS = 0.02


@asynccontextmanager
async def listening(shared: Shared, host: str, port: int, grace_seconds: float) -> AsyncIterator[None]:
    """Connections are taken while the block runs; after it, what has come is answered for so many seconds.

    Raises ConfigurationMistake when the port is not to be had.
    """
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(shared), host, port, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationMistake(
            f"the collector cannot listen on {host}:{port} ({error.strerror or error}); end what does, or change"
            " events.port of stats.yaml"
        ) from error
    sweeping = asyncio.create_task(_sweep(shared))
    try:
        yield
    finally:
        server.close()
        await _end(shared, loop.time() + grace_seconds)
        sweeping.cancel()


async def _sweep(shared: Shared) -> None:
    """Ends connections beyond their deadline, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        now = loop.time()
        for connection in list(shared.connections):
            if connection.deadline is not None and connection.deadline < now:
                connection.be_swept()


async def _end(shared: Shared, deadline: float) -> None:
    shared.is_ending = True
    for connection in list(shared.connections):
        connection.end_when_answered()
    while shared.connections and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
