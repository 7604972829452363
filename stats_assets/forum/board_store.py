"""Writes the list of boards and their listings, with the cursor of their unit. Raises LeaseLost when it is not ours.

Pages of threads are written in `page_store`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from stats_assets.forum import board_sql
from stats_assets.forum.discovery import Choice, Known, choose
from stats_assets.forum.frontier import Frontier, Unit, hold, together
from stats_assets.forum.page import Board, Boards, Category, Listing, Thread
from stats_assets.shared.postgres import Cursor


def store_boards(frontier: Frontier, unit: Unit, boards: Boards, wanted: Collection[int] | None, again: float) -> None:
    """The list of boards; boards that are not on it any more are gone, new ones get listed."""
    bids = [board.bid for board in boards.boards]
    listed = [bid for bid in bids if wanted is None or bid in wanted]
    with together(frontier.connection) as cursor:
        hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(board_sql.STORE_CATEGORIES, _columns(Category._fields, boards.categories))
        cursor.execute(board_sql.BOARDS_GONE, {"bid": bids})
        if gone := [bid for (bid,) in cursor.fetchall()]:
            cursor.execute(board_sql.READ_THREADS_OF, {"bid": gone})
            cursor.execute(board_sql.FORGET_LISTINGS, {"bid": gone})
        cursor.execute(board_sql.STORE_BOARDS, _columns(Board._fields, boards.boards))
        cursor.execute(board_sql.WANT_LISTINGS, {"bid": listed})


def store_board_state(frontier: Frontier, unit: Unit, state: str, again: float) -> None:
    """A board whose listing we may not see, or that is not there."""
    with together(frontier.connection) as cursor:
        hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(board_sql.BOARD_STATE, {"bid": unit.key, "state": state})


def store_listing(frontier: Frontier, unit: Unit, listing: Listing, next_page: int | None, again: float) -> Choice:
    """A page of a listing and which of its threads are read; `next_page` None ends the pass.

    A look at the newest ends at the guard, whatever the next page would be.
    """
    with together(frontier.connection) as cursor:
        choice = choose(listing.threads, _known(cursor, unit.key, listing.threads))
        is_end = next_page is None or (unit.kind == "listing" and choice.guard is not None)
        held = frontier.finish(cursor, unit, again) if is_end else frontier.go_on(cursor, unit, next_page or 1)
        hold(held, unit)
        columns = _columns(Thread._fields, listing.threads)
        cursor.execute(board_sql.MARK_MOVED, columns)
        cursor.execute(board_sql.STORE_LISTED, columns)
        chosen = [thread for thread in listing.threads if thread.tid in set(choice.tids)]
        cursor.execute(board_sql.WANT_THREADS, _columns(Thread._fields, chosen))
        if choice.guard is not None:
            cursor.execute(board_sql.GUARD, {"tid": choice.guard, "bid": unit.key})
        cursor.execute(board_sql.BOARD_STATE, {"bid": unit.key, "state": "live"})
    return choice


def end_audit_part(frontier: Frontier, unit: Unit, next_page: int, again: float) -> None:
    """The audit goes on from there another night."""
    with frontier.connection.cursor() as cursor:
        hold(frontier.finish(cursor, unit, again, next_page), unit)


def _known(cursor: Cursor, bid: int, threads: Iterable[Thread]) -> dict[int, Known]:
    cursor.execute(board_sql.KNOWN_THREADS, {"bid": bid, "tid": [thread.tid for thread in threads]})
    return {tid: Known(*rest) for tid, *rest in cursor.fetchall()}


def _columns(fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return dict(zip(fields, _unzipped(rows, len(fields)), strict=True))


def _unzipped(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
