"""What the lines of a file are like as a whole: how many, from when to when, how far out of order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from stats_assets.log_sync.lines import UNDATABLE, Block


@dataclass(frozen=True)
class Survey:
    """Counts and spans of all lines; times are UTC and None where no line has one.

    `step_back_seconds` is how much earlier than a line before it any line is; 0 for a file in order. It tells how
    long lines have to be held back to come out in order.
    """

    lines: int
    undatable_lines: int
    oldest_line_at: datetime | None
    newest_line_at: datetime | None
    step_back_seconds: int


def survey(blocks: Iterable[Block]) -> Survey:
    """Reads the blocks to their end."""
    lines = undatable = step_back = 0
    oldest, newest = np.iinfo(np.int64).max, UNDATABLE
    for block in blocks:
        times = block.seconds[block.seconds > UNDATABLE]
        lines += block.lines
        undatable += block.lines - len(times)
        if len(times):
            so_far = np.maximum.accumulate(np.maximum(times, newest))
            step_back = max(step_back, int((so_far - times).max()))
            oldest, newest = min(oldest, int(times.min())), int(so_far[-1])
    is_dated = newest > UNDATABLE
    return Survey(
        lines,
        undatable,
        instant(oldest) if is_dated else None,
        instant(newest) if is_dated else None,
        step_back,
    )


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
