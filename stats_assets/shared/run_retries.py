"""Whether Dagster tries a failed run again: what the run's tags say of it, and for how long that may still change."""

from __future__ import annotations

import dagster as dg
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

# Dagster writes a run's failure first, just after whether it will try again, and takes that back when it cannot: while
# the code server is away, say. Only the other run is proof. By what it says so far, so long is waited for more.
_UNDECIDED_SECONDS = {None: 10, "true": 60, "false": 0}


class Undecided(Exception):
    """Whether a failed run is tried again is not known yet."""


def next_attempt(failed: dg.DagsterRun, seconds_ago: float) -> str | None:
    """The id of the run that tries it again; None when it stays failed. `seconds_ago` is when it failed.

    Raises Undecided.
    """
    if other := failed.tags.get(AUTO_RETRY_RUN_ID_TAG):
        return other
    if 0 <= seconds_ago < _UNDECIDED_SECONDS.get(failed.tags.get(WILL_RETRY_TAG), 0):
        raise Undecided
    return None
