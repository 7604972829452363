"""The daily counts: replaces a UTC day of the tables made from posts, each day in one transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from stats_assets.forum import count_sql
from stats_assets.forum.bbcode import Link, scan
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row, plan_for_bulk

SCANNED = ("post_quotes", "post_links")
SUMMED = ("daily_stats", "poster_stats", "quote_stats", "link_relation")
TABLES = (*SCANNED, *SUMMED)


@dataclass(frozen=True)
class DayReport:
    """What a day's counts are now: rows per table."""

    day: date
    generation: int
    seconds: float
    rows: dict[str, int] = field(default_factory=dict)


def changed_days(database: StatsDatabase) -> list[date]:
    """Days whose posts have changed since they were counted, oldest first."""
    with database.transaction() as cursor:
        cursor.execute(count_sql.CHANGED_DAYS)
        return [day for (day,) in cursor.fetchall()]


def recount(database: StatsDatabase, public_url: str) -> Iterator[DayReport]:
    """Counts every changed day anew, quoting days that this shows to be out of date included."""
    while days := changed_days(database):
        for day in days:
            yield replace_day(database, day, TABLES, public_url)


def replace_day(database: StatsDatabase, day: date, tables: Collection[str], public_url: str) -> DayReport:
    """Exchanges the day's rows of the tables, and moves the data generation on, in one transaction.

    With all tables the marks of the day are taken in the same transaction: who commits a change later has marked the
    day anew. With some of them the marks stay.
    """
    began = time.monotonic()
    window = {"day": day, "start": midnight(day), "end": midnight(day + timedelta(days=1))}
    with database.transaction() as cursor:
        lock_slice(cursor, "forum.counts", str(day))
        plan_for_bulk(cursor)
        is_whole = set(tables) == set(TABLES)
        if is_whole:
            cursor.execute(count_sql.TAKE_MARKS, window)
        rows = _scan(cursor, window, tables, public_url)
        for name in SUMMED:
            if name in tables:
                cursor.execute(count_sql.DELETE_DAY[name], window)
                cursor.execute(count_sql.INSERT_DAY[name], window)
                rows[name] = cursor.rowcount
        if is_whole:
            cursor.execute(count_sql.MARK_QUOTING_DAYS, window)
        cursor.execute(count_sql.NEXT_GENERATION)
        (generation,) = one_row(cursor)
    return DayReport(day, generation, time.monotonic() - began, rows)


def _scan(cursor: Cursor, window: dict[str, Any], tables: Collection[str], public_url: str) -> dict[str, int]:
    if not set(tables) & set(SCANNED):
        return {}
    cursor.execute(count_sql.CONTENTS, window)
    quotes: Counter[tuple[int, int]] = Counter()
    links: Counter[tuple[int, Link]] = Counter()
    for pid, content in cursor:
        found = scan(content, public_url)
        quotes.update((pid, quoted) for quoted in found.quotes)
        links.update((pid, link) for link in found.links)
    rows: dict[str, int] = {}
    day = window["day"]
    if "post_quotes" in tables:
        cursor.execute(count_sql.DELETE_QUOTES, window | {"pids": [pid for pid, _ in quotes]})
        columns = ("day", "pid", "quoted_pid", "count")
        copy_text(cursor, ("forum", "post_quotes"), columns, ((day, *key, count) for key, count in quotes.items()))
        cursor.execute(count_sql.KNOWN_QUOTES, window)
        rows["post_quotes"] = len(quotes)
    if "post_links" in tables:
        cursor.execute(count_sql.DELETE_LINKS, window | {"pids": [pid for pid, _ in links]})
        columns = ("day", "pid", "url", "type", "domain", "count")
        values = ((day, pid, *link, count) for (pid, link), count in links.items())
        copy_text(cursor, ("forum", "post_links"), columns, values)
        rows["post_links"] = len(links)
    return rows
