"""The rate limit that all crawlers of a forum share, kept in PostgreSQL and by its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from stats_assets.forum import pace_sql
from stats_assets.shared.postgres import Connection, one_row


@dataclass
class Pace:
    """Gives turns to ask the forum at `base_url`. Without a rate only what the forum asks for is waited for."""

    connection: Connection
    base_url: str
    requests_per_second: float | None
    sleep: Callable[[float], None] = time.sleep
    _is_held: bool = False

    def take_turn(self) -> None:
        """Returns when it is our turn."""
        if self.requests_per_second is None and not self._is_held:
            return
        self._is_held = False
        gap = 1 / self.requests_per_second if self.requests_per_second else 0.0
        with self.connection.cursor() as cursor:
            cursor.execute(pace_sql.TAKE_SLOT, {"site": self.base_url, "gap": gap})
            (seconds,) = one_row(cursor)
        if seconds > 0:
            self.sleep(float(seconds))

    def slow_down(self, seconds: float) -> None:
        """The forum wants to be left alone for so long, and asked less often then."""
        self._tell(pace_sql.SLOW_DOWN, seconds)

    def pause(self, seconds: float) -> None:
        """Nobody asks for so long."""
        self._tell(pace_sql.PAUSE, seconds)

    def _tell(self, statement: str, seconds: float) -> None:
        self._is_held = True
        with self.connection.cursor() as cursor:
            cursor.execute(statement, {"site": self.base_url, "seconds": seconds})
