"""What a page costs must not hang on the statistics of the tables, nor on how much is in them."""

from __future__ import annotations

import pytest

from stats_assets.forum import page_sql
from stats_assets.forum.crawl import Order, crawler
from stats_assets.forum.frontier import Scope
from stats_assets.shared.postgres import Cursor, one_row
from tests.forum.world import ForumWorld, assert_equals_truth

_SCANS = """
SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes
WHERE schemaname = 'forum' AND relname IN ('posts', 'post_contents')
"""
_SCANS_FROM_END_TO_END = """
SELECT relname FROM pg_stat_user_tables
WHERE schemaname = 'forum' AND relname IN ('posts', 'post_contents', 'threads', 'users', 'user_names') AND seq_scan > 0
"""


@pytest.mark.parametrize("are_vacuumed", [False, True], ids=["no statistics", "statistics of empty tables"])
def test_plans_made_over_empty_tables_look_up_each_post_once(world: ForumWorld, are_vacuumed: bool):
    """The statements of a crawl are planned at once and run until it ends; no autovacuum comes to the rescue.

    Vacuumed while empty, tables look as if reading them from end to end cost nothing: then any join will do.
    """
    with world.database.session() as cursor:
        for (table,) in world.rows("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'forum'"):
            cursor.execute(f"ALTER TABLE forum.{table} SET (autovacuum_enabled = false)")
        if are_vacuumed:
            cursor.execute("VACUUM (ANALYZE)")
    with crawler(world.database, world.config, Scope(), lambda seconds: None) as each:
        _plan_all_variants(each.frontier.connection.cursor())
        for order in (Order(look_now=True), Order(full_refresh=True)):
            each.prepare(order)
            pages = each.drain(order).pages
    posts = sum(len(thread.posts) for thread in world.forum.readable_threads())
    scans = {index: (scans, rows) for index, scans, rows in world.rows(_SCANS)}
    assert world.rows(_SCANS_FROM_END_TO_END) == []
    for index in ("posts_pkey", "post_contents_pkey"):
        lookups, rows = scans[index]
        assert posts <= lookups < 2 * posts  # by the full refresh, and of the threads that guard a listing
        assert rows == lookups
    assert scans["posts_of_thread"][0] <= pages
    assert scans["posts_of_thread"][1] < 2 * posts
    assert_equals_truth(world)


def _plan_all_variants(cursor: Cursor) -> None:
    nothing = ", ".join(["NULL"] * page_sql.PARAMETERS)
    for is_first in (True, False):
        for has_signers in (True, False):
            cursor.execute(f"EXECUTE {page_sql.page_statement(is_first, has_signers)} ({nothing})")
            assert one_row(cursor)[:2] == (0, 0)
