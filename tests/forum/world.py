"""A served forum, a database to copy it into, and the truth to compare the copy with."""

from __future__ import annotations

import csv
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stats_assets.forum.config import ForumConfig
from stats_assets.forum.crawl import Order, crawl
from stats_assets.forum.export import export
from stats_assets.forum.report import Report
from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.forum import Forum
from stats_assets.sandbox.forum_site import Faults, ForumSite
from stats_assets.sandbox.server import SandboxServer
from stats_assets.sandbox.world import World
from stats_assets.shared.postgres import StatsDatabase

# Rows of which a rerun without change must leave every version as it is.
TABLES = (
    *("categories", "boards", "threads", "posts", "post_contents", "post_revisions"),
    *("users", "user_names", "avatars"),
)


@dataclass
class ForumWorld:
    """What a test plays with."""

    database: StatsDatabase
    site: ForumSite
    base_url: str
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    @property
    def forum(self) -> Forum:
        return self.site.forum

    @property
    def config(self) -> ForumConfig:
        quick = {"requests_per_second": None, "retry_seconds": 0.02, "read_seconds": 0.5, "outage_seconds": 0.05}
        return ForumConfig(base_url=self.base_url, **(quick | self.settings))

    def crawl(self, *, faults: Faults | None = None, **order: Any) -> Report:
        """A crawl that looks at the listings now; `asked` counts only its requests."""
        self.site.faults = faults or Faults()
        self.site.asked.clear()
        return crawl(self.database, self.config, Order(**{"look_now": True, **order}))  # type: ignore[arg-type]

    def rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self.database.transaction() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def one(self, statement: str, parameters: dict[str, Any] | None = None) -> Any:
        return self.rows(statement, parameters)[0][0]

    def execute(self, statement: str) -> None:
        with self.database.transaction() as cursor:
            cursor.execute(statement)

    def versions(self) -> dict[str, list[tuple[Any, ...]]]:
        """Which transaction wrote each row: equal when nothing has been written."""
        return {table: sorted(self.rows(f"SELECT ctid::text, xmin::text FROM forum.{table}")) for table in TABLES}

    def exported(self) -> dict[str, list[list[str]]]:
        return {path.stem: read_csv(path) for path in export(self.database, self.folder / "export")}

    def due(self) -> int:
        return self.one("SELECT count(*) FROM forum.work WHERE next_try_at <= now() AND parked_at IS NULL")


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@contextmanager
def served(site: ForumSite, folder: Path) -> Iterator[str]:
    """The site's base URL."""
    server = SandboxServer(0, DayFiles(folder, World(1, 20)), sites={"forum": site})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/forum/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def small_forum(seed: int = 3) -> Forum:
    """Four boards, one closed to us; threads around the ends of pages; a thread of eight pages, a sticky, a global."""
    forum = Forum(seed=seed)
    for bid in (14, 25, 38):
        forum.add_board(bid, cid=1 + bid % 2)
    forum.add_board(99, is_closed_to_us=True)
    forum.add_thread(700, 14, 230)
    for number, posts in enumerate((1, 29, 30, 31, 60, 61, 5, 12, 90)):
        forum.add_thread(800 + number, 25, posts)
    for number in range(34):
        forum.add_thread(900 + number, (14, 25)[number % 2], 1 + number % 9)
    forum.add_thread(990, 14, 4, flags={"sticky"})
    forum.add_thread(991, 25, 3, flags={"global", "sticky", "announcement"})
    return forum


def as_flag(value: bool) -> str:
    return "t" if value else "f"


def second(unix: int | None) -> str:
    return "" if unix is None else datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")


def true_posts(forum: Forum) -> list[list[str]]:
    """posts.csv as it should be, without header, n_revisions and state."""
    rows = []
    for thread in forum.readable_threads():
        for post in thread.posts:
            text = "" if post.is_hidden or post.content == "0" else post.content
            rows.append(
                [
                    *(str(post.pid), str(thread.tid), str(post.user.uid), second(post.posted_at)),
                    *(str(post.edit_count), second(post.edited_at if post.edit_count else None)),
                    *(as_flag(post.is_hidden), str(len(text)), hashlib.md5(text.encode()).hexdigest()),
                ]
            )
    return sorted(rows, key=lambda row: int(row[0]))


def true_threads(forum: Forum) -> list[list[str]]:
    """threads.csv as it should be, without header and state."""
    rows = []
    for thread in forum.readable_threads():
        flags = ("closed", "sticky", "important", "announcement", "global")
        ends = [str(thread.posts[0].pid), str(thread.posts[-1].pid)] if thread.posts else ["", ""]
        rows.append(
            [
                *(str(thread.tid), str(thread.bid), thread.title, thread.subtitle),
                *(as_flag(flag in thread.flags) for flag in flags),
                *(*ends, str(len(thread.posts))),
            ]
        )
    return sorted(rows, key=lambda row: int(row[0]))


def assert_equals_truth(world: ForumWorld) -> None:
    """Live rows are exactly what the forum shows."""
    exported = world.exported()
    forum = world.forum
    assert [row[:9] for row in exported["posts"][1:] if row[10] == "live"] == true_posts(forum)
    assert [row[:12] for row in exported["threads"][1:] if row[12] == "live"] == true_threads(forum)
    boards = [
        [str(b.bid), str(b.cid), b.name, b.description] for b in sorted(forum.boards.values(), key=lambda b: b.bid)
    ]
    assert [row for row in exported["boards"][1:] if int(row[0]) in forum.boards] == boards
    writers = {post.user.uid: post.user.group_id for t in forum.readable_threads() for post in t.posts}
    users = {int(uid): gid for uid, gid in exported["users"][1:]}
    assert {uid: str(gid) if gid is not None else "" for uid, gid in writers.items()}.items() <= users.items()
