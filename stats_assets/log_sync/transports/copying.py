"""Copying from an open file into a part, within limits. Whether it is still the same file is the transport's to ask."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from stats_assets.log_sync.transports.limits import Limits, writing

_BLOCK_BYTES = 1 << 20


def continue_copy(reader: BinaryIO, part: Path, limits: Limits, shown: str) -> None:
    """Appends to `part` what it does not have yet. Raises SourceAway or SourceRefused at a limit; the part stays."""
    started = limits.seconds()
    with part.open("ab") as writer:
        reader.seek(writer.tell())
        while block := reader.read(_BLOCK_BYTES):
            with writing(part):
                writer.write(block)
                writer.flush()
            limits.check_size(writer.tell(), shown)
            limits.check_time(started, shown)
