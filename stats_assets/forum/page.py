"""The forum's XML pages as values, checked against what was asked for: root, ids, counts, page number.

Errors come with status 200 and another root element; three of these are answers (`Absence`), all else is wrong.
Number of replies and of pages are kept, never relied on: the forum counts removed posts.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from xml.etree.ElementTree import Element

from stats_assets.forum.answer import WrongAnswer, read_document

_LARGEST = (1 << 31) - 1
_LATEST_SECOND = 1 << 34  # the year 2514
_LONGEST_NAME = 1000


class Absence(Enum):
    """What the forum says instead of a page; the values are its root elements."""

    NO_ACCESS = "no-access"
    INVALID_BOARD = "invalid-board"
    INVALID_THREAD = "invalid-thread"


class Category(NamedTuple):
    cid: int
    name: str
    description: str


class Board(NamedTuple):
    bid: int
    cid: int
    name: str
    description: str
    est_threads: int
    est_replies: int


class Boards(NamedTuple):
    """The forum's list of boards."""

    categories: list[Category]
    boards: list[Board]
    stripped: int


class Thread(NamedTuple):
    """What listings and the thread's own pages say of a thread."""

    tid: int
    bid: int
    title: str
    subtitle: str
    is_closed: bool
    is_sticky: bool
    is_important: bool
    is_announcement: bool
    is_global: bool
    hit_count: int
    est_replies: int


class Listing(NamedTuple):
    """A page of a board's threads, in the forum's order."""

    threads: list[Thread]
    stripped: int


class Post(NamedTuple):
    """Times are Unix seconds. Hidden and empty posts have no content; the edit fields are empty when unedited."""

    pid: int
    uid: int
    posted: int
    edit_count: int
    edit_uid: int | None
    edited: int | None
    is_hidden: bool
    icon_id: int | None
    title: str
    content: str


class Name(NamedTuple):
    """A user as a post shows them. Editors are known without a group, and rank below every post: pid 0."""

    uid: int
    name: str
    at: int
    pid: int
    group_id: int | None
    avatar_id: int | None


class ThreadPage(NamedTuple):
    """A page of a thread's posts, in the forum's order."""

    thread: Thread
    page: int
    offset: int
    posts: list[Post]
    names: list[Name]
    avatars: dict[int, str]
    stripped: int


def parse_boards(body: bytes) -> Boards:
    """boards.php. Raises WrongAnswer, for an empty list too: a forum without boards is a forum that is broken."""
    document = read_document(body)
    root = _expect(document.root, "categories")
    categories, boards = [], []
    for element in _counted(root, "category"):
        cid = _id(element)
        categories.append(Category(cid, _text(element, "name"), _text(element, "description")))
        boards += [_board(each, cid) for each in _counted(_child(element, "boards"), "board")]
    if not boards:
        raise WrongAnswer("count", "a list of no boards at all")
    return Boards(categories, boards, document.stripped)


def parse_listing(body: bytes, bid: int, page: int) -> Listing | Absence:
    """board.php for a board and page. Raises WrongAnswer."""
    document = read_document(body)
    root = document.root
    if root.tag in (Absence.NO_ACCESS.value, Absence.INVALID_BOARD.value):
        return Absence(root.tag)
    _expect(root, "board", bid)
    threads = _child(root, "threads")
    _expect_page(threads, page)
    return Listing([_thread(each) for each in _counted(threads, "thread")], document.stripped)


def parse_thread(body: bytes, tid: int, page: int, page_size: int) -> ThreadPage | Absence:
    """thread.php for a thread and page. Raises WrongAnswer."""
    document = read_document(body)
    root = document.root
    if root.tag in (Absence.INVALID_THREAD.value, Absence.NO_ACCESS.value):
        return Absence(root.tag)
    _expect(root, "thread", tid)
    element = _child(root, "posts")
    _expect_page(element, page)
    offset = _number(element, "offset")
    if offset != (page - 1) * page_size:
        raise WrongAnswer("page", f"offset {offset} on page {page}; is forum.page_size really {page_size}?")
    found = _counted(element, "post")
    if len(found) > page_size:
        raise WrongAnswer("count", f"{len(found)} posts on a page of {page_size}")
    names: list[Name] = []
    avatars: dict[int, str] = {}
    posts = _posts(found, tid, names, avatars)
    return ThreadPage(_thread(root), page, offset, posts, names, avatars, document.stripped)


def _board(element: Element, cid: int) -> Board:
    threads, replies = (_value(element, f"number-of-{what}") for what in ("threads", "replies"))
    return Board(_id(element), cid, _text(element, "name"), _text(element, "description"), threads, replies)


def _thread(element: Element) -> Thread:
    flags = _child(element, "flags")
    closed, sticky, important, announcement, is_global = (
        _value(flags, f"is-{flag}") != 0 for flag in ("closed", "sticky", "important", "announcement", "global")
    )
    return Thread(
        tid=_id(element),
        bid=_id(_child(element, "in-board")),
        title=_text(element, "title"),
        subtitle=_text(element, "subtitle"),
        is_closed=closed,
        is_sticky=sticky,
        is_important=important,
        is_announcement=announcement,
        is_global=is_global,
        hit_count=_value(element, "number-of-hits"),
        est_replies=_value(element, "number-of-replies"),
    )


def _post(element: Element, tid: int, names: list[Name], avatars: dict[int, str]) -> Post:
    """Written for speed, it is called for every post: numbers are read here and checked in `_check_posts`."""
    home = element.find("in-thread")
    if home is not None and int(home.get("id", "")) != tid:
        raise WrongAnswer("id", f"a post of thread {home.get('id')} in thread {tid}")
    find = element.find
    user, message = find("user"), find("message")
    if user is None or message is None:
        raise WrongAnswer("value", "a post without <user> or <message>")
    pid, uid = int(element.get("id", "")), int(user.get("id", ""))
    posted = int(_child(element, "date").get("timestamp", ""))
    edited = message.find("edited")
    edit_count = int(edited.get("count", "")) if edited is not None else 0
    edit_uid, edited_at = _last_edit(edited, names) if edited is not None and edit_count else (None, None)
    icon, avatar, group = find("icon"), find("avatar"), user.get("group-id")
    icon_id = icon.get("id") if icon is not None else None
    avatar_id = int(avatar.get("id") or 0) if avatar is not None else 0
    if avatar is not None and avatar_id:
        avatars[avatar_id] = (avatar.text or "")[:_LONGEST_NAME]
    name = (user.text or "")[:_LONGEST_NAME]
    names.append(Name(uid, name, posted, pid, int(group) if group else None, avatar_id or None))
    is_hidden, icon_id = element.get("is-hidden") is not None, int(icon_id) if icon_id else None
    title, content = message.findtext("title") or "", message.findtext("content") or ""
    return Post(pid, uid, posted, edit_count, edit_uid, edited_at, is_hidden, icon_id, title, content)


def _last_edit(edited: Element, names: list[Name]) -> tuple[int | None, int | None]:
    """The last editor and the second of the edit."""
    last = edited.find("lastedit")
    if last is None:
        return None, None
    user = _child(last, "user")
    uid, at = int(user.get("id", "")), int(_child(last, "date").get("timestamp", ""))
    names.append(Name(uid, (user.text or "")[:_LONGEST_NAME], at, 0, None, None))
    return uid, at


def _posts(elements: list[Element], tid: int, names: list[Name], avatars: dict[int, str]) -> list[Post]:
    try:
        posts = [_post(each, tid, names, avatars) for each in elements]
    except ValueError as error:
        raise WrongAnswer("value", f"in a post of thread {tid}: {error}") from error
    if posts:
        _check_posts(posts, names, avatars)
    return posts


def _check_posts(posts: list[Post], names: list[Name], avatars: dict[int, str]) -> None:
    """All numbers are such as the tables hold, and no post is there twice."""
    pids, uids, posted, edit_counts, edit_uids, edited, _, icons, _, _ = zip(*posts, strict=True)
    groups = [name.group_id or 0 for name in names]
    ids = (*pids, *uids, *edit_counts, *avatars, *groups, *filter(None, edit_uids), *filter(None, icons))
    if not (min(ids) >= 0 and max(ids) <= _LARGEST):
        raise WrongAnswer("value", f"a number out of range, {min(ids)} or {max(ids)}")
    seconds = (*posted, *filter(None, edited))
    if not (min(seconds) >= 0 and max(seconds) <= _LATEST_SECOND):
        raise WrongAnswer("value", f"a time out of range, {min(seconds)} or {max(seconds)}")
    if len(set(pids)) != len(pids):
        raise WrongAnswer("id", "the same post twice on a page")


def _expect(root: Element, tag: str, wanted: int | None = None) -> Element:
    if root.tag != tag:
        raise WrongAnswer("root", f"<{str(root.tag)[:80]}> instead of <{tag}>")
    if wanted is not None and _id(root) != wanted:
        raise WrongAnswer("id", f"{tag} {root.get('id')} instead of {wanted}")
    return root


def _expect_page(element: Element, page: int) -> None:
    if _number(element, "page") != page:
        raise WrongAnswer("page", f"page {element.get('page')} instead of {page}")


def _counted(parent: Element, tag: str) -> list[Element]:
    found = parent.findall(tag)
    if _number(parent, "count") != len(found):
        raise WrongAnswer("count", f"{parent.tag} says {parent.get('count')} and holds {len(found)}")
    return found


def _child(parent: Element, tag: str) -> Element:
    found = parent.find(tag)
    if found is None:
        raise WrongAnswer("value", f"<{parent.tag}> without <{tag}>")
    return found


def _text(parent: Element, tag: str) -> str:
    found = parent.find(tag)
    return (found.text or "") if found is not None else ""


def _value(parent: Element, tag: str) -> int:
    return _number(_child(parent, tag), "value")


def _id(element: Element) -> int:
    return _number(element, "id")


def _number(element: Element, attribute: str) -> int:
    text = element.get(attribute, "")
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= _LARGEST:
        raise WrongAnswer("value", f"{element.tag}@{attribute} is {text[:40]!r}")
    return number
