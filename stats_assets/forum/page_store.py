"""Writes pages of threads: what they hold and the cursor of their unit, together. Raises LeaseLost when it is not ours.

Listings are written in `board_store`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import psycopg2

from stats_assets.forum import page_sql
from stats_assets.forum.frontier import Frontier, Unit, hold, together
from stats_assets.forum.page import ThreadPage
from stats_assets.forum.schedule import next_refresh_days
from stats_assets.forum.signatures import Signatures
from stats_assets.forum.walk import Step
from stats_assets.shared.postgres import Cursor, one_row

_DAY_SECONDS = 86_400
_VALUES = f"({', '.join(['%s'] * page_sql.PARAMETERS)})"


class Stored(NamedTuple):
    """What a page has changed: posts new, changed and gone; threads."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    threads: int = 0


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
    held, *counts = _execute(frontier, unit, page, step, values, has_signers=bool(users or names or avatars))
    hold(held == 1, unit)
    signatures.stored(users, names, avatars)
    stored = Stored(*counts)
    changes = unit.changes + stored.new + stored.changed + stored.gone
    moved = unit._replace(**place._asdict(), attempts=0, changes=changes)
    return stored, moved


def _execute(
    frontier: Frontier, unit: Unit, page: ThreadPage, step: Step, values: list[Any], has_signers: bool
) -> tuple[int, ...]:
    """The page's statement in the variant that does for it."""
    if unit.is_first and page.posts and page.thread.bid == unit.bid:
        try:
            with frontier.connection.cursor() as cursor:
                return _execute_page(cursor, values, is_first=True, has_signers=has_signers)
        except psycopg2.errors.UniqueViolation:
            pass  # one of its posts has come from another thread, or from an earlier page: then not everything is new
    if unit.kind == "thread" or not step.is_end:
        with frontier.connection.cursor() as cursor:
            return _execute_page(cursor, values, is_first=False, has_signers=has_signers)
    with together(frontier.connection) as cursor:
        row = _execute_page(cursor, values, is_first=False, has_signers=has_signers)
        place = step.place
        parameters = {"tail_page": place.tail_page, "tail_pid": place.tail_pid, "tail_posts": place.tail_posts}
        cursor.execute(page_sql.AFTER_REFRESH, parameters | {"tid": unit.key})
    return row


def _execute_page(cursor: Cursor, values: list[Any], *, is_first: bool, has_signers: bool) -> tuple[int, ...]:
    cursor.execute(f"EXECUTE {page_sql.page_statement(is_first, has_signers)} {_VALUES}", values)
    return one_row(cursor)


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
        cursor.execute(page_sql.THREAD_GONE, frontier.identity(unit) | {"tid": unit.key, "bid": unit.bid, "days": days})
        held, posts, threads = one_row(cursor)
    hold(held == 1, unit)
    return Stored(gone=posts, threads=threads)


def store_tags(frontier: Frontier, unit: Unit, tags: Sequence[str], again: float) -> None:
    with together(frontier.connection) as cursor:
        hold(frontier.finish(cursor, unit, again), unit)
        cursor.execute(page_sql.STORE_TAGS, {"tid": unit.key, "tags": list(tags)})


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
