"""What is known of something that went wrong, and of it being well again: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["run", "check", "freshness", "silence"]


@dataclass(frozen=True)
class Thing:
    """What can be right or wrong. `subject` is an asset (room/table), a check (room/table:name), a job or a service;
    `partition` is a Dagster partition, or empty."""

    kind: Kind
    subject: str
    partition: str = ""

    @property
    def asset(self) -> str | None:
        """room/table; None of a job or service."""
        asset = self.subject.partition(":")[0]
        return asset if "/" in asset and self.kind != "silence" else None

    @property
    def room(self) -> str | None:
        return self.asset.partition("/")[0] if self.asset else None


@dataclass(frozen=True)
class Failed:
    """A thing was seen to be wrong. `event_id` is its place in Dagster's event log, 0 for what is not read there."""

    thing: Thing
    why: str  # one line
    page: str  # of docs/runbooks, with an anchor where there is one
    at: datetime
    event_id: int = 0
    run_id: str = ""
    is_warning: bool = False


@dataclass(frozen=True)
class Passed:
    """A thing was seen to be right again."""

    thing: Thing
    at: datetime
    event_id: int = 0


Sighting = Failed | Passed


@dataclass(frozen=True)
class Incident:
    """A row of notifications.incidents."""

    incident_id: int
    thing: Thing
    is_open: bool
    why: str
    page: str
    run_id: str
    event_id: int
    is_warning: bool
    first_at: datetime
    last_at: datetime
    times: int
    recovered_at: datetime | None = None
    was_told: bool = field(default=False)
