from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stats_assets.countme.interning import UNKNOWN, Interner


def as_words(texts: list[bytes], words: int) -> np.ndarray:
    return np.array(texts, dtype=f"S{8 * words}").view("<u8").reshape(-1, words)


def numbered(texts: list[bytes], words: int = 8, capacity: int = 100) -> tuple[Interner, dict[int, bytes]]:
    learned: dict[int, bytes] = {}
    interner = Interner(words, capacity, learned.__setitem__)
    interner.numbers_of(as_words(texts, words))
    return interner, learned


@given(st.lists(st.lists(st.text("ab\x7f", max_size=20).map(str.encode), max_size=30), max_size=4))
def test_equal_texts_have_equal_numbers_in_the_order_of_their_appearance(batches: list[list[bytes]]):
    learned: dict[int, bytes] = {}
    interner = Interner(8, 1000, learned.__setitem__)
    for batch in batches:
        numbers = interner.numbers_of(as_words(batch, 8)).tolist()
        assert [learned[number] for number in numbers] == batch
    assert list(learned.values()) == list(dict.fromkeys(text for batch in batches for text in batch))
    assert list(learned) == list(range(len(learned)))


def test_texts_are_told_apart_when_their_hashes_are_not():
    texts = [b"%d" % i for i in range(50)]
    learned: dict[int, bytes] = {}
    interner = Interner(8, 50, learned.__setitem__)
    interner._factors[:] = 0  # every text is looked for in the same slot
    numbers = interner.numbers_of(as_words(texts, 8)).tolist()
    assert numbers == list(range(50))
    assert interner.numbers_of(as_words(texts[::-1], 8)).tolist() == numbers[::-1]


def test_texts_of_one_word_are_numbered_too():
    interner, learned = numbered([b"a", b"", b"a", b"\0b"], words=1)
    assert learned == {0: b"a", 1: b"", 2: b"\0b"}
    assert interner.numbers_of(as_words([b"\0b", b""], 1)).tolist() == [2, 1]


def test_a_full_table_knows_what_it_knows_and_nothing_more():
    interner, learned = numbered([b"a", b"b", b"c"], capacity=2)
    assert interner.is_full
    assert learned == {0: b"a", 1: b"b"}
    assert interner.numbers_of(as_words([b"c", b"b", b"c", b"a"], 8)).tolist() == [UNKNOWN, 1, UNKNOWN, 0]


def test_texts_are_read_where_they_lie():
    data = np.frombuffer(b"xxabcabdabc" + bytes(128), dtype=np.uint8)
    learned: dict[int, bytes] = {}
    interner = Interner(8, 10, learned.__setitem__)
    numbers = interner.numbers_at(data, np.array([2, 5, 8, 2]), np.array([3, 3, 3, 2]))
    assert numbers.tolist() == [0, 1, 0, 2]
    assert learned == {0: b"abc", 1: b"abd", 2: b"ab"}
