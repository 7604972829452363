from __future__ import annotations

import ipaddress
from datetime import date

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stats_assets.countme.addresses import BLOCK_BYTES, LONG_BYTES, AddressKeys, read_address
from stats_assets.countme.spelling import is_canonical_ipv6, is_ipv4

_WEEK = date(2024, 3, 4)


def keys() -> AddressKeys:
    return AddressKeys(lambda week: week.isoformat().encode().ljust(32, b"."))


def as_words(texts: list[str], size: int) -> np.ndarray:
    return np.array([text.encode()[:size] for text in texts], dtype=f"S{size}").view("<u8").reshape(-1, size // 8)


def as_ipv4(texts: list[str]) -> list[bool]:
    return is_ipv4(as_words(texts, 16), np.array([len(text) for text in texts])).tolist()


def as_ipv6(texts: list[str]) -> list[bool]:
    return is_canonical_ipv6(as_words(texts, 64), np.array([len(text) for text in texts])).tolist()


_octets = st.integers(0, 300).map(str) | st.sampled_from(["00", "01", "255", "256", "1000", "", "a"])
_groups = st.sampled_from(["0", "1", "f", "10", "abc", "ffff", "00", "0a", "12345", "A", "", "g"])


@given(st.lists(_octets, min_size=3, max_size=5).map(".".join) | st.text("0129.:ax ", max_size=20))
@example("255.255.255.255")
@example("1.2.3.4567890123456")
def test_ipv4_is_what_inet_pton_says(text: str):
    assert as_ipv4([text]) == [":" not in text and read_address(text, "strict") is not None]


@pytest.mark.parametrize("position", range(4))
def test_every_number_from_0_to_999_is_judged_rightly_in_every_place(position: int):
    texts = [".".join(str(number) if place == position else "1" for place in range(4)) for number in range(1000)]
    assert as_ipv4(texts) == [number <= 255 for number in range(1000)]


@given(
    st.lists(_groups, min_size=1, max_size=9).map(":".join)
    | st.text("0129af:.gA", max_size=45)
    | st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
)
@example("1:2:3:4:5:6:7:8")
@example("1:2:3:4:5:6::8")
@example("1:0:0:4:5:6:7:8")
@example("1:0:3::8")
@example("1::0:8")
@example("1:0::8")
@example("1:::8")
@example("1::2::8")
def test_what_is_taken_for_canonical_ipv6_is_spelled_as_inet_ntop_spells_it(text: str):
    if as_ipv6([text]) == [True]:
        assert read_address(text, "strict") == text


@given(st.lists(st.sampled_from([0, 0, 1, 0xF, 0xABCD, 0xFFFF]), min_size=8, max_size=8))
def test_ordinary_ipv6_addresses_are_recognized(groups: list[int]):
    text = read_address(":".join(f"{group:x}" for group in groups), "strict")
    assert text is not None
    is_ordinary = ":" in text and not text.startswith("::") and not text.endswith("::") and ":0:0" not in f":{text}"
    assert as_ipv6([text]) == [is_ordinary]


_TEXTS = ["", "1", "192.0.2.1", "x" * 16, "y" * 17, "2001:db8::1:2:3:4:5", "z" * 48, "w" * 49, "v" * 500]


def test_one_text_and_many_give_the_same_keys():
    short = [text for text in _TEXTS if len(text) <= BLOCK_BYTES]
    long = [text for text in _TEXTS if BLOCK_BYTES < len(text) <= LONG_BYTES]
    assert keys().of_short(as_words(short, 16), _WEEK).tolist() == [keys().of_text(t, _WEEK) for t in short]
    assert keys().of_long(as_words(long, 48), _WEEK).tolist() == [keys().of_text(t, _WEEK) for t in long]


def test_different_texts_weeks_and_secrets_give_different_keys():
    other = AddressKeys(lambda week: b"another secret".ljust(32, b"."))
    found = [keys().of_text(text, week) for text in _TEXTS for week in (_WEEK, date(2024, 3, 11))]
    found += [other.of_text(text, _WEEK) for text in _TEXTS]
    assert len(set(found)) == len(found)
    assert all(-(2**63) <= key < 2**63 for key in found)


def test_keys_stay_what_they_are():
    """They are stored: a change would part the rows of a week into those from before and those from after."""
    stored = {
        "192.0.2.1": 6822024905653599192,
        "2001:db8:1:2:3:4:5:6": -5274573632482030232,
        "h" * 60: 8114884141657468311,
    }
    assert {text: keys().of_text(text, _WEEK) for text in stored} == stored


def test_a_secret_is_asked_for_once_a_week():
    asked: list[date] = []
    counting = AddressKeys(lambda week: asked.append(week) or b"k" * 32)
    for _ in range(3):
        counting.of_text("192.0.2.1", _WEEK)
    assert asked == [_WEEK]
