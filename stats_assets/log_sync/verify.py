"""Whether a delivered file is whole: read once, to the end of its compressed stream. Its lines are not judged."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from stats_assets.shared.compression import DAMAGE, decompressed

_BLOCK_BYTES = 1 << 20


class DamagedFile(Exception):
    """The source delivered something that is no whole log file. Asking again gives the same, until it changes."""


@dataclass(frozen=True)
class Verified:
    """Sizes and checksum (hex, of the file as stored) of a file that is whole."""

    file_bytes: int
    content_bytes: int
    sha256: str


def verify(file: BinaryIO, name: str, max_content_bytes: int) -> Verified:
    """Reads `file` from its beginning; `name` tells the compression. Memory stays bounded whatever it holds.

    Raises DamagedFile for what is empty, cut, not of that compression, or unpacks to more than the limit.
    """
    stored = _Counted(file)
    try:
        content_bytes = _content_bytes(cast(BinaryIO, stored), name, max_content_bytes)
        stored.read_rest()
    except DAMAGE as error:
        raise DamagedFile(_what_is_wrong(error, stored.bytes_read)) from error
    if content_bytes == 0:
        raise DamagedFile("is empty" if stored.bytes_read == 0 else "holds no line (it unpacks to nothing)")
    return Verified(stored.bytes_read, content_bytes, stored.checksum.hexdigest())


def _content_bytes(stored: BinaryIO, name: str, max_content_bytes: int) -> int:
    content, size = decompressed(stored, name), 0
    while block := content.read(_BLOCK_BYTES):
        size += len(block)
        if size > max_content_bytes:
            raise DamagedFile(f"unpacks to more than log_sync.max_content_bytes ({max_content_bytes} bytes)")
    return size


def _what_is_wrong(error: Exception, bytes_read: int) -> str:
    if bytes_read == 0:
        return "is empty"
    if isinstance(error, EOFError):
        return f"is cut: its compressed stream does not end ({bytes_read} bytes)"
    return f"is not what its name says or is garbled ({error})"


class _Counted(io.RawIOBase):
    """Passes bytes on and keeps their number and checksum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_read = 0
        self.checksum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        self.checksum.update(data)
        return len(data)

    def read_rest(self) -> None:
        """A decompressor may stop before the last byte; the checksum is of all of them."""
        while self.read(_BLOCK_BYTES):
            pass
