"""The lines of a log and when each was written, a block at a time: arrays, no Python object per line. Pure.

The time of a line is its first `[dd/Mon/yyyy:HH:MM:SS +zzzz]` as the instant it means, in Unix seconds: the offset
from UTC counts. A leap second is counted with the second before it. A line without such a text, or with a day the
calendar does not have, is undatable; so is one longer than `LONGEST_LINE_BYTES`, which no web server writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

UNDATABLE = np.iinfo(np.int64).min
LONGEST_LINE_BYTES = 1 << 20  # servers cut a request at some kilobytes; a hole left by a crash is megabytes of NUL
BLOCK_BYTES = 1 << 20

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Bounded, so that whatever a line says is an instant that Python and PostgreSQL can hold.
_DATE = re.compile(rb"(\d\d)/([A-Z][a-z][a-z])/((?:19|20|21)\d\d)")
_ZONE = re.compile(rb"([+-])([01]\d|2[0-3])([0-5]\d)")

# Where what stands in `[dd/Mon/yyyy:HH:MM:SS +zzzz]`.
_TIME_BYTES = 28
_PUNCTUATION = {3: b"/", 7: b"/", 12: b":", 15: b":", 18: b":", 21: b" ", 27: b"]"}
_DATE_AT, _ZONE_AT = slice(1, 12), slice(22, 27)
_HOUR_AT, _MINUTE_AT, _SECOND_AT = 13, 16, 19


class Reader(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class Block(NamedTuple):
    """Lines in a row, each with its LF: line n is `data[offsets[n]:offsets[n + 1]]`, written at `seconds[n]`.

    `is_cut`: the block is a piece of an overlong line that goes on in the next block.
    """

    data: bytes
    offsets: np.ndarray  # int32, one more than lines
    seconds: np.ndarray  # int64, UNDATABLE where there is no time
    is_cut: bool = False

    @property
    def lines(self) -> int:
        """Lines that end in this block."""
        return len(self.seconds) - self.is_cut


def blocks(reader: Reader, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """All lines of an open log, in their order; a last line without LF is given one. Memory stays bounded."""
    rest, is_cut = b"", False
    while fresh := reader.read(block_bytes):
        if is_cut:
            end = fresh.find(b"\n") + 1
            is_cut = end == 0
            yield _piece(fresh[:end] if end else fresh, is_cut)
            fresh = fresh[end:] if end else b""
        data = rest + fresh
        whole = data.rfind(b"\n") + 1
        if whole:
            yield _block(data, whole)
        rest = data[whole:]
        if len(rest) > LONGEST_LINE_BYTES:
            yield _piece(rest, is_cut=True)
            rest, is_cut = b"", True
    if rest or is_cut:
        yield _block(rest + b"\n", len(rest) + 1)


def _piece(data: bytes, is_cut: bool) -> Block:
    return Block(data, np.array([0, len(data)], dtype=np.int32), np.array([UNDATABLE]), is_cut)


def _block(data: bytes, size: int) -> Block:
    content = np.frombuffer(data, dtype=np.uint8, count=size)
    ends = np.flatnonzero(content == ord("\n")) + 1
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = ends
    return Block(data, offsets, _seconds_of_lines(content, offsets))


def _seconds_of_lines(content: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    seconds = np.full(len(offsets) - 1, UNDATABLE)
    at, found = _times(content)
    line = np.searchsorted(offsets, at, side="right") - 1
    is_first = np.ones(len(line), dtype=bool)
    is_first[1:] = line[1:] != line[:-1]
    seconds[line[is_first]] = found[is_first]
    seconds[np.diff(offsets) > LONGEST_LINE_BYTES] = UNDATABLE
    return seconds


def _times(content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where times stand, and the instants they mean."""
    at = np.flatnonzero(content == ord("["))
    at = at[: np.searchsorted(at, len(content) - _TIME_BYTES, side="right")]
    texts = _texts_at(content, at)
    is_shaped = np.ones(len(at), dtype=bool)
    for place, mark in _PUNCTUATION.items():
        is_shaped &= texts[:, place] == ord(mark)
    if not is_shaped.all():
        at, texts = at[is_shaped], texts[is_shaped]
    seconds = _instants(texts)
    is_time = seconds > UNDATABLE
    return at[is_time], seconds[is_time]


def _texts_at(content: np.ndarray, at: np.ndarray) -> np.ndarray:
    """uint8[n, 28]. Every place of `content` is seen as an item of 28 bytes, so that each is copied at once."""
    items = np.ndarray(max(0, len(content) - _TIME_BYTES + 1), f"V{_TIME_BYTES}", content, strides=(1,))
    return items[at].view(np.uint8).reshape(-1, _TIME_BYTES)


def _instants(texts: np.ndarray) -> np.ndarray:
    """Unix seconds of texts that have the punctuation of a time; UNDATABLE where the rest is none."""
    day = _decoded(texts[:, _DATE_AT], _day_seconds)
    offset = _decoded(texts[:, _ZONE_AT], _offset_seconds)
    hour, minute, second = (_two_digits(texts, place) for place in (_HOUR_AT, _MINUTE_AT, _SECOND_AT))
    is_time = (day > UNDATABLE) & (offset > UNDATABLE) & (hour < 24) & (minute < 60) & (second <= 60)
    instants = day + hour * 3600 + minute * 60 + np.minimum(second, 59) - offset
    return np.where(is_time, instants, UNDATABLE)


def _two_digits(texts: np.ndarray, place: int) -> np.ndarray:
    """The number in two characters; above 99 where they are no digits."""
    tens, ones = (texts[:, place + n].astype(np.int64) - ord("0") for n in (0, 1))
    return np.where((tens >= 0) & (tens <= 9) & (ones >= 0) & (ones <= 9), tens * 10 + ones, 100)


def _decoded(texts: np.ndarray, decode: Callable[[bytes], int]) -> np.ndarray:
    """`decode` of each row: once per stretch of equal ones, because a log rarely changes its day or offset."""
    words = np.ascontiguousarray(texts).view(f"S{texts.shape[1]}").ravel()
    if not len(words):
        return np.empty(0, dtype=np.int64)
    starts = np.concatenate([[0], np.flatnonzero(words[1:] != words[:-1]) + 1])
    values = np.array([decode(word) for word in words[starts].tolist()], dtype=np.int64)
    return np.repeat(values, np.diff(starts, append=len(words)))


@lru_cache(maxsize=4096)
def _day_seconds(text: bytes) -> int:
    match = _DATE.fullmatch(text)
    if match is None or (month := match[2].decode()) not in _MONTHS:
        return UNDATABLE
    try:
        return int(datetime(int(match[3]), _MONTHS.index(month) + 1, int(match[1]), tzinfo=UTC).timestamp())
    except ValueError:
        return UNDATABLE


@lru_cache(maxsize=4096)
def _offset_seconds(text: bytes) -> int:
    match = _ZONE.fullmatch(text)
    if match is None:
        return UNDATABLE
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return -seconds if match[1] == b"-" else seconds
