"""Python without its search for cycles, for work whose many objects have none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Decoded documents are large trees without cycles: looking for these costs a fifth of the work and finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect_seldom() -> None:
    """For a process that serves: what it has begun with is never looked at again, what comes is looked at seldom.

    A server that leaves no cycles behind has nothing to collect; with the usual thresholds looking for them was a
    seventh of the collector's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
