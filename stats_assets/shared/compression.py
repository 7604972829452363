"""Compressed files as streams of their contents, read and written.

Which names mean which compression is told here and nowhere else.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import zstandard
from isal import igzip

from stats_assets.shared.failures import ConfigurationMistake

_ZSTD_INPUT_BYTES = 4096  # a hostile frame may unpack to 32,000 times its size: 128 MB at a time, no more


def _gzip(file: BinaryIO) -> io.BufferedIOBase:
    # igzip reads several members in a row, as gzip does, at about a tenth of zlib's cost.
    return igzip.IGzipFile(fileobj=file, mode="rb")


def _xz(file: BinaryIO) -> io.BufferedIOBase:
    return lzma.LZMAFile(file)


def _zstandard(file: BinaryIO) -> io.BufferedIOBase:
    return io.BufferedReader(_ZstdFrames(file), 1 << 20)


def _plain(file: BinaryIO) -> io.BufferedIOBase:
    return cast(io.BufferedIOBase, file)


class _ZstdFrames(io.RawIOBase):
    """The contents of zstd frames in a row. The library's own reader takes a cut frame for a whole one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._input = b""
        self._output = memoryview(b"")
        self._frame: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._output and self._decompress_more():
            pass
        size = min(len(buffer), len(self._output))
        buffer[:size], self._output = self._output[:size], self._output[size:]
        return size

    def _decompress_more(self) -> bool:
        self._input = self._input or self._file.read(_ZSTD_INPUT_BYTES)
        if not self._input:
            if self._frame is not None:
                raise EOFError("Compressed file ended inside a frame")
            return False
        self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        self._output = memoryview(self._frame.decompress(self._input))
        self._input = self._frame.unused_data
        if self._frame.eof:
            self._frame = None
        return True


_OPENERS: dict[str, Callable[[BinaryIO], io.BufferedIOBase]] = {
    ".gz": _gzip,
    ".xz": _xz,
    ".zst": _zstandard,
    ".log": _plain,
    ".txt": _plain,
}

COMPRESSIONS = tuple(_OPENERS)

# What the openers raise for bytes that are not what the name says, or that end too early.
DAMAGE = (EOFError, OSError, lzma.LZMAError, zstandard.ZstdError)


def suffix_of(name: str) -> str:
    """The compression suffix of a file name. Raises ConfigurationMistake for one we cannot read."""
    suffix = next((known for known in _OPENERS if name.endswith(known)), None)
    if suffix is None:
        raise ConfigurationMistake(
            f"{name}: its ending names no compression we read; it must be one of {', '.join(COMPRESSIONS)}"
        )
    return suffix


def decompressed(file: BinaryIO, name: str) -> io.BufferedIOBase:
    """The contents of `file`, whose compression is told by `name`. Reading raises one of `DAMAGE` when it is cut."""
    return _OPENERS[suffix_of(name)](file)


@contextmanager
def compressed(file: BinaryIO, name: str, level: int) -> Iterator[BinaryIO]:
    """A writer whose contents go into `file`, compressed as `name` tells; equal contents give equal bytes.

    `level` is zstd's; gzip has one that is fast and one that is small, and gets the small one.
    """
    suffix = suffix_of(name)
    if suffix == ".zst":
        writer: Any = zstandard.ZstdCompressor(level, write_checksum=True).stream_writer(file, closefd=False)
    elif suffix == ".gz":
        writer = igzip.IGzipFile(filename="", mode="wb", compresslevel=2, fileobj=file, mtime=0)
    else:
        raise ConfigurationMistake(f"{name}: we write .zst and .gz, not {suffix}")
    with writer:
        yield cast(BinaryIO, writer)
