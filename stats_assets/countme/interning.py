"""Numbers for distinct texts: the requests and agents of millions of lines are a few thousand different ones.

A hash table in numpy that is asked for many texts with a few array operations. It is exact: texts are compared
byte by byte, the hash only says where to look. What a text means is told by whoever is called for each new one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stats_assets.countme.words import are_equal, texts_at

UNKNOWN = -1

_SLOTS_PER_TEXT = 4  # a sparse table finds nearly every text at the first look


class Interner:
    """Texts of at most `8 * words` bytes and their numbers: 0, 1, 2 ... in the order of appearance.

    `learn` is called with each new text and its number, in that order. No more than `capacity` texts are taken up.
    """

    def __init__(self, words: int, capacity: int, learn: Callable[[int, bytes], None]) -> None:
        self.max_bytes = 8 * words
        self._words = words
        self._capacity = capacity
        self._learn = learn
        self._count = 0
        bits = (capacity * _SLOTS_PER_TEXT - 1).bit_length()
        self._slots = np.full(1 << bits, UNKNOWN, dtype=np.int32)
        self._shift = np.uint64(64 - bits)
        # Odd, so that no byte is lost; random, so that no file can be made whose texts crowd into a few slots.
        self._factors = np.random.default_rng().integers(1 << 63, size=words, dtype=np.uint64) * 2 + 1
        self._texts = np.empty(capacity, dtype=f"V{self.max_bytes}")

    @property
    def is_full(self) -> bool:
        return self._count == self._capacity

    def numbers_at(self, data: np.ndarray, positions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """int32[n]: the numbers of the texts that lie there; UNKNOWN for new ones when the table is full."""
        return self.numbers_of(texts_at(data, positions, lengths, self._words))

    def numbers_of(self, texts: np.ndarray) -> np.ndarray:
        """As `numbers_at`, of texts given as uint64[n, words], filled with NUL."""
        slots = ((texts @ self._factors) >> self._shift).astype(np.int64)
        numbers = self._slots[slots]
        others = np.flatnonzero(self._is_other(numbers, texts))
        while len(others):
            slots[others] = (slots[others] + 1) % len(self._slots)
            numbers[others] = self._slots[slots[others]]
            others = others[self._is_other(numbers[others], texts[others])]
        self._take_up(texts, numbers, slots)
        return numbers

    def _is_other(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """Whether a slot holds another text than the one looked for; the next slot may hold that one."""
        held = self._texts[numbers].view("<u8").reshape(texts.shape)
        return (numbers != UNKNOWN) & ~are_equal(held, texts)

    def _take_up(self, texts: np.ndarray, numbers: np.ndarray, slots: np.ndarray) -> None:
        """Numbers the texts that were not found; `slots` says where their searches ended."""
        fresh: dict[bytes, int] = {}
        for row in np.flatnonzero(numbers == UNKNOWN):
            text = texts[row].tobytes()
            if text not in fresh:
                fresh[text] = self._add(text, int(slots[row]))
            numbers[row] = fresh[text]

    def _add(self, text: bytes, slot: int) -> int:
        if self.is_full:
            return UNKNOWN
        while self._slots[slot] != UNKNOWN:  # another new text may have taken the place meanwhile
            slot = (slot + 1) % len(self._slots)
        number = self._count
        self._slots[slot] = number
        self._texts[number] = text
        self._count += 1
        self._learn(number, text.rstrip(b"\0"))
        return number
