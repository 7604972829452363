"""How long we wait for a lock, so that nobody waits long behind us.

A statement that waits for an exclusive lock lets everybody who comes later wait, too. So it gives up after
`lock_timeout`, lets the queue pass, and comes again after a pause that grows; when the budget is spent, the step is
deferred to the next run.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg2

# What goes away by itself: a lock, a deadlock somebody lost, a row that came in between.
PASSING = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True)
class Patience:
    """Waits `lock_timeout_milliseconds` per try and tries for `budget_seconds`."""

    lock_timeout_milliseconds: int = 100
    budget_seconds: float = 60


class Deferred(Exception):
    """A lock was not to be had in time; the next run tries again."""


@dataclass
class Tries:
    """How often something was tried, and how long that took."""

    patience: Patience
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    count: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def waited_seconds(self) -> float:
        return self.clock() - self.began

    def until_free(self, attempt: Callable[[], None]) -> None:
        """Runs `attempt` until no lock is in its way. Raises Deferred when the budget is spent."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self.count += 1
            try:
                return attempt()
            except PASSING as error:
                if self.waited_seconds + pause > self.patience.budget_seconds:
                    told = str(error).strip().splitlines()[0]
                    raise Deferred(
                        f"deferred after {self.count} tries in {self.waited_seconds:.0f} s: {told}"
                    ) from error
            self.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - two of us must not come in step
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
