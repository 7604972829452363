"""Steam ids in the spellings the logs use, as the one 64-bit number that `steamid64` columns hold.

Only people: bots, the console, groups and garbage have no number here.
"""

from __future__ import annotations

import re
from functools import lru_cache

CONSOLE = "Console"

_PERSON = 0x0110000100000000  # universe public, type individual, instance desktop; the account number is added
_STEAM2 = re.compile(r"STEAM_[0-4]:([01]):([0-9]{1,10})", re.ASCII)
_STEAM3 = re.compile(r"\[U:1:([0-9]{1,10})\]", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_MAX_ACCOUNT = 2**32 - 1
_KEPT = 1 << 16  # spellings; a person is in many logs


@lru_cache(maxsize=_KEPT)
def steamid64(text: str) -> int | None:
    """`[U:1:N]`, `STEAM_X:Y:Z` or the number itself; None when it is nobody."""
    if match := _STEAM3.fullmatch(text):
        return _person(int(match[1]))
    if match := _STEAM2.fullmatch(text):
        return _person(int(match[2]) * 2 + int(match[1]))
    return _valid(int(text)) if _DIGITS.fullmatch(text) else None


def _person(account: int) -> int | None:
    return _PERSON + account if 0 < account <= _MAX_ACCOUNT else None


def _valid(number: int) -> int | None:
    """A whole id: account 32 bits, instance 20, type 4, universe 8. Individuals have an account and instance <= 4."""
    account, instance = number & _MAX_ACCOUNT, number >> 32 & 0xFFFFF
    kind, universe = number >> 52 & 0xF, number >> 56
    if not (1 <= kind <= 10 and 1 <= universe <= 4):
        return None
    return number if kind != 1 or (account and instance <= 4) else None
