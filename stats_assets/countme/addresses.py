"""Client addresses: their one spelling, and the keys that stand for them in the database.

A key is a 64-bit pseudo-random function of the address text under the secret of the week the hit lies in: equal
within a week, unrelated across weeks, and without the secret neither invertible nor to be guessed by trying all
addresses. A text of at most 16 bytes (every IPv4 address) is one AES block, one of at most 48 (every IPv6 address)
three blocks chained, each under an AES key of its own, so that few calls do a whole array. Longer texts, which are
no addresses but may be counted under compat, go through keyed BLAKE2b.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from stats_assets.countme.config import Policy

BLOCK_BYTES = 16  # of AES
LONG_BYTES = 3 * BLOCK_BYTES  # an IPv6 address has at most 45
_V4_IN_V6 = bytes(10) + b"\xff\xff"


def read_address(host: str, policy: Policy) -> str | None:
    """The address as it is kept; None when it is none.

    strict: dotted IPv4, or IPv6 in its canonical spelling; an IPv4 address written as IPv6 is the former.
    compat: any text, as written.
    """
    if policy == "compat":
        return host
    if not host.isascii() or "\0" in host:
        return None
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return None
    if packed.startswith(_V4_IN_V6):
        packed = packed[len(_V4_IN_V6) :]
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


class _Secrets(NamedTuple):
    """A week's secret, and the AES encryptions derived from it: one secret must not serve several functions."""

    key: bytes
    short: CipherContext
    long: CipherContext


class AddressKeys:
    """The keys of addresses, week by week. `key_of_week` gives a week's secret, 32 bytes; asked once per week."""

    def __init__(self, key_of_week: Callable[[date], bytes]) -> None:
        self._key_of_week = key_of_week
        self._weeks: dict[date, _Secrets] = {}

    def of_text(self, address: str, week: date) -> int:
        """The key of one address, as a signed 64-bit number."""
        text = address.encode()
        if len(text) <= BLOCK_BYTES:
            return int(self.of_short(_as_words(text, BLOCK_BYTES), week)[0])
        if len(text) <= LONG_BYTES:
            return int(self.of_long(_as_words(text, LONG_BYTES), week)[0])
        digest = blake2b(text, digest_size=8, key=self._secrets(week).key).digest()
        return int.from_bytes(digest, "little", signed=True)

    def of_short(self, texts: np.ndarray, week: date) -> np.ndarray:
        """The keys, int64[n], of addresses of at most 16 bytes: uint64[n, 2], filled with NUL.

        No address holds a NUL, so different addresses are different blocks.
        """
        return _first_words(_encrypted(texts, self._secrets(week).short))

    def of_long(self, texts: np.ndarray, week: date) -> np.ndarray:
        """The keys, int64[n], of addresses of 17 to 48 bytes: uint64[n, 6], filled with NUL."""
        cipher = self._secrets(week).long
        state = _encrypted(texts[:, 0:2], cipher)
        # CBC-MAC; a pseudo-random function because all its inputs have the same length.
        for block in (texts[:, 2:4], texts[:, 4:6]):
            state = _encrypted(state ^ block, cipher)
        return _first_words(state)

    def _secrets(self, week: date) -> _Secrets:
        if week not in self._weeks:
            key = self._key_of_week(week)
            self._weeks[week] = _Secrets(key, _aes(key, b"up to 16 bytes"), _aes(key, b"up to 48 bytes"))
        return self._weeks[week]


def _aes(secret: bytes, purpose: bytes) -> CipherContext:
    key = blake2b(purpose, digest_size=32, key=secret).digest()
    # ECB is AES itself, block by block, each block an input of the function for itself.
    return Cipher(AES(key), ECB()).encryptor()  # noqa: S305


def _encrypted(blocks: np.ndarray, cipher: CipherContext) -> np.ndarray:
    """uint64[n, 2] blocks, each encrypted."""
    plain = np.ascontiguousarray(blocks).view(np.uint8).reshape(-1)
    return np.frombuffer(cipher.update(plain.data), dtype="<u8").reshape(-1, 2)


def _first_words(blocks: np.ndarray) -> np.ndarray:
    return blocks[:, 0].astype("<i8")


def _as_words(text: bytes, size: int) -> np.ndarray:
    return np.frombuffer(text.ljust(size, b"\0"), dtype="<u8").reshape(1, -1)
