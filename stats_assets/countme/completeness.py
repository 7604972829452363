"""What state a week's totals are in. Pure: judges rows that others read.

    provisional   the week is not over: its last file is not due yet, or the time in which late lines come (jitter)
                  has not passed. compat: nothing later than the week's end was seen yet.
    partial       a file it needs is missing, failed, not loaded or not readable, was never asked for (the logs begin
                  after it, among other reasons), or the week's hits have address keys that do not compare
    final         every expected file is loaded and readable, or waived

strict publishes final weeks. compat publishes partial ones too: as the established tool does, it takes a week for
done when something later than its end was seen; gaps are named but do not hold it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from stats_assets.countme.weeks import JITTER_SECONDS, Covers, files_needed, settled_after

Status = Literal["provisional", "partial", "final"]

_NAMED_AT_MOST = 5
_THERE = ("fetched", "waived")


@dataclass(frozen=True)
class WeekFile:
    """One expected file of a week: the manifest's word on it, and what countme loaded of it."""

    day: date
    host: str
    state: str
    is_loaded: bool
    lines: int
    hits: int
    rejected: int


@dataclass(frozen=True)
class Completeness:
    """How much of what it needs a week has. `gaps`: a phrase each; `coverage`: the share of files without trouble."""

    gaps: Sequence[str]
    coverage: float


def completeness(
    week: date, covers: Covers, files: Sequence[WeekFile], max_rejected_share: float, first_day: date
) -> Completeness:
    """What is missing from the week that begins on this Monday."""
    days = files_needed(week, covers)
    # How many files a day nobody asked for would have brought is not known; as many as the others, most likely.
    hosts = len({file.host for file in files}) or 1
    never_asked = sorted(set(days) - {file.day for file in files})
    gaps = [f"{day}: {_why_never(day, first_day)}" for day in never_asked]
    troubles = [f"{file.day}: {trouble}" for file in files if (trouble := _trouble(file, max_rejected_share))]
    expected = len(files) + hosts * len(never_asked)
    return Completeness(sorted(gaps + troubles), (len(files) - len(troubles)) / expected)


def status_of(is_over: bool, gaps: Sequence[str]) -> Status:
    """The state of a week by what it lacks."""
    if not is_over:
        return "provisional"
    return "partial" if gaps else "final"


def is_over(week: date, covers: Covers, now: datetime) -> bool:
    """Whether the last file of the week may be there, and late lines have had their time."""
    day = settled_after(week, covers)
    return now >= datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=JITTER_SECONDS)


def _why_never(day: date, first_day: date) -> str:
    return f"before the first day ({first_day})" if day < first_day else "never synchronized"


def _trouble(file: WeekFile, max_rejected_share: float) -> str | None:
    if file.state not in _THERE:
        return f"{file.host} {file.state}"
    if file.state == "waived":
        return None
    if not file.is_loaded:
        return f"{file.host} not loaded"
    if is_unreadable(file.lines, file.hits, file.rejected, max_rejected_share):
        return f"{file.host} has {file.rejected} of {file.lines} lines rejected, {file.hits} hits"
    return None


def is_unreadable(lines: int, hits: int, rejected: int, max_rejected_share: float) -> bool:
    """Whether a file is so odd that its numbers mean nothing: too many rejected lines, or not one hit."""
    return lines > 0 and (hits == 0 or rejected > max_rejected_share * lines)


def summary(gaps: Sequence[str]) -> str:
    """The gaps in a line people can read; empty when there are none."""
    named = "; ".join(gaps[:_NAMED_AT_MOST])
    rest = len(gaps) - _NAMED_AT_MOST
    return f"{named}; and {rest} more" if rest > 0 else named
