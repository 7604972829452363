"""The simulated forum as it is behind its pages: boards, threads and posts, and what happens to them in an epoch.

How it is shown is in `forum_pages`, how it answers and fails in `forum_site`, how it grows in `forum_growth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

PAGE_SIZE = 30

T = TypeVar("T")

_WORDS = (
    *("and", "the", "forum", "says", "once", "more", "that", "nobody", "reads", "what", "was", "written"),
    *("before", "about", "it", "all", "in", "this", "old", "thread"),
)


@dataclass(frozen=True)
class User:
    """`name` is what posts are signed with from now on; the forum leaves older posts as they were signed."""

    uid: int
    name: str
    group_id: int | None = 3
    avatar_id: int | None = None


@dataclass
class Post:
    """Times are Unix seconds; a post is seen from `posted_at` on."""

    pid: int
    user: User
    posted_at: int
    content: str
    title: str = ""
    icon_id: int | None = None
    edit_count: int = 0
    edited_by: User | None = None
    edited_at: int | None = None
    is_hidden: bool = False


@dataclass
class Thread:
    """`removed` posts are gone but still counted in the number of replies; a ghost is listed but cannot be read."""

    tid: int
    bid: int
    title: str
    posts: list[Post] = field(default_factory=list)
    subtitle: str = ""
    flags: set[str] = field(default_factory=set)
    hits: int = 0
    removed: int = 0
    is_hidden: bool = False
    is_ghost: bool = False


@dataclass
class Board:
    bid: int
    cid: int
    name: str
    description: str = ""
    is_closed_to_us: bool = False


@dataclass
class Forum:
    """Everything there is. `now` gives the Unix second the forum is looked at: later posts are not there yet."""

    seed: int = 1
    categories: dict[int, tuple[str, str]] = field(default_factory=dict)
    boards: dict[int, Board] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    epoch: int = 0
    clock: int = 1_780_000_000  # the second of the newest post made by `add_posts`
    now: Callable[[], int] = lambda: 1 << 40
    _next_pid: int = 1_200_000_000

    def add_board(self, bid: int, cid: int = 1, **more: bool) -> Board:
        self.categories.setdefault(cid, (f"Category {cid}", f"What is in category {cid}"))
        self.boards[bid] = Board(bid, cid, f"Board {bid}", f"All about {bid} & <more>", **more)
        return self.boards[bid]

    def add_user(self, uid: int, group_id: int | None = 3) -> User:
        return self.users.setdefault(uid, User(uid, f"user{uid}", group_id, uid * 10 if uid % 2 else None))

    def add_thread(self, tid: int, bid: int, posts: int, **more: object) -> Thread:
        thread = Thread(tid, bid, f"Thread {tid}", **more)  # type: ignore[arg-type]
        self.threads[tid] = thread
        self.add_posts(thread, posts)
        return thread

    def add_posts(self, thread: Thread, count: int, seconds_apart: int = 600) -> list[Post]:
        """Posts by deterministic users with quotes and links in them; newer than all there is."""
        random = Random(f"{self.seed} {thread.tid} {self._next_pid}")  # noqa: S311 - not for secrets
        added = []
        for _ in range(count):
            self.clock += seconds_apart
            self._next_pid += random.randint(1, 5)
            user = self.add_user(100 + random.randrange(20))
            content = written(random, thread, user)
            added.append(Post(self._next_pid, user, self.clock, content))
            thread.posts.append(added[-1])
        return added

    def seen_posts(self, thread: Thread) -> list[Post]:
        now = self.now()
        return [post for post in thread.posts if post.posted_at <= now]

    def seen_threads(self, bid: int) -> list[Thread]:
        """As a board lists them: globals of every board, stickies, then by last post, newest first."""
        now = self.now()
        listed = [
            (thread, max((post.posted_at for post in thread.posts if post.posted_at <= now), default=0))
            for thread in self.threads.values()
            if not thread.is_hidden and (thread.bid == bid or "global" in thread.flags)
            if not thread.posts or thread.posts[0].posted_at <= now
        ]
        listed.sort(key=lambda each: (_rank(each[0]), -each[1], -each[0].tid))
        return [thread for thread, _ in listed]

    def readable(self, tid: int) -> Thread | None:
        thread = self.threads.get(tid)
        if thread is None or thread.is_hidden or thread.is_ghost or self.boards[thread.bid].is_closed_to_us:
            return None
        return thread if not thread.posts or thread.posts[0].posted_at <= self.now() else None

    def readable_threads(self) -> Iterator[Thread]:
        return (thread for thread in self.threads.values() if self.readable(thread.tid))

    def next_epoch(self) -> None:
        """Things happen: posts, edits, hides, closes, moves, deletions, renames; deterministic by seed and epoch."""
        self.epoch += 1
        random = Random(f"{self.seed} epoch {self.epoch}")  # noqa: S311 - not for secrets
        threads = sorted(self.readable_threads(), key=lambda thread: thread.tid)
        open_boards = [board.bid for board in self.boards.values() if not board.is_closed_to_us]
        for thread in _some(random, threads, 0.1):
            self.add_posts(thread, random.randint(1, 40))
        for post in _some(random, [post for thread in threads for post in thread.posts], 0.02):
            self.edit(post, f"{post.content} [b]edited in epoch {self.epoch}[/b]")
        for post in _some(random, [post for thread in threads for post in thread.posts], 0.005):
            post.is_hidden = not post.is_hidden
        for thread in _some(random, threads, 0.03):
            thread.flags ^= {"closed"}
        for thread in _some(random, threads, 0.03):
            thread.bid = random.choice(open_boards)
        for thread in _some(random, [thread for thread in threads if len(thread.posts) > 3], 0.03):
            self.shrink(thread, random.randint(1, 3))
        for thread in _some(random, threads, 0.03):
            thread.is_hidden = True
        for number in range(2):
            self.add_thread(max(self.threads) + 1 + number, random.choice(open_boards), random.randint(1, 35))
        self.rename(random.choice(sorted(self.users)), f"renamed{self.epoch}")

    def edit(self, post: Post, content: str) -> None:
        self.clock += 1
        post.content = content
        post.edit_count += 1
        post.edited_by, post.edited_at = post.user, self.clock

    def shrink(self, thread: Thread, count: int) -> list[Post]:
        """Removes the last posts; the number of replies goes on counting them. Gives what was removed."""
        removed = thread.posts[len(thread.posts) - count :]
        del thread.posts[len(thread.posts) - count :]
        thread.removed += count
        return removed

    def rename(self, uid: int, name: str) -> None:
        before = self.users[uid]
        self.users[uid] = User(uid, name, before.group_id, before.avatar_id)


def written(random: Random, thread: Thread, user: User) -> str:
    """The BBCode of a new post of the thread."""
    text = " ".join(random.choices(_WORDS, k=random.randint(3, 40)))
    if thread.posts and random.random() < 0.3:
        quoted = random.choice(thread.posts)
        text = f'[quote={thread.tid},{quoted.pid},"{quoted.user.name}"][b]so it was[/b][/quote]\n{text}'
    if random.random() < 0.2:
        text += f" [URL=http://www{random.randrange(5)}.Example.org/{random.randrange(9)}]look[/URL]"
    if random.random() < 0.1:
        text += f" [img]https://pictures.example.net/{random.randrange(50)}.png[/img] ]]> ä € 𝄞"
    return "0" if random.random() < 0.01 else text


def _rank(thread: Thread) -> int:
    return 0 if "global" in thread.flags else 1 if "sticky" in thread.flags else 2


def _some(random: Random, things: list[T], share: float) -> list[T]:
    return random.sample(things, max(1, round(len(things) * share))) if things else []
