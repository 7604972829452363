"""Crawls that are killed, that lose their lease, and that run side by side."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest

from stats_assets.forum import sql
from stats_assets.forum.counts import recount
from stats_assets.forum.crawl import Order, crawl, crawler
from stats_assets.forum.frontier import LeaseLost, Scope
from stats_assets.forum.pace import Pace
from stats_assets.sandbox.forum_site import ForumSite
from stats_assets.shared.postgres import StatsDatabase
from tests.forum import crawl_process
from tests.forum.world import ForumWorld, assert_equals_truth, served, small_forum
from tests.killable import ended, started

KILLS = 20


@pytest.mark.slow
def test_kill_9_twenty_times_at_random_moments(world: ForumWorld):
    """Each process is killed while it waits for a page, after a random number of pages: one page is lost, no more."""
    random = Random(20)
    for _ in range(KILLS):
        asked, is_reached = _killer(world, random.randint(1, 4))
        process = _start(world)
        assert is_reached.wait(60)
        process.kill()
        assert ended(process) == -signal.SIGKILL
        asked.set()
    world.site.before = lambda page: None
    assert ended(_start(world)) == 0
    assert world.due() == 0
    repeated = {page: count - 1 for page, count in world.site.asked.items() if count > 1}
    assert 0 < sum(repeated.values()) <= KILLS
    assert_equals_truth(world)
    list(recount(world.database, world.config.public_url))
    killed = world.exported()

    world.execute("TRUNCATE " + ", ".join(f"forum.{table}" for table in _ALL_TABLES))
    world.crawl()
    list(recount(world.database, world.config.public_url))
    assert world.exported() == killed


_ALL_TABLES = (
    *("work", "boards", "categories", "threads", "posts", "post_contents", "post_revisions", "users", "user_names"),
    *("avatars", "changed_days", "post_quotes", "post_links", "daily_stats", "quarantine"),
)


def _killer(world: ForumWorld, after: int) -> tuple[threading.Event, threading.Event]:
    """From the `after`th page on nothing is answered until the first event is set; the second tells when that is."""
    go_on, is_reached = threading.Event(), threading.Event()
    seen: list[str] = []

    def before(page: str) -> None:
        seen.append(page)
        if len(seen) >= after:
            is_reached.set()
            go_on.wait(60)

    world.site.before = before
    return go_on, is_reached


def _start(world: ForumWorld) -> BaseProcess:
    return started(crawl_process.main, world.database.dsn, world.base_url)


def test_a_stale_crawler_cannot_move_a_cursor_back(world: ForumWorld):
    """Its lease runs out while it waits for a page; another crawler finishes; then its answer comes."""
    is_taken = threading.Event()

    def before(page: str) -> None:
        if page == "thread 700 3" and not is_taken.is_set():
            is_taken.set()
            world.execute("UPDATE forum.work SET lease_until = now() - interval '1 second'")
            world.crawl()

    world.settings = {"read_seconds": 60}
    world.site.before = before
    stale = crawl(world.database, world.config, Order(look_now=True))
    assert stale.is_drained
    assert world.site.asked["thread 700 3"] == 2
    assert world.site.asked["thread 700 4"] == 1  # the stale one has noticed
    assert_equals_truth(world)
    assert world.rows("SELECT next_page, tail_page FROM forum.work WHERE kind = 'thread' AND key = 700") == [(8, 8)]


def test_an_old_fence_writes_nothing(world: ForumWorld):
    with crawler(world.database, world.config, Scope(), lambda seconds: None) as first:
        first.prepare(Order(look_now=True))
        (unit,) = first.frontier.claim()
        world.execute("UPDATE forum.work SET fence = fence + 1")
        with pytest.raises(LeaseLost):
            first._boards(unit)
    assert world.rows("SELECT * FROM forum.boards") == []


def test_several_crawlers_share_the_work_and_the_rate(database: StatsDatabase, tmp_path: Path):
    """Four crawlers on a few dozen pages: no page twice, and never more requests than the rate allows."""
    rate = 40.0
    forum = small_forum()
    for tid in [tid for tid in forum.threads if tid not in (700, 802, 805)][24:]:
        del forum.threads[tid]
    asked_at: list[float] = []
    site = ForumSite(forum, before=lambda page: asked_at.append(time.monotonic()))
    with served(site, tmp_path) as base_url:
        world = ForumWorld(database, site, base_url, tmp_path, {"requests_per_second": rate})
        with ThreadPoolExecutor(4) as pool:
            order = Order(look_now=True)
            reports = list(pool.map(lambda _: crawl(database, world.config, order), range(4)))
        assert_equals_truth(world)
    assert all(report.is_drained for report in reports)
    threads = {page: count for page, count in site.asked.items() if page.startswith("thread")}
    assert set(threads.values()) == {1}
    assert sum(report.pages > 0 for report in reports) > 1
    asked_at.sort()
    # The last request of any stretch is never earlier than its turn; the first may have been late by a moment.
    for first in range(len(asked_at) - 20):
        assert asked_at[first + 20] - asked_at[first] >= 20 / rate * 0.5
    assert asked_at[-1] - asked_at[0] >= (len(asked_at) - 1) / rate * 0.95


def test_turns_are_never_closer_than_the_rate_allows(database: StatsDatabase):
    """As the database gives them, whoever takes them: what is slept, added up, leaves the distance between turns."""
    turns: list[float] = []
    lock = threading.Lock()

    def take_some(_: int) -> None:
        with database.connection() as connection:
            pace = Pace(connection, "http://x/", 50.0, sleep=lambda seconds: None)
            for _ in range(10):
                with lock:
                    pace.take_turn()
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT extract(epoch FROM next_at)::float FROM forum.pace")
                        turns.append((cursor.fetchone() or (0.0,))[0])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_some, range(4)))
    assert len(turns) == 40
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert min(gaps) >= 1 / 50 - 1e-5


def test_a_forum_that_asks_for_patience_is_asked_half_as_often_by_everybody(database: StatsDatabase):
    with database.connection() as one, database.connection() as other:
        slept: list[float] = []
        Pace(one, "http://x/", 1.0, sleep=slept.append).take_turn()
        Pace(one, "http://x/", 1.0).slow_down(100)
        Pace(other, "http://x/", 1.0, sleep=slept.append).take_turn()
        Pace(other, "http://x/", 1.0, sleep=slept.append).take_turn()
    assert slept[0] >= 99
    assert slept[1] - slept[0] >= 1.9


def test_the_lock_class_is_the_one_the_claims_look_for(world: ForumWorld):
    with crawler(world.database, world.config, Scope(), lambda seconds: None):
        found = world.rows("SELECT classid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2")
    assert (sql.CRAWLERS_LOCK,) in found
