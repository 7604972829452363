"""Whether a delivered file is whole: read once, to the end of its compressed stream, its lines surveyed on the way.

A line is not judged here: a file of lines that nobody can use is whole all the same.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO, cast

from stats_assets.log_sync.checksums import CheckedReader
from stats_assets.log_sync.lines import blocks
from stats_assets.log_sync.survey import Survey, survey
from stats_assets.shared.compression import DAMAGE, decompressed


class DamagedFile(Exception):
    """The source delivered something that is no whole log file. Asking again gives the same, until it changes."""


@dataclass(frozen=True)
class Verified:
    """Sizes, checksum (hex, of the file as stored) and lines of a file that is whole."""

    file_bytes: int
    content_bytes: int
    sha256: str
    survey: Survey


def verify(file: BinaryIO, name: str, max_content_bytes: int) -> Verified:
    """Reads `file` from its beginning; `name` tells the compression. Memory stays bounded whatever it holds.

    Raises DamagedFile for what is empty, cut, not of that compression, or unpacks to more than the limit.
    """
    stored = CheckedReader(file)
    try:
        content = _Limited(decompressed(cast(BinaryIO, stored), name), max_content_bytes)
        found = survey(blocks(content))
        stored.read_rest()
    except DAMAGE as error:
        raise DamagedFile(_what_is_wrong(error, stored.bytes_read)) from error
    if content.bytes_read == 0:
        raise DamagedFile("is empty" if stored.bytes_read == 0 else "holds no line (it unpacks to nothing)")
    return Verified(stored.bytes_read, content.bytes_read, stored.sha256, found)


def _what_is_wrong(error: Exception, bytes_read: int) -> str:
    if bytes_read == 0:
        return "is empty"
    if isinstance(error, EOFError):
        return f"is cut: its compressed stream does not end ({bytes_read} bytes)"
    return f"is not what its name says or is garbled ({error})"


class _Limited:
    """Passes content on up to a limit."""

    def __init__(self, content: io.BufferedIOBase, limit: int) -> None:
        self._content = content
        self._limit = limit
        self.bytes_read = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self.bytes_read += len(data)
        if self.bytes_read > self._limit:
            raise DamagedFile(f"unpacks to more than log_sync.max_content_bytes ({self._limit} bytes)")
        return data
