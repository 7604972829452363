"""How the frontier stands: what is due, put off and parked, per kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from stats_assets.forum import count_sql, sql
from stats_assets.forum.config import ForumConfig
from stats_assets.shared.postgres import StatsDatabase

_SHOWN = 20  # parked units in metadata; forum.quarantine has them all


@dataclass(frozen=True)
class KindStatus:
    """Units of a kind; `overdue_seconds` is how long the oldest due one has been waiting."""

    kind: str
    units: int
    due: int
    parked: int
    put_off: int
    overdue_seconds: float


@dataclass(frozen=True)
class Status:
    """The whole frontier. `parked` names the parked units with their URL and error."""

    kinds: list[KindStatus]
    parked: dict[str, str]
    days_to_count: int

    def total(self, what: str) -> int:
        return sum(getattr(kind, what) for kind in self.kinds)

    @property
    def overdue_seconds(self) -> float:
        return max((kind.overdue_seconds for kind in self.kinds), default=0.0)

    @property
    def metadata(self) -> dict[str, Any]:
        lines = ["| kind | units | due | put off | parked | overdue s |", "|---|---|---|---|---|---|"]
        for each in self.kinds:
            numbers = (each.units, each.due, each.put_off, each.parked, round(each.overdue_seconds))
            lines.append(f"| {each.kind} | {' | '.join(map(str, numbers))} |")
        return {
            "dagster/row_count": self.total("units"),
            "due": self.total("due"),
            "put_off": self.total("put_off"),
            "parked": self.total("parked"),
            "overdue_seconds": round(self.overdue_seconds),
            "days_to_count": self.days_to_count,
            "parked_units": dict(islice(self.parked.items(), _SHOWN)),
            "frontier": "\n".join(lines),
        }


def frontier_status(database: StatsDatabase) -> Status:
    with database.transaction() as cursor:
        cursor.execute(sql.STATUS)
        kinds = [KindStatus(*row) for row in cursor.fetchall()]
        cursor.execute(sql.PARKED)
        parked = {f"{kind} {key}": f"{url}: {error}" for kind, key, url, error in cursor.fetchall()}
        cursor.execute(count_sql.CHANGED_DAYS)
        return Status(kinds, parked, len(cursor.fetchall()))


def board_keys(database: StatsDatabase, config: ForumConfig) -> list[str]:
    """The boards that are crawled, as Dagster partition keys."""
    wanted = None if config.boards == "all" else config.boards
    with database.transaction() as cursor:
        cursor.execute(sql.BOARD_KEYS, {"bids": wanted})
        return [str(bid) for (bid,) in cursor.fetchall()]


def board_counts(database: StatsDatabase, bids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Live threads and posts of each of these boards."""
    with database.transaction() as cursor:
        cursor.execute(sql.BOARD_COUNTS, {"bids": sorted(bids)})
        return {bid: (threads, int(posts)) for bid, threads, posts in cursor.fetchall()}
