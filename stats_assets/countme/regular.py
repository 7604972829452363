"""Regular lines: those whose fields can be told by a few comparisons, found in a whole block at once.

Nearly every line of a log is regular: six quotes and no other odd byte, written by a server with its usual shape

    host - - [dd/Mon/yyyy:hh:mm:ss +zzzz] "request" ddd size "referrer" "agent" LF

Such a line has one reading under either grammar of `parse`, the one cut out here. Both grammars ask for six quotes,
so none is left to stand inside a field: the first opens the request, the last ends the agent, and those between
part what they must part. Before the first quote stand host, ident, user and time; ident and
user are known to be "-" and the host to hold no blank, so the bracket is the one that opens the time. No
backslash stands before a closing quote, so strict takes none of them for text. There is no control byte (CR, NUL,
tab) and none beyond ASCII, so there is nothing to split, to decode or to mistake for a blank.

What is not regular is not judged here: it goes to `parse`, line by line.

How: every special byte, LF included, is found in two passes over the block; everything after works on one number
per line. Fields are compared as little-endian words of eight bytes, or fetched as records of several words: fetching
64 bytes from a place costs hardly more than fetching one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from stats_assets.countme.addresses import BLOCK_BYTES, LONG_BYTES
from stats_assets.countme.blocks import Block
from stats_assets.countme.config import Policy
from stats_assets.countme.parse import COUNTED_STATUSES, MAX_LINE_BYTES
from stats_assets.countme.times import read_time
from stats_assets.countme.words import are_digits, has_byte, records_at, texts_at, word, words_at

_SPECIALS_PER_LINE = 7  # six quotes and the LF
_LF, _QUOTE, _SPACE, _BACKSLASH = (ord(c) for c in '\n" \\')

# Swaps blank and quote, so that every special byte (control, quote, beyond ASCII) (and no other) is at most 32 as int8.
_SWAP_BLANK_AND_QUOTE = _SPACE ^ _QUOTE

_TIME_BYTES = 34  # ` - - [dd/Mon/yyyy:hh:mm:ss +zzzz] `, up to the request's quote
_BEFORE_REQUEST = re.compile(rb" - - \[(?P<day>[^] :]{11}):.{8} (?P<zone>[^] ]{5})\] ", re.DOTALL)
_TIMES_REMEMBERED = 4096


class RegularLines(NamedTuple):
    """The regular lines of a block, a row each. Positions are in `Block.bytes_`; `_end` is not included."""

    start: np.ndarray
    host_end: np.ndarray
    host_block: np.ndarray  # uint64[n, 2]: the host's first 16 bytes, filled with NUL
    request: np.ndarray
    request_end: np.ndarray
    agent: np.ndarray
    agent_end: np.ndarray
    is_served: np.ndarray
    seconds: np.ndarray

    def take(self, rows: np.ndarray) -> RegularLines:
        return RegularLines(*(column[rows] for column in self))


class BlockLines(NamedTuple):
    """All lines of a block: the regular ones, and start and end (LF included) of every other."""

    regular: RegularLines
    other_start: np.ndarray
    other_end: np.ndarray


class LineFinder:
    """Finds the lines of blocks. Keeps its arrays, and what it learned of times, from block to block."""

    def __init__(self, policy: Policy) -> None:
        self._policy: Policy = policy
        self._midnights: dict[bytes, int | None] = {}
        self._scratch = np.empty(0, dtype=np.uint8)

    def lines(self, block: Block) -> BlockLines:
        """Every line of the block, once."""
        special, kind = self._special_bytes(block)
        line_feeds = np.flatnonzero(kind == _LF)
        ends = special[line_feeds] + 1
        if block.bytes_[block.end - 1] != _LF:
            ends = np.append(ends, block.end)  # the stream's last line; without LF it is not regular
        starts = np.empty_like(ends)
        starts[:1] = block.begin
        starts[1:] = ends[:-1]
        is_candidate = np.zeros(len(ends), dtype=bool)
        is_candidate[: len(line_feeds)] = _has_six_quotes(kind, line_feeds)
        rows = np.flatnonzero(is_candidate)
        regular, is_regular = self._regular(block.bytes_, starts[rows], special, line_feeds[rows])
        is_candidate[rows] = is_regular
        others = np.flatnonzero(~is_candidate)
        return BlockLines(regular, starts[others], ends[others])

    def _special_bytes(self, block: Block) -> tuple[np.ndarray, np.ndarray]:
        """Where control bytes, quotes and bytes beyond ASCII are, and which byte is there."""
        data = block.bytes_[block.begin : block.end]
        if len(self._scratch) < 2 * len(data):
            self._scratch = np.empty(2 * len(data), dtype=np.uint8)
        swapped, is_special = self._scratch[: len(data)], self._scratch[len(data) : 2 * len(data)].view(bool)
        np.bitwise_xor(data, _SWAP_BLANK_AND_QUOTE, out=swapped)
        np.less_equal(swapped.view(np.int8), _SPACE, out=is_special)
        positions = np.flatnonzero(is_special)
        return positions + block.begin, data[positions]

    def _regular(
        self, data: np.ndarray, start: np.ndarray, special: np.ndarray, line_feed: np.ndarray
    ) -> tuple[RegularLines, np.ndarray]:
        """The regular ones of lines with six quotes, and which they are.

        `special[line_feed]` is the line's LF, and the six before it are its quotes.
        """
        q1, q2, q3, q4, q5, q6, lf = (special[line_feed - back] for back in range(6, -1, -1))
        host_end = q1 - _TIME_BYTES
        host_block, is_host = _host_blocks(data, start, host_end - start)
        status = words_at(data, q2 - 1)
        seconds, is_time = self._seconds(data, q1)
        is_regular = (
            is_host
            & (lf - start <= MAX_LINE_BYTES)
            & (lf == q6 + 1)
            & (data[q6 - 1] != _BACKSLASH)
            & (q4 - q3 > 1)
            & _is_between_referrer_and_agent(words_at(data, q4 - 1))
            & _is_status(status)
            & _is_size(words_at(data, q3 - 8), digits=q3 - q2 - 7)
            & is_time
        )
        lines = RegularLines(start, host_end, host_block, q1 + 1, q2, q5 + 1, q6, _is_counted(status), seconds)
        return (lines if is_regular.all() else lines.take(np.flatnonzero(is_regular))), is_regular

    def _seconds(self, data: np.ndarray, q1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The times as Unix seconds, and which of them are such; the others' seconds mean nothing."""
        if not len(q1):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
        head, day, month_year, clock, zone = records_at(data, q1 - 40, words=5).T
        # All but the clock (and the host before it) is equal in long runs of lines: it is read once per run.
        texts = (head >> np.uint64(48), day, month_year, zone)
        is_new = np.zeros(len(q1), dtype=bool)
        for text in texts:
            is_new[1:] |= text[1:] != text[:-1]
        is_new[0] = True
        runs = np.flatnonzero(is_new)
        midnights = [self._midnight(data[position - _TIME_BYTES : position].tobytes()) for position in q1[runs]]
        lengths = np.diff(runs, append=len(q1))
        midnight = np.repeat(np.array([m or 0 for m in midnights], dtype=np.int64), lengths)
        is_known = np.repeat(np.array([m is not None for m in midnights], dtype=bool), lengths)
        seconds, is_clock = _clock_seconds(clock)
        return midnight + seconds, is_known & is_clock

    def _midnight(self, text: bytes) -> int | None:
        """Unix seconds of 00:00:00 on the day and in the zone of `_TIME_BYTES` bytes; None: not of that shape."""
        key = text[:18] + text[26:]
        if key not in self._midnights:
            if len(self._midnights) >= _TIMES_REMEMBERED:
                self._midnights.clear()
            match = _BEFORE_REQUEST.fullmatch(text)
            time = f"{match['day'].decode('latin-1')}:00:00:00 {match['zone'].decode('latin-1')}" if match else ""
            self._midnights[key] = read_time(time, self._policy)
        return self._midnights[key]


def _has_six_quotes(kind: np.ndarray, line_feeds: np.ndarray) -> np.ndarray:
    """Per LF: whether the special bytes since the LF before it are exactly six quotes."""
    has_seven = np.diff(line_feeds, prepend=-1) == _SPECIALS_PER_LINE
    odd = np.flatnonzero((kind != _QUOTE) & (kind != _LF))
    line_of_odd = np.searchsorted(line_feeds, odd)
    has_seven[line_of_odd[line_of_odd < len(line_feeds)]] = False
    return has_seven


_EIGHT = np.uint64(8)
_LAST_BYTE = np.uint64(56)
_LOWEST_BYTE = np.uint64(0xFF)
_THREE_BYTES = np.uint64(0xFF_FF_FF)
_SIX_BYTES = np.uint64(0xFFFF_FFFF_FFFF)

_REFERRER_TO_AGENT = word('" "')


def _is_between_referrer_and_agent(word: np.ndarray) -> np.ndarray:
    """Of `x" "`, where x is the referrer's last byte."""
    is_shape = ((word >> _EIGHT) & _THREE_BYTES) == _REFERRER_TO_AGENT
    return is_shape & ((word & _LOWEST_BYTE) != _BACKSLASH)


_COUNTED = [word(f'" {status} ') for status in COUNTED_STATUSES]
_ANY_STATUS = word('" 000 ')
_NOT_STATUS = np.uint64(0x0000_FF00_0000_FFFF)


def _is_counted(word: np.ndarray) -> np.ndarray:
    """Of `x" ddd s`: whether ddd is a status that counts."""
    status = (word >> _EIGHT) & _SIX_BYTES
    return (status == _COUNTED[0]) | (status == _COUNTED[1])


def _is_status(word: np.ndarray) -> np.ndarray:
    """Of `x" ddd s`: whether it is of that shape; x is the request's last byte, s the size's first."""
    values = ((word >> _EIGHT) & _SIX_BYTES) ^ _ANY_STATUS
    return are_digits(values) & ((values & _NOT_STATUS) == 0) & ((word & _LOWEST_BYTE) != _BACKSLASH)


_DIGITS_AND_BLANK = word("0000000 ")
_DASH = np.uint64(ord("-") ^ ord("0"))


def _is_size(word: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Of the eight bytes before the referrer's quote: whether they end with this many digits, or one "-", and a blank.

    More than seven digits, ten megabytes, are not looked at.
    """
    is_countable = (digits >= 1) & (digits <= 7)
    before = (8 * (7 - np.where(is_countable, digits, 7))).astype(np.uint64)
    values = (word ^ _DIGITS_AND_BLANK) >> before
    is_countable &= (word >> _LAST_BYTE) == _SPACE
    return is_countable & (are_digits(values) | ((digits == 1) & (values == _DASH)))


_CLOCK = word("00:00:00")
_COLONS = np.uint64(0x0000_FF00_00FF_0000)


def _clock_seconds(word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since midnight of `hh:mm:ss`, and whether it is one (23:59:60 is not)."""
    values = word ^ _CLOCK
    pairs = values * np.uint64(10) + (values >> _EIGHT)  # byte 0: hour, byte 3: minute, byte 6: second
    hour, minute, second = ((pairs >> np.uint64(shift)) & _LOWEST_BYTE for shift in (0, 24, 48))
    is_clock = are_digits(values) & ((values & _COLONS) == 0)
    is_clock &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = hour * np.uint64(3600) + minute * np.uint64(60) + second
    return seconds.astype(np.int64), is_clock


def _host_blocks(data: np.ndarray, start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first 16 bytes of each host, filled with NUL, as uint64[n, 2]; and whether the whole host is one.

    It is when it has 1 to LONG_BYTES bytes and none is a blank.
    """
    blocks = texts_at(data, start, length.clip(0, BLOCK_BYTES), words=2)
    is_host = (length > 0) & (length <= LONG_BYTES) & ~has_byte(blocks, _SPACE)
    long = np.flatnonzero(is_host & (length > BLOCK_BYTES))
    is_host[long] = ~has_byte(texts_at(data, start[long], length[long], words=LONG_BYTES // 8), _SPACE)
    return blocks, is_host
