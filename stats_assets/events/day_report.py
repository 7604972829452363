"""What became of the raw events of a day in a typed table, in numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass
class DayReport:
    """One typed day, in numbers. `read` is what this run has read of it, the others are of the whole day."""

    table: str
    day: date
    read: int = 0
    received: int = 0
    stored: int = 0
    quarantined: int = 0
    repeats: int = 0
    identified: int = 0
    with_unknown_columns: int = 0
    payload_bytes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    complete_until: datetime | None = None
    seconds: float = 0.0

    def saw(self, *times: datetime) -> None:
        """Widens the span of the events received."""
        known = [at for at in (*times, self.oldest_at, self.newest_at) if at is not None]
        self.oldest_at, self.newest_at = min(known, default=None), max(known, default=None)

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {
            "dagster/partition_row_count": self.stored,
            "received": self.received,
            "quarantined": self.quarantined,
            "repeats": self.repeats,
            "read": self.read,
            "read_bytes": self.payload_bytes,
            "quarantined_by_reason": self.reasons,
            "with_unknown_columns": self.with_unknown_columns,
            "oldest": self.oldest_at.isoformat() if self.oldest_at else "none",
            "newest": self.newest_at.isoformat() if self.newest_at else "none",
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return (
            f"{self.day}: {self.stored} rows of {self.received} events, {self.quarantined} quarantined,"
            f" {self.repeats} repeats; read {self.read} in {self.seconds:.1f} s"
        )
