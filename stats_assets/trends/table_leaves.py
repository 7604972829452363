"""The table partitions of the room: months of upload days, blocks of 100,000 logids.

Days would be finer, but eleven tables times thirteen years of days are 52,000 relations, which costs every plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import Leaf, ensure_leaves
from stats_assets.trends.tables import SILVER

BLOCK_LOGS = 100_000


class Leaves:
    """Makes the table partitions a load needs and remembers those it has seen."""

    def __init__(self, database: StatsDatabase) -> None:
        self._database = database
        self._seen: set[Leaf] = set()

    def ensure(self, days: Iterable[date], logids: Iterable[int]) -> None:
        """Table partitions for rows of these upload days and raw bytes of these logids; commits on its own."""
        months = sorted({day.replace(day=1) for day in days})
        blocks = sorted({logid // BLOCK_LOGS for logid in logids})
        wanted = [month_leaf(table.name, month) for table in SILVER for month in months]
        new = [leaf for leaf in [*map(block_leaf, blocks), *wanted] if leaf not in self._seen]
        ensure_leaves(self._database, new)
        self._seen.update(new)


# Named as the room table_partitions names what it makes ahead.


def month_leaf(table: str, month: date) -> Leaf:
    end = (month + timedelta(days=31)).replace(day=1)
    return Leaf("trends", table, f"{table}_{month:%Y%m%d}", "day", str(month), str(end))


def block_leaf(block: int) -> Leaf:
    first = block * BLOCK_LOGS
    return Leaf("trends", "raw_logs", f"raw_logs_{first}", "logid", first, first + BLOCK_LOGS)
