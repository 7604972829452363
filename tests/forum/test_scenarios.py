"""The situations a crawl must survive, each against the simulated forum; real kills are in test_killing."""

from __future__ import annotations

from typing import Any

import pytest

from stats_assets.sandbox.forum_site import Faults
from tests.forum.world import ForumWorld, assert_equals_truth

_END_CRAWLERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND classid = 1179603541
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def stopped(world: ForumWorld, page: str, after: int = 1, **order: Any) -> None:
    """A crawl that dies when the forum is asked for pages that begin so, at the `after`th of them."""
    seen: list[str] = []

    def before(asked: str) -> None:
        if asked.startswith(page):
            seen.append(asked)
            if len(seen) == after:
                world.execute(_END_CRAWLERS)

    world.site.before = before
    with pytest.raises(Exception, match="went away"):
        world.crawl(**order)
    world.site.before = lambda page: None
    assert len(seen) >= after


def ever_seen(world: ForumWorld) -> tuple[set[int], set[int]]:
    pids = {pid for (pid,) in world.rows("SELECT pid FROM forum.posts")}
    return pids, {tid for (tid,) in world.rows("SELECT tid FROM forum.threads")}


def test_clean_full_crawl(world: ForumWorld):
    report = world.crawl()
    assert_equals_truth(world)
    assert world.due() == 0
    assert set(world.site.asked.values()) == {1}
    assert report.pages == sum(world.site.asked.values()) == report.requests
    assert str(report).startswith("complete, 0 parked")
    assert world.rows("SELECT bid, state FROM forum.boards WHERE state <> 'live'") == [(99, "no_access")]


def test_re_run_without_change(world: ForumWorld):
    world.crawl()
    before = world.versions()
    world.crawl()
    world.crawl(full_refresh=True)
    assert world.versions() == before
    assert world.one("SELECT count(*) FROM forum.post_revisions") == 0


def test_kill_9_in_board_listing(world: ForumWorld):
    stopped(world, "board ", after=2)
    assert world.one("SELECT count(*) FROM forum.threads") > 0
    world.crawl(look_now=False)
    listed = {page: count for page, count in world.site.asked.items() if page.startswith("board ")}
    assert set(listed.values()) == {1}
    assert "board 14 1" not in listed  # the page that was stored before the kill
    assert_equals_truth(world)


def test_kill_9_in_update_discovery(world: ForumWorld):
    world.crawl()
    seen = ever_seen(world)
    world.forum.next_epoch()
    world.crawl()
    world.forum.next_epoch()
    stopped(world, "board ", after=2)
    world.crawl(full_refresh=True)
    assert_equals_truth(world)
    after = ever_seen(world)
    assert seen[0] <= after[0] and seen[1] <= after[1]


def test_kill_9_inside_a_60_page_thread(world: ForumWorld):
    world.forum.add_thread(600, 38, 60 * 30)
    stopped(world, "thread 600", after=40)
    assert world.rows("SELECT next_page FROM forum.work WHERE kind = 'thread' AND key = 600") == [(40,)]
    world.crawl()
    pages = {int(page.split()[2]) for page in world.site.asked if page.startswith("thread 600 ")}
    assert pages == set(range(40, 62))
    assert_equals_truth(world)


def test_transient_500_with_well_formed_html_body_on_thread_pages(world: ForumWorld):
    report = world.crawl(faults=Faults(shares={"error_500": 0.2}))
    assert report.retries > 5
    assert_equals_truth(world)


def test_transient_500_on_boards_php(world: ForumWorld):
    report = world.crawl(faults=Faults(named={"boards": "error_500"}, times=4))
    assert (report.retries, report.failures, report.parked) == (4, 1, 0)
    assert_equals_truth(world)


def test_an_empty_list_of_boards_is_an_error(world: ForumWorld):
    world.crawl()
    full = world.forum.categories
    world.forum.categories = {}
    report = world.crawl()
    assert report.parked == 1
    assert world.one("SELECT count(*) FROM forum.boards WHERE state = 'gone'") == 0
    assert "no boards at all" in world.one("SELECT found FROM forum.quarantine WHERE kind = 'boards'")
    world.forum.categories = full
    assert world.crawl().is_drained  # lists are asked again without being told to
    assert_equals_truth(world)


def test_429_with_retry_after(world: ForumWorld):
    world.settings = {"requests_per_second": 500}
    report = world.crawl(faults=Faults(named={"thread 700 3": "too_many"}, retry_after_seconds=1))
    assert report.seconds >= 1
    assert (report.retries, report.failures) == (1, 0)
    assert world.one("SELECT slowdown FROM forum.pace") == 2
    assert_equals_truth(world)


def test_connection_reset(world: ForumWorld):
    report = world.crawl(faults=Faults(shares={"dropped": 0.1, "reset": 0.1}))
    assert report.retries > 5
    assert_equals_truth(world)


def test_truncated_xml(world: ForumWorld):
    report = world.crawl(faults=Faults(shares={"truncated": 0.3}, kinds=("boards", "board", "thread")))
    assert report.retries > 5
    assert_equals_truth(world)


def test_nul_bytes(world: ForumWorld):
    report = world.crawl(faults=Faults(shares={"control": 1}, times=1_000_000))
    assert report.stripped > 1000
    assert report.retries == 0
    assert_equals_truth(world)


def test_html_error_page_with_status_200(world: ForumWorld):
    report = world.crawl(faults=Faults(shares={"html_200": 0.2}))
    assert report.retries > 5
    assert_equals_truth(world)


def test_thread_deleted_between_discovery_and_posts(world: ForumWorld):
    def delete(page: str) -> None:
        if page == "thread 700 5":
            world.forum.threads[700].is_hidden = True
        if page.startswith("board 25"):
            world.forum.threads[803].is_hidden = True

    world.site.before = delete
    world.crawl()
    gone = world.rows("SELECT tid, state, last_seen_at IS NOT NULL FROM forum.threads WHERE tid = 700")
    assert gone == [(700, "gone", True)]
    assert world.one("SELECT count(*) FROM forum.posts WHERE tid = 700 AND state = 'gone'") == 120
    assert_equals_truth(world)


def test_ghost_thread_is_read_once_and_holds_up_nothing(world: ForumWorld):
    world.forum.threads[805].is_ghost = True
    world.crawl()
    assert_equals_truth(world)
    world.crawl()
    assert world.site.asked["thread 805 1"] == 0
    world.forum.threads[805].is_ghost = False
    world.crawl(full_refresh=True)
    assert_equals_truth(world)


def test_thread_shrinks(world: ForumWorld):
    world.crawl()
    for tid, count in ((700, 25), (804, 30), (801, 3), (800, 1)):
        world.forum.shrink(world.forum.threads[tid], count)
    before = ever_seen(world)
    world.crawl(full_refresh=True)
    assert world.one("SELECT count(*) FROM forum.posts WHERE state = 'gone'") == 59
    assert ever_seen(world) == before
    assert_equals_truth(world)


def test_posts_removed_from_the_middle_are_seen_when_the_thread_grows(world: ForumWorld):
    world.crawl()
    thread = world.forum.threads[700]
    del thread.posts[3:24]
    world.forum.add_posts(thread, 12)
    world.crawl()
    assert world.one("SELECT count(*) FROM forum.posts WHERE state = 'gone'") == 21
    assert_equals_truth(world)


def test_posts_removed_before_a_full_last_page_are_seen_when_the_thread_grows(world: ForumWorld):
    world.crawl()
    thread = world.forum.threads[804]  # of 60 posts
    del thread.posts[3:6]
    world.forum.add_posts(thread, 5)
    world.crawl()
    assert_equals_truth(world)


def test_post_hidden_and_unhidden(world: ForumWorld):
    world.crawl()
    post = world.forum.threads[700].posts[17]
    post.is_hidden = True
    world.crawl(full_refresh=True)
    assert_equals_truth(world)
    text = world.rows("SELECT content, is_hidden FROM forum.post_revisions WHERE pid = %(pid)s", {"pid": post.pid})
    assert text == [(post.content, False)]
    post.is_hidden = False
    world.crawl(full_refresh=True)
    assert_equals_truth(world)
    assert world.one("SELECT n_revisions FROM forum.posts WHERE pid = %(pid)s", {"pid": post.pid}) == 2


def test_hidden_thread(world: ForumWorld):
    world.forum.threads[700].is_hidden = True
    world.crawl()
    assert world.one("SELECT count(*) FROM forum.threads WHERE tid = 700") == 0
    assert_equals_truth(world)


def test_thread_moved_to_another_board(world: ForumWorld):
    world.crawl()
    world.forum.threads[700].bid = 38
    world.crawl(full_refresh=True)
    assert world.rows("SELECT bid, count(*) FROM forum.threads WHERE tid = 700 GROUP BY bid") == [(38, 1)]
    assert_equals_truth(world)


def test_posts_split_off_into_a_new_thread(world: ForumWorld):
    """The new thread's first reading finds posts that are stored already, and everything else new."""
    world.crawl()
    old, new = world.forum.threads[804], world.forum.add_thread(1700, 38, 1)
    new.posts, old.posts = old.posts[20:] + new.posts, old.posts[:20]
    world.crawl()
    assert world.one("SELECT count(*) FROM forum.posts WHERE tid = 1700 AND state = 'live'") == len(new.posts)
    world.crawl(full_refresh=True)
    assert_equals_truth(world)


def test_no_access_board(world: ForumWorld):
    world.forum.add_thread(650, 99, 3)
    world.crawl()
    world.crawl()
    assert world.rows("SELECT name, state FROM forum.boards WHERE bid = 99") == [("Board 99", "no_access")]
    world.forum.boards[99].is_closed_to_us = False
    world.crawl(full_refresh=True)
    assert world.rows("SELECT state FROM forum.boards WHERE bid = 99") == [("live",)]
    assert_equals_truth(world)


def test_board_removed_and_back(world: ForumWorld):
    world.crawl()
    board = world.forum.boards.pop(38)
    for thread in list(world.forum.threads.values()):
        if thread.bid == 38:
            thread.is_hidden = True
    world.crawl()
    assert world.rows("SELECT state FROM forum.boards WHERE bid = 38") == [("gone",)]
    assert_equals_truth(world)
    world.forum.boards[38] = board
    world.crawl()
    assert world.rows("SELECT state FROM forum.boards WHERE bid = 38") == [("live",)]


def test_local_clock_goes_backwards(world: ForumWorld, monkeypatch: pytest.MonkeyPatch):
    import time

    world.crawl()
    world.forum.next_epoch()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    world.crawl(full_refresh=True)
    assert_equals_truth(world)
    assert world.one("SELECT count(*) FROM forum.work WHERE lease_owner IS NOT NULL") == 0


def test_edit_counter_reset_to_0(world: ForumWorld):
    thread = world.forum.threads[700]
    for post in thread.posts[-2:]:
        world.forum.edit(post, "edited")
    world.crawl()
    assert world.one("SELECT count(*) FROM forum.posts WHERE last_edit_uid IS NOT NULL") == 2
    for post in thread.posts:
        post.edit_count = 0
    world.crawl(full_refresh=True)
    assert world.one("SELECT count(*) FROM forum.posts WHERE edit_count > 0 OR last_edit_at IS NOT NULL") == 0
    assert_equals_truth(world)


@pytest.mark.parametrize("posts", [29, 30, 31, 60])
def test_pages_boundary(world: ForumWorld, posts: int):
    world.forum.threads.clear()
    thread = world.forum.add_thread(500, 14, posts)
    world.crawl()
    assert world.site.asked["thread 500 1"] == 1
    assert_equals_truth(world)
    world.crawl()
    tail = f"thread 500 {posts // 30 + 1}"
    assert {page: n for page, n in world.site.asked.items() if page.startswith("thread")} == {tail: 1}
    world.forum.add_posts(thread, 1)
    world.crawl()
    assert_equals_truth(world)
    assert sum(n for page, n in world.site.asked.items() if page.startswith("thread")) <= 4


def test_number_of_replies_lies(world: ForumWorld):
    for thread in world.forum.threads.values():
        thread.removed = 1000 - len(thread.posts)  # every thread always claims the same
    world.crawl()
    assert_equals_truth(world)
    for tid in (700, 801, 906, 907):
        world.forum.add_posts(world.forum.threads[tid], 3)
        world.forum.threads[tid].removed -= 3
    world.crawl()
    assert_equals_truth(world)


def test_rename(world: ForumWorld):
    world.crawl()
    uid = world.forum.threads[700].posts[-1].user.uid
    world.forum.rename(uid, "Born Again")
    grown = world.forum.threads[700]
    while grown.posts[-1].user.name != "Born Again":
        world.forum.add_posts(grown, 1)
    world.crawl()
    assert world.one("SELECT name FROM forum.users WHERE uid = %(uid)s", {"uid": uid}) == "Born Again"
    names = world.rows(
        "SELECT name, first_seen_at < last_seen_at OR name = 'Born Again' FROM forum.user_names"
        " WHERE uid = %(uid)s ORDER BY first_seen_at",
        {"uid": uid},
    )
    assert names == [(f"user{uid}", True), ("Born Again", True)]
    assert_equals_truth(world)


def test_closed_and_opened_threads_are_seen(world: ForumWorld):
    world.crawl()
    for tid in (700, 801, 908):
        world.forum.threads[tid].flags ^= {"closed"}
    world.crawl(full_refresh=True)
    assert_equals_truth(world)


def test_everything_at_once_over_three_epochs(world: ForumWorld):
    for _ in range(3):
        world.crawl(full_refresh=True)
        world.forum.next_epoch()
    seen = ever_seen(world)
    world.crawl(full_refresh=True)
    assert_equals_truth(world)
    assert seen[0] <= ever_seen(world)[0]


def test_new_posts_are_found_without_reading_old_pages(world: ForumWorld):
    world.crawl()
    for tid in (803, 905):
        world.forum.add_posts(world.forum.threads[tid], 2)
    world.crawl()
    assert_equals_truth(world)
    assert sum(world.site.asked.values()) < 20


def test_all_faults_together(world: ForumWorld):
    shares = {"error_500": 0.04, "dropped": 0.03, "truncated": 0.03, "hanging": 0.01}
    for number in range(120):
        world.forum.add_thread(2000 + number, 14, 20)
    report = world.crawl(faults=Faults(shares=shares, hanging_seconds=1.0))  # type: ignore[arg-type]
    assert report.retries > 8
    assert (report.parked, report.is_drained) == (0, True)
    assert_equals_truth(world)


def test_a_poison_page_is_parked_and_everything_else_is_read(world: ForumWorld):
    poison: dict[str, Any] = {"thread 700 4": "truncated", "thread 803 1": "error_500", "board 38 1": "html_200"}
    report = world.crawl(faults=Faults(named=poison, times=1_000_000))
    assert (report.parked, report.is_drained) == (3, True)
    assert str(report).startswith("complete, 3 parked")
    found = world.rows(
        "SELECT kind, key, page, status, reason, length(body_sample) > 50 FROM forum.quarantine ORDER BY 1, 2"
    )
    assert found == [
        ("listing", 38, 1, 200, "root", True),
        ("thread", 700, 4, 200, "not_xml", True),
        ("thread", 803, 1, 500, "status", True),
    ]
    assert world.one("SELECT count(*) FROM forum.posts WHERE tid = 700") == 90
    assert world.crawl(retry_parked=True).parked == 0
    assert_equals_truth(world)


def test_a_forum_that_is_away_ends_the_run_and_parks_nothing(world: ForumWorld):
    world.crawl()
    before = world.versions()
    away = ForumWorld(world.database, world.site, "http://127.0.0.1:9/forum/", world.folder)
    with pytest.raises(Exception, match="failed 13 times in a row") as told:
        away.crawl(full_refresh=True)
    assert "\n" not in str(told.value)
    assert world.one("SELECT count(*) FROM forum.work WHERE parked_at IS NOT NULL OR attempts > 0") == 0
    assert world.versions() == before
    world.crawl(full_refresh=True)
    assert world.due() == 0


def test_tags_are_read_once_per_thread(world: ForumWorld):
    world.settings = {"tags": True}
    world.crawl()
    world.crawl()
    assert not any(page.startswith("tags") for page in world.site.asked)
    assert world.rows("SELECT tags FROM forum.threads WHERE tid = 700") == [(["R&D", "tag0"],)]
    assert world.one("SELECT count(*) FROM forum.threads WHERE tags IS NULL") == 0


def test_only_the_boards_of_the_configuration_are_read(world: ForumWorld):
    world.settings = {"boards": [38, 25]}
    world.crawl()
    assert {bid for (bid,) in world.rows("SELECT bid FROM forum.work WHERE kind = 'listing'")} == {25, 38}
    assert not any(page.startswith("board 14") for page in world.site.asked)


def test_a_time_box_ends_a_crawl_and_the_next_goes_on(world: ForumWorld):
    world.site.before = lambda page: __import__("time").sleep(0.01)
    boxes = 0
    while not (report := world.crawl(until_done=False, look_now=False, box_seconds=0.15)).is_drained:
        boxes += 1
        assert "time is up" in str(report)
        assert boxes < 200
    assert boxes > 2
    assert_equals_truth(world)
