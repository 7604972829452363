"""The `events` section of stats.yaml: where the schema file is, where the collector listens, what it puts up with.

Without the section there is no collector and no typed table. What may be sent is in the schema file, see `schema_file`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stats_assets.shared.config import Section
from stats_assets.shared.environment import PROJECT_FOLDER


def _from_the_project(path: Path) -> Path:
    """A relative path is meant from the project, wherever a process happens to run."""
    return (PROJECT_FOLDER / path).resolve()


LocalPath = Annotated[Path, AfterValidator(_from_the_project)]


class EventLimits(Section):
    """What the collector takes of one request and one app; more is refused before it costs anything."""

    max_body_bytes: int = Field(default=32 * 1024, ge=1024, description="of a request as it is sent")
    max_unpacked_bytes: int = Field(default=1024 * 1024, ge=1024, description="of a body that was sent compressed")
    max_events: int = Field(default=1000, ge=1, le=100_000, description="events of one body")
    max_columns: int = Field(default=500, ge=1, description="keys of one event")
    max_depth: int = Field(default=32, ge=4, le=500, description="brackets within brackets of a body")
    events_per_second: float = Field(
        default=5000, gt=0, description="of one app, over time; the schema file may say otherwise for an app"
    )
    burst_seconds: float = Field(default=10, ge=1, description="how long an app may have been silent to its advantage")
    head_timeout_seconds: float = Field(default=10, gt=0, description="for the request line and headers to arrive")
    body_timeout_seconds: float = Field(default=20, gt=0, description="for a body to arrive")
    max_connections: int = Field(default=4000, ge=1, description="more are answered 503 at once")


class EventsConfig(Section):
    """How events are received and kept."""

    schema_file: LocalPath = Field(
        default=Path("events.yaml"), validate_default=True, description="tables, columns and apps"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address the collector listens on")
    port: int | None = Field(default=None, ge=1024, le=65535, description="STATS_PORT + 2 when absent")
    limits: EventLimits = Field(default_factory=EventLimits)

    spool: LocalPath = Field(
        default=Path(".local/events-spool"),
        validate_default=True,
        description="local folder for what is received while PostgreSQL is away",
    )
    max_spool_bytes: int = Field(
        default=2**30, ge=2**20, description="of the spool; when it is full, clients are told to come again (503)"
    )
    max_batch_events: int = Field(default=10_000, ge=1, description="events of one COPY")
    max_waiting_bytes: int = Field(
        default=64 * 2**20, ge=2**20, description="received and not yet kept; more is answered 503"
    )
    commit_timeout_seconds: float = Field(
        default=5, gt=0, description="longest wait for PostgreSQL; then the batch goes to the spool"
    )

    lateness_days: int = Field(
        default=2, ge=1, le=30, description="days back that typed tables look for events stored late and for repeats"
    )
    refresh_minutes: int = Field(
        default=10, ge=1, le=1440, description="how old the typed rows of today may grow while events come"
    )
    first_day: date = Field(default=date(2025, 11, 3), description="first daily partition")
    usual_change: float = Field(
        default=0.5, gt=0, description="an app whose events differ from the usual by more than this share is unusual"
    )
    max_quarantined_share: float = Field(default=0.05, gt=0, le=1, description="a larger share of a day is unusual")
    keep_raw_days: int = Field(default=90, ge=8, description="days that raw events and the quarantine stay")
    raw_action: Literal["keep", "truncate", "archive", "drop"] = Field(
        default="keep", description="what happens to raw events and the quarantine older than keep_raw_days"
    )

    @model_validator(mode="after")
    def _unpacked_is_not_less(self) -> Self:
        if self.limits.max_unpacked_bytes < self.limits.max_body_bytes:
            raise ValueError("limits.max_unpacked_bytes is less than limits.max_body_bytes")
        return self

    def port_or(self, default: int) -> int:
        """Where the collector listens."""
        return default if self.port is None else self.port
