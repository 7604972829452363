"""What a crawl has done, as numbers, as a line and as Dagster shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from stats_assets.forum.page_store import Stored


@dataclass
class Report:
    """What a crawl has done."""

    pages: int = 0
    units: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    failures: int = 0
    parked: int = 0
    stripped: int = 0
    requests: int = 0
    retries: int = 0
    received_bytes: int = 0
    seconds: float = 0
    is_drained: bool = False
    bids: set[int] = field(default_factory=set)

    def count(self, stored: Stored) -> None:
        self.new += stored.new
        self.changed += stored.changed
        self.gone += stored.gone

    def __str__(self) -> str:
        state = "complete" if self.is_drained else "time is up, more is due"
        return (
            f"{state}, {self.parked} parked: {self.pages} pages, posts {self.new} new, {self.changed} changed,"
            f" {self.gone} gone; {self.failures} units put off, {self.retries} requests repeated"
        )

    @property
    def metadata(self) -> dict[str, int | float | bool]:
        """As Dagster shows it."""
        names = ("pages", "units", "new", "changed", "gone", "failures", "parked", "stripped", "requests", "retries")
        posts_per_second = round((self.new + self.changed) / self.seconds, 1) if self.seconds else 0.0
        return {name: getattr(self, name) for name in names} | {
            "received_bytes": self.received_bytes,
            "seconds": round(self.seconds, 2),
            "posts_per_second": posts_per_second,
            "is_drained": self.is_drained,
        }
