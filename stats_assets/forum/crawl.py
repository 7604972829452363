"""A crawl: takes due units from the frontier until none is left or time is up. One page, one transaction.

Killed at any moment it leaves whole pages behind, and its leases end with its session; the next crawl reads at most
the page again that was on its way. Many crawls may run at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

import psycopg2

from stats_assets.forum import page_sql, sql
from stats_assets.forum.board_store import end_audit_part, store_board_state, store_boards, store_listing
from stats_assets.forum.client import Client, PageFailed
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.frontier import Frontier, LeaseLost, Scope, Unit
from stats_assets.forum.pace import Pace
from stats_assets.forum.page import Absence, parse_boards, parse_listing, parse_thread
from stats_assets.forum.page_store import store_tags, store_thread_gone, store_thread_page
from stats_assets.forum.report import Report
from stats_assets.forum.signatures import Signatures
from stats_assets.forum.tags import parse_tags
from stats_assets.forum.walk import step
from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line
from stats_assets.shared.postgres import Connection, StatsDatabase

_DAY_SECONDS = 86_400
_LONGEST_WAIT_SECONDS = 5.0
_NOT_A_FORUM = (401, 403, 404, 410)  # of the list of boards: another try would not find one
_OTHERS_SECONDS = 0.25  # until looking again whether others are done with what is due


@dataclass(frozen=True)
class Order:
    """What a crawl is asked for. `until_done` also waits for what is to be tried again; the box ends it in any case."""

    scope: Scope = field(default_factory=Scope)
    until_done: bool = True
    look_now: bool = False
    full_refresh: bool = False
    retry_parked: bool = False
    box_seconds: float | None = None


def crawl(
    database: StatsDatabase, config: ForumConfig, order: Order, sleep: Callable[[float], None] = time.sleep
) -> Report:
    """Carries the order out. Raises SourceAway when the forum or the database is away; what is read is kept."""
    if not config.base_url:
        raise ConfigurationMistake("forum: no forum to read; set forum.base_url in stats.yaml")
    with crawler(database, config, order.scope, sleep) as each:
        each.prepare(order)
        return each.drain(order)


@contextmanager
def crawler(
    database: StatsDatabase, config: ForumConfig, scope: Scope, sleep: Callable[[float], None]
) -> Iterator[Crawler]:
    """A crawler with its session and connection."""
    with database.connection() as connection:
        pace = Pace(connection, config.base_url, config.requests_per_second, sleep)
        client = Client(config, pace, sleep)
        try:
            yield Crawler(Frontier(connection, scope), client, config, sleep)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise SourceAway(f"forum: PostgreSQL went away during the crawl: {first_line(error)}") from error
        finally:
            client.close()


@dataclass
class Crawler:
    """Works on units, one at a time."""

    frontier: Frontier
    client: Client
    config: ForumConfig
    sleep: Callable[[float], None]
    report: Report = field(default_factory=Report)
    _signatures: Signatures = field(default_factory=Signatures)
    _random: Random = field(default_factory=Random)
    _ends_at: float | None = None
    _suspects: Counter[tuple[str, int]] = field(default_factory=Counter)  # failed since the last page that went well

    @property
    def _connection(self) -> Connection:
        return self.frontier.connection

    def prepare(self, order: Order) -> None:
        """Makes due what the order wants looked at."""
        statements = [sql.FIRST_UNIT]
        statements += [sql.LOOK_NOW] if order.look_now or order.full_refresh else []
        statements += [sql.READ_ALL_AGAIN] if order.full_refresh else []
        statements += [sql.UNPARK] if order.retry_parked else []
        with self._connection.cursor() as cursor:
            cursor.execute(sql.UNPARK_LISTS, {"look_now": order.look_now or order.full_refresh})
            for statement in statements:
                cursor.execute(statement)

    def drain(self, order: Order) -> Report:
        """Until nothing is due, or the time box is over."""
        began = time.monotonic()
        self._ends_at = began + order.box_seconds if order.box_seconds is not None else None
        try:
            while not self._is_over():
                if units := self.frontier.claim():
                    self._work_on(units)
                elif not (self._wants_tags() or self._waits(order.until_done)):
                    self.report.is_drained = True
                    break
        finally:
            self._sum_up(began)
        return self.report

    def _sum_up(self, began: float) -> None:
        self.report.seconds = time.monotonic() - began
        client = self.client
        self.report.requests, self.report.retries = client.requests, client.retries
        self.report.received_bytes = client.received_bytes
        if not self._connection.closed:
            self.frontier.release()

    def _is_over(self) -> bool:
        return self._ends_at is not None and time.monotonic() >= self._ends_at

    def _waits(self, until_done: bool) -> bool:
        """Waits a little when something will be due soon; False when there is nothing to wait for."""
        seconds = self.frontier.seconds_until_due()
        if seconds is None or (seconds > 0 and not until_done):
            return False
        self.sleep(min(max(seconds, _OTHERS_SECONDS), _LONGEST_WAIT_SECONDS))
        return until_done or self._ends_at is not None

    def _wants_tags(self) -> bool:
        if not self.config.tags:
            return False
        with self._connection.cursor() as cursor:
            cursor.execute(page_sql.WANT_TAGS)
            return cursor.rowcount > 0

    def _work_on(self, units: list[Unit]) -> None:
        for unit in units:
            if self._is_over():
                return
            try:
                self._work(unit)
                self.report.units += 1
            except LeaseLost:
                continue
            except (psycopg2.errors.DeadlockDetected, psycopg2.errors.UniqueViolation):  # two of us in one thread
                self.frontier.give_back(unit)

    def _work(self, unit: Unit) -> None:
        """One unit to its end. What fails is put off, and others go on."""
        handlers: dict[str, Callable[[Unit], None]] = {
            "boards": self._boards,
            "listing": self._listing,
            "audit": self._listing,
            "thread": self._thread,
            "refresh": self._thread,
            "tags": self._tags,
        }
        try:
            handlers[unit.kind](unit)
        except SourceAway:
            for (kind, key), failures in self._suspects.items():
                self.frontier.absolve(kind, key, failures)
            raise
        except PageFailed as error:
            self.report.failures += 1
            self._suspects[unit.kind, unit.key] += 1
            if self.frontier.fail(unit, error, self.config.retry_seconds, self.config.attempts, self._random):
                self.report.parked += 1
        else:
            self._suspects.clear()
            self.frontier.mended(unit)

    def _boards(self, unit: Unit) -> None:
        try:
            boards = self.client.ask("xml/boards.php", parse_boards)
        except PageFailed as error:
            if error.status in _NOT_A_FORUM:
                raise ConfigurationMistake(
                    f"forum: {error.url} answers {error.found}: no forum is there for us; check forum.base_url in"
                    " stats.yaml"
                ) from error
            raise
        wanted = None if self.config.boards == "all" else self.config.boards
        store_boards(self.frontier, unit, boards, wanted, self.config.look_seconds)
        self._count_page(boards.stripped, None)

    def _listing(self, unit: Unit) -> None:
        bid, page, read = unit.key, unit.next_page, unit.pages
        again = self.config.look_seconds if unit.kind == "listing" else _DAY_SECONDS
        while not self._is_over():
            if unit.kind == "audit" and read >= self.config.audit_pages and not unit.is_whole:
                return end_audit_part(self.frontier, unit, page, again)
            path = f"xml/board.php?BID={bid}&page={page}"
            listing = self.client.ask(path, partial(parse_listing, bid=bid, page=page))
            if isinstance(listing, Absence):
                state = "no_access" if listing is Absence.NO_ACCESS else "gone"
                store_board_state(self.frontier, unit, state, _DAY_SECONDS)
                return self._count_page(0, bid)
            next_page = page + 1 if len(listing.threads) >= self.config.page_size else None
            choice = store_listing(self.frontier, unit, listing, next_page, again)
            self._count_page(listing.stripped, bid)
            if next_page is None or (unit.kind == "listing" and choice.guard is not None):
                return None
            page, read = next_page, read + 1
        return None

    def _thread(self, unit: Unit) -> None:
        tid = unit.key
        while not self._is_over():
            page = unit.next_page
            parse = partial(parse_thread, tid=tid, page=page, page_size=self.config.page_size)
            found = self.client.ask(f"xml/thread.php?TID={tid}&page={page}", parse)
            if isinstance(found, Absence):
                self.report.count(store_thread_gone(self.frontier, unit))
                return self._count_page(0, unit.bid)
            after = step(unit.place, found, self.config.page_size)
            stored, unit = store_thread_page(self.frontier, unit, found, after, self._signatures)
            self.report.count(stored)
            self._count_page(found.stripped, found.thread.bid)
            if after.is_end:
                return None
        return None

    def _tags(self, unit: Unit) -> None:
        tags = self.client.ask(f"thread.php?TID={unit.key}", partial(parse_tags, tid=unit.key))
        store_tags(self.frontier, unit, tags, 64 * _DAY_SECONDS)
        self._count_page(0, unit.bid)

    def _count_page(self, stripped: int, bid: int | None) -> None:
        self.report.pages += 1
        self.report.stripped += stripped
        if bid is not None:
            self.report.bids.add(bid)
