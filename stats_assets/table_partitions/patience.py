"""How long we wait for a lock, so that nobody waits long behind us.

A statement that waits for an exclusive lock lets everybody who comes later wait, too. So it gives up after
`lock_timeout`, lets the queue pass, and comes again after a pause that grows; when the budget is spent, the step is
deferred to the next run. While a transaction that is longer than most has the table, it is not even tried: that would
only stop everybody else for another `lock_timeout`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg2

from stats_assets.shared.failures import first_line
from stats_assets.shared.postgres import Cursor
from stats_assets.table_partitions import sql
from stats_assets.table_partitions.steps import Lock

# A transaction that has lasted so long will not end within a lock_timeout; one of a loader or a page view will.
_OLD_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0

T = TypeVar("T")


class Occupied(Exception):
    """Somebody has had the table for some time; the message says who."""


# What goes away by itself: a lock, a deadlock somebody lost, a row that came in between.
PASSING = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
    Occupied,
)


@dataclass(frozen=True)
class Patience:
    """Waits `lock_timeout_milliseconds` per try and tries for `budget_seconds`."""

    lock_timeout_milliseconds: int = 50
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

    def until_free(self, attempt: Callable[[], T]) -> T:
        """Runs `attempt` until no lock is in its way; gives what it gives. Raises Deferred when the budget is spent."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self.count += 1
            try:
                return attempt()
            except PASSING as error:
                if self.waited_seconds + pause > self.patience.budget_seconds:
                    told = f"deferred after {self.count} tries in {self.waited_seconds:.0f} s: {first_line(error)}"
                    raise Deferred(told) from error
                is_harmless = isinstance(error, Occupied)  # we have only looked: nobody waited behind us
            self.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - two of us must not come in step
            pause = pause if is_harmless else min(2 * pause, _LONGEST_PAUSE_SECONDS)


def need_free(cursor: Cursor, locks: Iterable[Lock]) -> None:
    """Raises Occupied while an old transaction holds what conflicts with one of these locks; takes none itself."""
    for lock in locks:
        cursor.execute(
            sql.OLDEST_HOLDER, {"table": lock.table, "modes": list(lock.conflicts), "old_seconds": _OLD_SECONDS}
        )
        if (found := cursor.fetchone()) is not None:
            pid, application, state, since = found
            who = f"pid {pid} ({application or 'no name'}, {state}, since {since})" if pid else "a prepared transaction"
            raise Occupied(f"{who} holds {lock.table}")
