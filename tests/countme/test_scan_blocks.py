from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from stats_assets.countme.blocks import BlockReader

_MAX_LINE_BYTES = 16


class _Stingy(io.BytesIO):
    """Gives no more than so many bytes at a time, as decompressors do."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        return super().readinto(buffer[: self._most])


def lines_of(data: bytes, block_bytes: int, most: int) -> list[tuple[int, bytes]]:
    """Offset and text of each line, as the reader gives them."""
    lines = []
    for block in BlockReader(_MAX_LINE_BYTES, block_bytes).blocks(_Stingy(data, most)):
        offset = block.begin + block.shift
        for line in io.BytesIO(block.bytes_[block.begin : block.end].tobytes()):
            lines.append((offset, line))
            offset += len(line)
    return lines


def expected_lines(data: bytes) -> list[tuple[int, bytes]]:
    lines, offset = [], 0
    for line in io.BytesIO(data):
        lines.append((offset, line))
        offset += len(line)
    return lines


def cut(line: bytes) -> bytes:
    """Beyond the maximum only the beginning of a line, and that it is too long, need be right."""
    text = line.removesuffix(b"\n")
    return text[: _MAX_LINE_BYTES + 1] if len(text) > _MAX_LINE_BYTES else line


@given(
    texts=st.lists(st.sampled_from([b"", b"\n", b"a\n", b"bcd\n", b"x" * 15, b"y" * 16 + b"\n", b"z" * 17, b"0" * 50])),
    block_bytes=st.integers(1, 80),
    most=st.integers(1, 100),
)
def test_every_line_is_given_once_with_its_place_whatever_the_blocks(texts: list[bytes], block_bytes: int, most: int):
    data = b"".join(texts)
    got = lines_of(data, block_bytes, most)
    assert [(offset, cut(line)) for offset, line in got] == [(o, cut(line)) for o, line in expected_lines(data)]


def test_an_endless_line_is_cut_and_the_next_line_has_its_true_place():
    data = b"x" * 10_000 + b"\nnext\n"
    assert lines_of(data, 40, 7) == [(0, b"x" * (_MAX_LINE_BYTES + 1) + b"\n"), (10_001, b"next\n")]


def test_the_buffer_does_not_grow_with_the_line():
    reader = BlockReader(_MAX_LINE_BYTES, block_bytes=64)
    sizes = {len(block.bytes_) for block in reader.blocks(io.BytesIO(b"x" * 100_000))}
    assert len(sizes) == 1
    assert sizes.pop() < 1000


def test_a_reader_can_be_used_again_after_a_stream_was_left_in_the_middle():
    reader = BlockReader(_MAX_LINE_BYTES, block_bytes=64)
    next(reader.blocks(io.BytesIO(b"left\n" * 100)))
    (block,) = reader.blocks(io.BytesIO(b"new\n"))
    assert block.bytes_[block.begin : block.end].tobytes() == b"new\n"
