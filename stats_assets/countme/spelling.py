"""Which texts are IP addresses in their one spelling, many at once. What is not told here, `addresses` tells.

Every byte of a text becomes a bit of a number per text, set where the byte is a digit, a colon and so on; what makes
an address is then a matter of shifting and masking. Bit 0 is the first byte.
"""

from __future__ import annotations

from itertools import product

import numpy as np

_NO_SHAPE = 0xFFFF_FFFF


def is_ipv4(texts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """bool[n]: four numbers from 0 to 255 without leading zeros, as inet_pton takes them.

    Texts are uint64[n, 2], filled with NUL; a longer text is given by its first 16 bytes.
    """
    characters = texts.view(np.uint8).reshape(-1)
    values = characters - np.uint8(ord("0"))  # what is no digit becomes 10 or more
    digits = _bits16(values <= 9)
    shape = _bits16(characters == ord(".")) | (lengths.astype(np.uint32) << np.uint32(16))
    return (_IPV4_SHAPES[digits] == shape) & (_misspelled(digits, values) == 0)


def _misspelled(digits: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Bits at the first digits of numbers with a leading zero or above 255; no number has more than 3 digits."""
    first = digits & ~(digits << 1)
    second, third = digits >> 1, digits >> 2
    begins_with_0, begins_with_2, begins_with_3_to_9 = (
        _bits16(values == 0),
        _bits16(values == 2),
        _bits16(values >= 3),
    )
    has_5, has_6_to_9 = _bits16(values == 5), _bits16(values >= 6)
    from_256_to_299 = begins_with_2 & ((has_6_to_9 >> 1) | ((has_5 >> 1) & (has_6_to_9 >> 2)))
    return first & second & (begins_with_0 | (third & (begins_with_3_to_9 | from_256_to_299)))


def is_canonical_ipv6(texts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """bool[n]: an IPv6 address spelled as inet_ntop spells it. False for a few that are, see below.

    Texts are uint64[n, 8], filled with NUL, of less than 64 bytes. Not recognized are addresses that begin or end
    with `::`, have a second run of zero groups beside it, or end in dotted notation: too rare to matter.
    """
    characters = texts.view(np.uint8).reshape(-1)
    is_digit = characters - np.uint8(ord("0")) <= 9
    hexes = _bits64(is_digit | (characters - np.uint8(ord("a")) <= 5))
    colons, zeros = _bits64(characters == ord(":")), _bits64(characters == ord("0"))
    group_start, group_end = hexes & ~(hexes << _1), hexes & ~(hexes >> _1)
    zero_groups = zeros & group_start & group_end
    double_colons = colons & (colons >> _1)
    last = _1 << (lengths.astype(np.uint64) - _1)
    five_in_a_row = hexes & (hexes >> _1) & (hexes >> _2) & (hexes >> _3) & (hexes >> np.uint64(4))
    leading_zeros = zeros & group_start & ~group_end
    # Two zero groups in a row, or one beside `::`, would have been shortened to, or into, `::`.
    next_to_double = (double_colons >> _1) | (double_colons << _2)
    not_shortened = zero_groups & ((zero_groups >> _2) | next_to_double)
    groups = np.bitwise_count(group_start)
    return (
        ((hexes | colons) == (last | (last - _1)))
        & (hexes & _1).astype(bool)
        & ((hexes & last) != 0)
        & ((five_in_a_row | leading_zeros | not_shortened) == 0)
        # `::` stands for two groups at least, inet_ntop writes a single one out. Three colons count as two `::`.
        & (((double_colons == 0) & (groups == 8)) | ((np.bitwise_count(double_colons) == 1) & (groups <= 6)))
    )


_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


def _bits16(is_so: np.ndarray) -> np.ndarray:
    return np.packbits(is_so, bitorder="little").view("<u2")


def _bits64(is_so: np.ndarray) -> np.ndarray:
    return np.packbits(is_so, bitorder="little").view("<u8")


def _ipv4_shapes() -> np.ndarray:
    """Where the dots are, and the length above, by where the digits are; _NO_SHAPE if those are not four numbers."""
    shapes = np.full(1 << 16, _NO_SHAPE, dtype=np.uint32)
    for lengths in product((1, 2, 3), repeat=4):
        text = ".".join("1" * length for length in lengths)
        digits, dots = (sum(1 << i for i, c in enumerate(text) if c == kind) for kind in "1.")
        shapes[digits] = dots | len(text) << 16
    return shapes


_IPV4_SHAPES = _ipv4_shapes()
