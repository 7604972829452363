"""Writes pages: what they hold and the cursor of their unit, together. Raises LeaseLost when the unit is not ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from stats_assets.forum import sql
from stats_assets.forum.discovery import Choice, Known, choose
from stats_assets.forum.frontier import Frontier, LeaseLost, Unit, together
from stats_assets.forum.page import Board, Boards, Category, Listing, Thread, ThreadPage
from stats_assets.forum.schedule import next_refresh_days
from stats_assets.forum.signatures import Signatures
from stats_assets.forum.walk import Step
from stats_assets.shared.postgres import Cursor, one_row

_DAY_SECONDS = 86_400
_STORE_PAGE = f"EXECUTE forum_store_page ({', '.join(['%s'] * 49)})"


class Stored(NamedTuple):
    """What a page has changed: posts new, changed and gone; threads."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    threads: int = 0


def store_boards(frontier: Frontier, unit: Unit, boards: Boards, wanted: Collection[int] | None, again: float) -> None:
    """The list of boards; boards that are not on it any more are gone, new ones get listed."""
    bids = [board.bid for board in boards.boards]
    listed = [bid for bid in bids if wanted is None or bid in wanted]
    with together(frontier.connection) as cursor:
        _hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(sql.STORE_CATEGORIES, _columns(Category._fields, boards.categories))
        cursor.execute(sql.BOARDS_GONE, {"bid": bids})
        if gone := [bid for (bid,) in cursor.fetchall()]:
            cursor.execute(sql.READ_THREADS_OF, {"bid": gone})
            cursor.execute(sql.FORGET_LISTINGS, {"bid": gone})
        cursor.execute(sql.STORE_BOARDS, _columns(Board._fields, boards.boards))
        cursor.execute(sql.WANT_LISTINGS, {"bid": listed})


def store_board_state(frontier: Frontier, unit: Unit, state: str, again: float) -> None:
    """A board whose listing we may not see, or that is not there."""
    with together(frontier.connection) as cursor:
        _hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(sql.BOARD_STATE, {"bid": unit.key, "state": state})


def store_listing(frontier: Frontier, unit: Unit, listing: Listing, next_page: int | None, again: float) -> Choice:
    """A page of a listing and which of its threads are read; `next_page` None ends the pass.

    A look at the newest ends at the guard, whatever the next page would be.
    """
    with together(frontier.connection) as cursor:
        choice = choose(listing.threads, _known(cursor, unit.key, listing.threads))
        is_end = next_page is None or (unit.kind == "listing" and choice.guard is not None)
        held = frontier.finish(cursor, unit, again) if is_end else frontier.go_on(cursor, unit, next_page or 1)
        _hold(held, unit)
        columns = _columns(Thread._fields, listing.threads)
        cursor.execute(sql.MARK_MOVED, columns)
        cursor.execute(sql.STORE_LISTED, columns)
        chosen = [thread for thread in listing.threads if thread.tid in set(choice.tids)]
        cursor.execute(sql.WANT_THREADS, _columns(Thread._fields, chosen))
        if choice.guard is not None:
            cursor.execute(sql.GUARD, {"tid": choice.guard, "bid": unit.key})
        cursor.execute(sql.BOARD_STATE, {"bid": unit.key, "state": "live"})
    return choice


def end_audit_part(frontier: Frontier, unit: Unit, next_page: int, again: float) -> None:
    """The audit goes on from there another night."""
    with frontier.connection.cursor() as cursor:
        _hold(frontier.finish(cursor, unit, again, next_page), unit)


def store_thread_page(
    frontier: Frontier, unit: Unit, page: ThreadPage, step: Step, signatures: Signatures
) -> tuple[Stored, Unit]:
    """A page of posts; gives what has changed, and the unit as it stands now."""
    users, names, avatars = signatures.new(page.names, page.avatars)
    quiet_days, restless_days, refresh = _afterwards(unit, page, step)
    place, thread = step.place, page.thread
    after, up_to = step.gone
    flags = [
        *(thread.is_closed, thread.is_sticky, thread.is_important),
        *(thread.is_announcement, thread.is_global),
    ]
    values: list[Any] = [
        *(unit.kind, unit.key, unit.fence, frontier.owner),
        # A refresh always begins at the first page, a thread's own unit at its tail.
        *(1 if step.is_end and unit.kind == "refresh" else place.next_page, 0 if step.is_end else place.last_pid),
        *(place.tail_page, place.tail_pid, place.tail_posts),
        *(quiet_days, restless_days, step.is_end, refresh),
        *(thread.bid, thread.title, thread.subtitle, flags, thread.hit_count, thread.est_replies),
        *(step.starts, step.first_pid, step.is_known_to_end, step.last_pid, step.n_posts),
        *(after, up_to),
        *_literals(page.posts, 10, texts=(8, 9)),
        *_literals(users, 6, texts=(1,)),
        *_literals(names, 4, texts=(1,)),
        *_literals(list(avatars.items()), 2, texts=(1,)),
        place.pages,
    ]
    held, *counts = _execute_page(frontier, unit, step, values)
    _hold(held == 1, unit)
    signatures.stored(users, names, avatars)
    stored = Stored(*counts)
    changes = unit.changes + stored.new + stored.changed + stored.gone
    moved = unit._replace(**place._asdict(), attempts=0, changes=changes)
    return stored, moved


def _execute_page(frontier: Frontier, unit: Unit, step: Step, values: list[Any]) -> tuple[int, ...]:
    if unit.kind == "thread" or not step.is_end:
        with frontier.connection.cursor() as cursor:
            cursor.execute(_STORE_PAGE, values)
            return one_row(cursor)
    with together(frontier.connection) as cursor:
        cursor.execute(_STORE_PAGE, values)
        row = one_row(cursor)
        place = step.place
        parameters = {"tail_page": place.tail_page, "tail_pid": place.tail_pid, "tail_posts": place.tail_posts}
        cursor.execute(sql.AFTER_REFRESH, parameters | {"tid": unit.key})
    return row


def _afterwards(unit: Unit, page: ThreadPage, step: Step) -> tuple[int, int, float | None]:
    """What follows the end of a pass: days until the next reading of the whole thread, if this pass has changed nothing
    and if it has; for a thread's own unit seconds until that reading, which only a change brings forward."""
    thread = page.thread
    is_pinned = thread.is_sticky or thread.is_global
    quiet, restless = (next_refresh_days(unit.days, changed, thread.is_closed, is_pinned) for changed in (False, True))
    if unit.kind == "refresh" or not step.is_end:
        return quiet, restless, None
    return quiet, restless, 0 if step.has_shifted else restless * _DAY_SECONDS


def store_thread_gone(frontier: Frontier, unit: Unit) -> Stored:
    """The forum does not show the thread any more: it and its posts become tombstones."""
    days = min(64, max(1, 2 * unit.days))
    with frontier.connection.cursor() as cursor:
        cursor.execute(sql.THREAD_GONE, frontier.identity(unit) | {"tid": unit.key, "bid": unit.bid, "days": days})
        held, posts, threads = one_row(cursor)
    _hold(held == 1, unit)
    return Stored(gone=posts, threads=threads)


def store_tags(frontier: Frontier, unit: Unit, tags: Sequence[str], again: float) -> None:
    with together(frontier.connection) as cursor:
        _hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(sql.STORE_TAGS, {"tid": unit.key, "tags": list(tags)})


def _known(cursor: Cursor, bid: int, threads: Iterable[Thread]) -> dict[int, Known]:
    cursor.execute(sql.KNOWN_THREADS, {"bid": bid, "tid": [thread.tid for thread in threads]})
    return {tid: Known(*rest) for tid, *rest in cursor.fetchall()}


def _columns(fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return dict(zip(fields, _unzipped(rows, len(fields)), strict=True))


def _unzipped(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _literals(rows: Sequence[Sequence[Any]], width: int, texts: Collection[int]) -> list[str]:
    """The columns as array literals: a tenth of what an expression per element costs the server to read.

    `texts` are the positions of the columns that hold text; the others hold numbers, booleans and None.
    """
    if not rows:
        return ["{}"] * width
    columns = enumerate(zip(*rows, strict=True))
    return [_text_array(column) if at in texts else _plain_array(column) for at, column in columns]


def _plain_array(values: Sequence[float | None]) -> str:
    return "{" + ",".join(map(str, values)).replace("None", "NULL") + "}"


def _text_array(values: Sequence[str]) -> str:
    # Escaped as one text; the separator holds a NUL, which no text of a page does.
    joined = "\0".join(values).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}'


def _hold(is_held: bool, unit: Unit) -> None:
    if not is_held:
        raise LeaseLost(f"{unit.kind} {unit.key}: another crawler has it")
