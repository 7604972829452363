"""The simulated forum's pages: UTF-8 XML as the real one writes it, wrong counters included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from stats_assets.sandbox.forum import PAGE_SIZE, Board, Forum, Post, Thread, User

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
FLAGS = ("closed", "sticky", "important", "announcement", "global")

INVALID_THREAD = (_HEAD + "<invalid-thread/>").encode()
INVALID_BOARD = (_HEAD + "<invalid-board/>").encode()
NO_ACCESS = (_HEAD + "<no-access/>").encode()
ERROR_PAGE = b"""<?xml version="1.0"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>500</title></head><body><p>Something broke.</p></body></html>"""


def boards_page(forum: Forum) -> bytes:
    parts = [f'{_HEAD}<categories count="{len(forum.categories)}">']
    for cid, (name, description) in forum.categories.items():
        boards = [board for board in forum.boards.values() if board.cid == cid]
        parts.append(f'<category id="{cid}">{_text("name", name)}{_text("description", description)}')
        parts.append(f'<boards count="{len(boards)}">')
        parts += [f'<board id="{board.bid}">{_board_head(forum, board)}</board>' for board in boards]
        parts.append("</boards></category>")
    return "".join([*parts, "</categories>"]).encode()


def board_page(forum: Forum, bid: int, page: int) -> bytes:
    board = forum.boards.get(bid)
    if board is None:
        return INVALID_BOARD
    if board.is_closed_to_us:
        return NO_ACCESS
    offset = (page - 1) * PAGE_SIZE
    shown = forum.seen_threads(bid)[offset : offset + PAGE_SIZE]
    threads = "".join(
        f'<thread id="{thread.tid}">{_thread_head(forum, thread)}'
        f"<firstpost>{_small_post(thread.posts[0], thread) if thread.posts else ''}</firstpost></thread>"
        for thread in shown
    )
    return (
        f'{_HEAD}<board id="{bid}">{_board_head(forum, board)}<threads with-stickies="1" with-globals="1"'
        f' page="{page}" offset="{offset}" count="{len(shown)}">{threads}</threads></board>'
    ).encode()


def thread_page(forum: Forum, tid: int, page: int) -> bytes:
    thread = forum.readable(tid)
    if thread is None:
        return INVALID_THREAD
    offset = (page - 1) * PAGE_SIZE
    posts = forum.seen_posts(thread)
    shown = posts[offset : offset + PAGE_SIZE]
    return (
        f'{_HEAD}<thread id="{tid}">{_thread_head(forum, thread)}'
        f"<firstpost>{_small_post(posts[0], thread) if posts else ''}</firstpost>"
        f'<posts page="{page}" offset="{offset}" count="{len(shown)}">{"".join(_post(p, thread) for p in shown)}'
        "</posts></thread>"
    ).encode()


def tags_page(forum: Forum, tid: int) -> bytes:
    """The HTML page that shows a thread's tags: ISO-8859-15, bare ampersands."""
    thread = forum.readable(tid)
    tags = ["R&D", f"tag{tid % 7}"] if thread else []
    links = "".join(f'<a href="?tag={number}&x=1">{tag}</a> ' for number, tag in enumerate(tags))
    return (
        f"<html><body><a href='/'>Foren & mehr</a><form action='thread.php?TID={tid}&set_thread_groups=1'>"
        f"{links}</form></body></html>"
    ).encode("iso-8859-15")


def _board_head(forum: Forum, board: Board) -> str:
    threads = [thread for thread in forum.threads.values() if thread.bid == board.bid]
    replies = sum(_replies(forum, thread) for thread in threads)
    return (
        f"{_text('name', board.name)}{_text('description', board.description)}"
        f'<number-of-threads value="{len(threads)}"/>'
        f'<number-of-replies value="{replies}"/><in-category id="{board.cid}"/>'
    )


def _thread_head(forum: Forum, thread: Thread) -> str:
    replies = _replies(forum, thread)
    flags = "".join(f'<is-{flag} value="{int(flag in thread.flags)}"/>' for flag in FLAGS)
    return (
        f"{_text('title', thread.title)}{_text('subtitle', thread.subtitle)}"
        f'<number-of-replies value="{replies}"/><number-of-hits value="{thread.hits}"/>'
        f'<number-of-pages value="{replies // PAGE_SIZE + 1}"/><flags>{flags}</flags><in-board id="{thread.bid}"/>'
    )


def _replies(forum: Forum, thread: Thread) -> int:
    """Wrong on purpose: removed posts count, and some threads simply claim too few."""
    return max(0, len(forum.seen_posts(thread)) - 1 + thread.removed - (5 if thread.tid % 10 == 3 else 0))


def _post(post: Post, thread: Thread) -> str:
    hidden = ' is-hidden="texthidden"' if post.is_hidden else ""
    icon = f'<icon id="{post.icon_id}"/>' if post.icon_id else ""
    edit = ""
    if post.edit_count and post.edited_by and post.edited_at:
        edit = f"<lastedit>{_user(post.edited_by, with_group=False)}{_date(post.edited_at)}</lastedit>"
    avatar = f'<avatar id="{post.user.avatar_id}">./avatars/{post.user.avatar_id}.gif</avatar>'
    return (
        f'<post id="{post.pid}"{hidden}>{_user(post.user)}{_date(post.posted_at)}{icon}<message>'
        f'<edited count="{post.edit_count}">{edit}</edited>'
        f"{_text('content', '' if post.is_hidden else post.content)}{_text('title', post.title)}</message>"
        f"{avatar if post.user.avatar_id else '<avatar/>'}"
        f'<in-thread id="{thread.tid}"/><in-board id="{thread.bid}"/></post>'
    )


def _small_post(post: Post, thread: Thread) -> str:
    return f'<post>{_user(post.user)}{_date(post.posted_at)}<in-thread id="{thread.tid}"/></post>'


def _user(user: User, with_group: bool = True) -> str:
    group = f' group-id="{user.group_id}"' if with_group and user.group_id is not None else ""
    return f'<user id="{user.uid}"{group}>{_cdata([user.name])}</user>'


def _date(seconds: int) -> str:
    local = datetime.fromtimestamp(seconds, UTC).strftime("%d.%m.%Y %H:%M:%S")
    return f"<date timestamp={quoteattr(str(seconds))}>{escape(local)}</date>"


def _text(name: str, text: str) -> str:
    """An empty element for what PHP takes for false."""
    return f"<{name}/>" if text in ("", "0") else f"<{name}>{_cdata([text])}</{name}>"


def _cdata(texts: Iterable[str]) -> str:
    return "".join(f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>" for text in texts)
