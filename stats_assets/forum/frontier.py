"""The frontier as a crawler sees it: takes units, gives them back, ends them. The cursor of a thread moves in `store`.

Every instant is the database's; no local clock decides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from stats_assets.forum import page_sql, sql
from stats_assets.forum.client import PageFailed
from stats_assets.forum.schedule import retry_seconds
from stats_assets.forum.walk import Place
from stats_assets.shared.postgres import Connection, Cursor, one_row

_AT_ONCE = 10


class Unit(NamedTuple):
    """A leased row of forum.work."""

    kind: str
    key: int
    bid: int | None
    fence: int
    next_page: int
    last_pid: int
    pages: int
    tail_page: int
    tail_pid: int
    tail_posts: int
    days: int
    attempts: int
    changes: int
    is_whole: bool  # of an audit: to the end of the listing
    is_first: bool  # nothing of it has ever been read

    @property
    def place(self) -> Place:
        return Place(self.next_page, self.last_pid, self.pages, self.tail_page, self.tail_pid, self.tail_posts)


@dataclass(frozen=True)
class Scope:
    """Which units a crawler takes: of these kinds, of these boards (None: all)."""

    kinds: Sequence[str] = sql.KINDS
    bids: Collection[int] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {"kinds": list(self.kinds), "bids": None if self.bids is None else sorted(self.bids)}


class Frontier:
    """One crawler's view. `connection` is in autocommit and stays open: with it end the leases."""

    def __init__(self, connection: Connection, scope: Scope = Scope()) -> None:
        self.connection = connection
        self._scope = scope
        with connection.cursor() as cursor:
            cursor.execute(sql.SESSION)
            cursor.execute(sql.NEW_CRAWLER)
            (self.owner,) = one_row(cursor)
            cursor.execute(sql.REGISTER, {"lock": sql.CRAWLERS_LOCK, "owner": self.owner})
            cursor.execute(page_sql.PREPARE_STORE_PAGE)

    def claim(self) -> list[Unit]:
        """Some due units of the most urgent kind that has any; none when nothing is due."""
        with self.connection.cursor() as cursor:
            for kind in self._scope.kinds:
                parameters = {"kind": kind, "owner": self.owner, "lock": sql.CRAWLERS_LOCK, "limit": _AT_ONCE}
                cursor.execute(sql.CLAIM, self._scope.parameters | parameters)
                if units := [Unit(*row) for row in cursor.fetchall()]:
                    return units
        return []

    def seconds_until_due(self) -> float | None:
        """0 when something is due, more when only what has failed is to be tried again, None when neither."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql.NEXT_DUE, self._scope.parameters)
            (seconds,) = one_row(cursor)
        return None if seconds is None else float(seconds)

    def release(self) -> None:
        """Gives back what is leased and not done."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql.RELEASE, {"owner": self.owner})

    def give_back(self, unit: Unit) -> None:
        """The unit as it stands, for whoever comes next."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql.GIVE_BACK, self.identity(unit))

    def identity(self, unit: Unit) -> dict[str, Any]:
        return {"kind": unit.kind, "key": unit.key, "fence": unit.fence, "owner": self.owner}

    def fail(self, unit: Unit, error: PageFailed, first_seconds: float, most: int, random: Random) -> bool:
        """Puts the unit off, and its answer into quarantine; True when that was its last try and it is parked."""
        parameters = {
            "delay": retry_seconds(unit.attempts + 1, first_seconds, random.random()),
            "most": most,
            "page": unit.next_page,
            "url": error.url,
            "status": error.status,
            "reason": error.reason,
            "error": error.found.replace("\0", "")[:500],
            "body": error.sample,
        }
        with self.connection.cursor() as cursor:
            cursor.execute(sql.FAILED, self.identity(unit) | parameters)
            row = cursor.fetchone()
        return bool(row and row[0])

    def absolve(self, kind: str, key: int, failures: int) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.ABSOLVE, {"kind": kind, "key": key, "failures": failures})

    def mended(self, unit: Unit) -> None:
        if unit.attempts:
            with self.connection.cursor() as cursor:
                cursor.execute(sql.MENDED, {"kind": unit.kind, "key": unit.key})

    def finish(self, cursor: Cursor, unit: Unit, delay_seconds: float, next_page: int = 1) -> bool:
        """Ends the pass; due again after so long. False when the lease is not ours any more."""
        cursor.execute(sql.FINISH, self.identity(unit) | {"delay": delay_seconds, "next_page": next_page})
        return cursor.rowcount == 1

    def go_on(self, cursor: Cursor, unit: Unit, next_page: int) -> bool:
        """Moves the cursor of a listing. False when the lease is not ours any more."""
        cursor.execute(sql.GO_ON, self.identity(unit) | {"next_page": next_page})
        return cursor.rowcount == 1


class LeaseLost(Exception):
    """Another crawler has the unit now: nothing of ours is written."""


def hold(is_held: bool, unit: Unit) -> None:
    """Raises LeaseLost unless the lease was still ours."""
    if not is_held:
        raise LeaseLost(f"{unit.kind} {unit.key}: another crawler has it")


@contextmanager
def together(connection: Connection) -> Iterator[Cursor]:
    """Several statements of an autocommit connection as one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield cursor
        except BaseException:
            if not connection.closed:
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
