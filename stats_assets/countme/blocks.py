"""A stream of bytes as blocks of whole lines, through one buffer that is used again and again.

What is in the lines is not looked at here. Memory is the buffer, whatever the length of stream or line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

# Large enough that the fixed cost of some hundred numpy calls a block disappears, small enough for the CPU's
# cache: measured best of 1 to 16 MiB.
BLOCK_BYTES = 4 << 20

# Bytes before and behind the block that may be read (never used), so that a text can be fetched as a record of up
# to this size without asking whether it lies near an edge.
MARGIN_BYTES = 128


class ByteStream(Protocol):
    """What is read from: any binary file."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class Block(NamedTuple):
    """Whole lines; valid until the next block is asked for.

    `bytes_` is the buffer with its margins: the lines are `bytes_[begin:end]`, each ending with LF except perhaps
    the stream's last. `shift` added to a position in `bytes_` is the offset in the stream.
    """

    bytes_: np.ndarray
    begin: int
    end: int
    shift: int


class BlockReader:
    """Owns the buffer. `max_line_bytes`: a longer line is handed out cut, but still longer than that."""

    def __init__(self, max_line_bytes: int, block_bytes: int = BLOCK_BYTES) -> None:
        self._cut_bytes = max_line_bytes + 1
        self._limit = MARGIN_BYTES + max(block_bytes, 2 * self._cut_bytes)
        self._bytearray = bytearray(self._limit + MARGIN_BYTES)
        self._array = np.frombuffer(self._bytearray, dtype=np.uint8)
        self._view = memoryview(self._bytearray)

    def blocks(self, stream: ByteStream) -> Iterator[Block]:
        """All lines of the stream, in order."""
        shift, filled, is_open = -MARGIN_BYTES, MARGIN_BYTES, True
        while is_open:
            filled, is_open = self._fill(stream, filled)
            end = self._bytearray.rfind(b"\n", MARGIN_BYTES, filled) + 1 if is_open else filled
            left_out = 0
            if end == 0:
                filled, left_out = self._cut_long_line(stream, filled)
                end = MARGIN_BYTES + self._cut_bytes + 1
            if end > MARGIN_BYTES:
                yield Block(self._array, MARGIN_BYTES, end, shift)
            self._view[MARGIN_BYTES : MARGIN_BYTES + filled - end] = bytes(self._view[end:filled])
            shift += end - MARGIN_BYTES + left_out
            filled += MARGIN_BYTES - end

    def _fill(self, stream: ByteStream, filled: int) -> tuple[int, bool]:
        """Reads until the buffer is full; gives where its contents end, and whether more may follow."""
        while filled < self._limit:
            count = stream.readinto(self._view[filled : self._limit])
            if not count:
                return filled, False
            filled += count
        return filled, True

    def _cut_long_line(self, stream: ByteStream, filled: int) -> tuple[int, int]:
        """Drops the buffer's only line but for its beginning, and puts an LF behind that.

        Gives where the contents end then, and how many bytes of the line were left out.
        """
        keep = MARGIN_BYTES + self._cut_bytes
        left_out, is_open, line_feed = 0, True, -1
        while is_open and line_feed < 0:
            left_out += filled - keep
            filled, is_open = self._fill(stream, keep)
            line_feed = self._bytearray.find(b"\n", keep, filled)
        rest = bytes(self._view[line_feed:filled]) if line_feed >= 0 else b"\n"
        left_out += filled - keep - len(rest)
        self._view[keep : keep + len(rest)] = rest
        return keep + len(rest), left_out
