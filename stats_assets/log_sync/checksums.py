"""Bytes on their way, counted and summed up: what is stored is known without reading it once more."""

from __future__ import annotations

import hashlib
import io
from typing import Any, BinaryIO

_BLOCK_BYTES = 1 << 20


class CheckedReader(io.RawIOBase):
    """Passes a file's bytes on and keeps their number and checksum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._checksum = hashlib.sha256()
        self.bytes_read = 0

    @property
    def sha256(self) -> str:
        """In hex, of what has been read."""
        return self._checksum.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        self._checksum.update(data)
        return len(data)

    def read_rest(self) -> None:
        """A decompressor may stop before the last byte; the checksum is of all of them."""
        while self.read(_BLOCK_BYTES):
            pass


class CheckedWriter:
    """Writes into a file and keeps number and checksum of the bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._checksum = hashlib.sha256()
        self.bytes_written = 0

    @property
    def sha256(self) -> str:
        return self._checksum.hexdigest()

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._checksum.update(data)
        self.bytes_written += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()
