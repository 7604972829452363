"""When a week's totals may be published. Pure: judges rows that others read.

strict: every expected file of the week's seven days is fetched, loaded, and not mostly unreadable.
compat: as the established tool, a week is done when something later than its end was seen; gaps are
named but do not hold it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stats_assets.countme.weeks import days_of

_NAMED_AT_MOST = 5


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


def gaps(week: date, files: Sequence[WeekFile], max_rejected_share: float) -> list[str]:
    """What is missing from the week that begins on this Monday, a phrase each; empty: nothing."""
    expected_days = {file.day for file in files}
    never_asked = [f"{day}: never synchronized" for day in days_of(week) if day not in expected_days]
    return never_asked + [f"{file.day}: {trouble}" for file in files if (trouble := _trouble(file, max_rejected_share))]


def _trouble(file: WeekFile, max_rejected_share: float) -> str | None:
    if file.state != "fetched":
        return f"{file.host} {file.state}"
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
