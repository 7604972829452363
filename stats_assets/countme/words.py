"""Pieces of a byte buffer, many at once, as numpy rows of little-endian words of eight bytes.

The lowest byte of a word stands first in the text. What the texts mean is told elsewhere. Fetching a record of 64
bytes from each of many places costs hardly more than fetching eight, and far less than a Python object per text.
"""

from __future__ import annotations

from functools import cache, reduce

import numpy as np

_HIGH_NIBBLES = np.uint64(0xF0F0_F0F0_F0F0_F0F0)
_ALL_TRUE = np.uint64(0x0101_0101_0101_0101)
_SIXES = np.uint64(0x0606_0606_0606_0606)


def word(text: str) -> np.uint64:
    """At most eight ASCII characters as a word, filled with NUL."""
    return np.frombuffer(text.encode("ascii").ljust(8, b"\0"), dtype="<u8")[0]


def words_at(data: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """uint64[n]: the eight bytes from each position on. Positions may begin anywhere, at odd addresses too."""
    return records_at(data, positions, words=1)[:, 0]


def records_at(data: np.ndarray, positions: np.ndarray, words: int) -> np.ndarray:
    """uint64[n, words]: the bytes from each position on."""
    record = np.dtype(f"V{8 * words}")
    everywhere = np.ndarray((len(data) - record.itemsize + 1,), record, buffer=data, strides=(1,))
    return everywhere[positions].view("<u8").reshape(-1, words)


def texts_at(data: np.ndarray, positions: np.ndarray, lengths: np.ndarray, words: int) -> np.ndarray:
    """uint64[n, words]: the texts of these lengths (at most 8 * words) from each position on, filled with NUL."""
    texts = records_at(data, positions, words)
    masks = _masks(words)[lengths].view("<u8").reshape(-1, words)
    return np.bitwise_and(texts, masks, out=texts)


def has_byte(texts: np.ndarray, byte: int) -> np.ndarray:
    """bool[n]: whether the byte occurs in the text."""
    is_byte = (texts.view(np.uint8) == byte).view("<u8")
    # Column by column: numpy's reductions along so short rows take several times as long.
    return reduce(np.bitwise_or, is_byte.T) != 0


def are_equal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """bool[n]: which rows of uint64[n, words] are equal, for one word or a multiple of eight."""
    is_equal = one == other
    if is_equal.shape[1] == 1:
        return is_equal[:, 0]
    # Eight booleans are a word; column by column, as above.
    return reduce(np.bitwise_and, is_equal.view("<u8").T) == _ALL_TRUE


def are_digits(values: np.ndarray) -> np.ndarray:
    """Whether all eight bytes are 0 to 9: the numbers, which digits become when xor-ed with "0"."""
    # 10 to 15 overflow into the high half when 6 is added; what is there already stays visible.
    return ((values | (values + _SIXES)) & _HIGH_NIBBLES) == 0


@cache
def _masks(words: int) -> np.ndarray:
    """Per length, a record whose first bytes are all ones."""
    width = 8 * words
    masks = np.tri(width + 1, width, -1, dtype=np.uint8) * np.uint8(0xFF)
    return masks.view(f"V{width}").reshape(-1)
