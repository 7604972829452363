"""A log as it came from somewhere, before anybody has looked into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RawLog:
    """The bytes of one log and where they come from.

    `source` begins with its kind: `api:`, `file:` or `clone_logs:`, followed by where (a host, a path, a batch).
    `uploaded_at` is what a list said (UTC), `fetched_at` when these bytes came.
    `is_complete` is false for sources that do not hold all of a log: they never replace one that does.
    """

    logid: int
    data: bytes
    source: str
    fetched_at: datetime
    uploaded_at: datetime | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class MissingLog:
    """A logid its source does not have (404), or could not give; `reason` says which, as `code: detail`."""

    logid: int
    source: str
    reason: str
    uploaded_at: datetime | None = None
