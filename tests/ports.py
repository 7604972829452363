"""Ports for servers that a test starts, each handed out once."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from pathlib import Path
from typing import IO

from stats_assets.local.stack import is_free

_NEIGHBOURS = 3  # a stack takes its own port and the next two
_claims: list[IO[str]] = []  # open, and so locked, as long as this process lives


def free_ports() -> int:
    """A port that is free with the next two, below the range the kernel hands out.

    No other test process gets it, also not one of another checkout, before its server listens or while that is being
    killed and started again.
    """
    folder = Path(tempfile.gettempdir()) / f"stats-assets-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for _ in range(100):
        port = random.randrange(20_000, 32_000, _NEIGHBOURS)
        if _is_claimed(folder / str(port)) and all(is_free(port + i) for i in range(_NEIGHBOURS)):
            return port
    raise AssertionError("no three free ports")


def _is_claimed(path: Path) -> bool:
    claim = path.open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        return False
    _claims.append(claim)
    return True
