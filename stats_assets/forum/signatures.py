"""Who signed a page's posts, summed up per user and name; leaves out what a crawler knows to be stored. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stats_assets.forum.page import Name


class UserSeen(NamedTuple):
    """A user by the newest post of the page; the group by the newest that tells one (`gid_pid` 0: none does)."""

    uid: int
    name: str
    name_pid: int
    gid: int | None
    gid_pid: int
    avid: int | None


class NameSeen(NamedTuple):
    """A name's oldest and newest use, Unix seconds."""

    uid: int
    name: str
    first: int
    last: int


class Signatures:
    """Remembers what has been stored, so that a page sends only what may be new. Bounded: it forgets when full."""

    def __init__(self, most: int = 20_000) -> None:
        self._users: dict[int, UserSeen] = {}
        self._names: dict[tuple[int, str], NameSeen] = {}
        self._avatars: dict[int, str] = {}
        self._most = most

    def new(
        self, names: Sequence[Name], avatars: dict[int, str]
    ) -> tuple[list[UserSeen], list[NameSeen], dict[int, str]]:
        """What of a page is to be stored: users, names, avatars."""
        users, spans = summed(names)
        return (
            [user for uid, user in users.items() if not self._dominates(user, self._users.get(uid))],
            [span for key, span in spans.items() if not _covers(self._names.get(key), span)],
            {avid: path for avid, path in avatars.items() if self._avatars.get(avid) != path},
        )

    def stored(self, users: Sequence[UserSeen], names: Sequence[NameSeen], avatars: dict[int, str]) -> None:
        """To be told after the commit."""
        for memory in (self._users, self._names, self._avatars):
            if len(memory) > self._most:
                memory.clear()
        for user in users:
            before = self._users.get(user.uid)
            if before is None or user.name_pid >= before.name_pid:
                self._users[user.uid] = user
        for span in names:
            before_span = self._names.get((span.uid, span.name), span)
            self._names[span.uid, span.name] = span._replace(
                first=min(span.first, before_span.first), last=max(span.last, before_span.last)
            )
        self._avatars |= avatars

    @staticmethod
    def _dominates(user: UserSeen, known: UserSeen | None) -> bool:
        """Whether what is stored already wins over the user as seen here."""
        if known is None:
            return False
        return user == known or (user.name_pid < known.name_pid and user.gid_pid < known.gid_pid)


def summed(names: Sequence[Name]) -> tuple[dict[int, UserSeen], dict[tuple[int, str], NameSeen]]:
    """The page's users and names, one entry each."""
    newest: dict[int, Name] = {}
    grouped: dict[int, Name] = {}  # by the newest signature that tells a group
    spans: dict[tuple[int, str], NameSeen] = {}
    for signature in names:
        uid, name, at, pid, group_id, _ = signature
        if uid not in newest or pid >= newest[uid].pid:
            newest[uid] = signature
        if group_id is not None and (uid not in grouped or pid >= grouped[uid].pid):
            grouped[uid] = signature
        span = spans.get((uid, name))
        if span is None:
            spans[uid, name] = NameSeen(uid, name, at, at)
        elif not span.first <= at <= span.last:
            spans[uid, name] = NameSeen(uid, name, min(at, span.first), max(at, span.last))
    users = {uid: _seen(signature, grouped.get(uid)) for uid, signature in newest.items()}
    return users, spans


def _seen(newest: Name, grouped: Name | None) -> UserSeen:
    group_id, group_pid = (grouped.group_id, grouped.pid) if grouped else (None, 0)
    return UserSeen(newest.uid, newest.name, newest.pid, group_id, group_pid, newest.avatar_id)


def _covers(known: NameSeen | None, span: NameSeen) -> bool:
    return known is not None and known.first <= span.first and span.last <= known.last
