"""Where equal hits may be: every hit of a day in eight bytes, and the seconds in which two look alike.

Pure. Only suspicions come from here: whether rows are equal, and which of them counts, the database decides.
"""

from __future__ import annotations

import numpy as np

_SIGN_BITS = 32
_MULTIPLIERS = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93))
_SHIFT = np.uint64(29)


class HitSigns:
    """Gathers the hits of a day, whichever file they are from; memory is eight bytes a hit.

    A sign is the second since `oldest` (Unix seconds) above 32 bits that stand for the other columns, so that
    equal hits have equal signs, and two different hits of one second nearly never have.
    """

    def __init__(self, oldest: int) -> None:
        self._oldest = oldest
        self._signs: list[np.ndarray] = []

    def add(self, seconds: np.ndarray, address_key: np.ndarray, client_id: np.ndarray, sys_age: np.ndarray) -> None:
        """Takes hits in; columns as they are stored, `seconds` less than 2**32 after `oldest`."""
        mixed = address_key.view(np.uint64) * _MULTIPLIERS[0]
        mixed ^= client_id.astype(np.uint64) * _MULTIPLIERS[1]
        mixed ^= sys_age.astype(np.int64).view(np.uint64) * _MULTIPLIERS[2]
        mixed ^= mixed >> _SHIFT
        mixed *= _MULTIPLIERS[0]
        mixed >>= np.uint64(64 - _SIGN_BITS)
        mixed |= (seconds - self._oldest).astype(np.uint64) << np.uint64(_SIGN_BITS)
        self._signs.append(mixed)

    def suspicious_seconds(self) -> list[int]:
        """The Unix seconds in which at least two hits have the same sign, in order."""
        if not self._signs:
            return []
        signs = np.concatenate(self._signs)
        signs.sort()
        twice = signs[1:][signs[1:] == signs[:-1]] >> np.uint64(_SIGN_BITS)
        return [self._oldest + second for second in np.unique(twice).tolist()]
