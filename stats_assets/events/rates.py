"""How many events an app may send: a bucket that fills evenly and is emptied by what it sends. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Bucket:
    """Allows `per_second` events over time, and up to `burst` at once after a silence; times are monotonic seconds.

    Only events of a known sender are taken out, so nobody can shut out an app without its secret. A body is taken
    whole when anything is left, and the debt is waited for.
    """

    per_second: float
    burst: float
    _left: float = 0
    _at: float | None = None

    def wait_seconds(self, now: float) -> float:
        """How long until the next body is welcome; 0 when it is now."""
        left = self.burst if self._at is None else self._left + (now - self._at) * self.per_second
        self._left = left = self.burst if left > self.burst else left
        self._at = now
        return 0 if left > 0 else (1 - left) / self.per_second

    def take(self, events: int) -> None:
        """After `wait_seconds` was asked."""
        self._left -= events
