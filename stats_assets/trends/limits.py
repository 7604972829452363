"""How much of anything a log may have. What has more is none."""

from __future__ import annotations

from typing import TypeVar

from stats_assets.trends.reasons import BadLog

MAX_LOG_BYTES = 16 * 1024 * 1024  # the largest seen have 1 MB
MAX_NAME = 200  # characters of a map's or weapon's name, which are keys
_MAX_ITEMS = 32_000  # of rounds, players, chat: what a smallint counts

T = TypeVar("T")


def bounded(section: str, items: list[T] | None) -> list[T]:
    """The items of a section, none where it is absent. Raises BadLog when they are too many."""
    if items and len(items) > _MAX_ITEMS:
        raise BadLog("too_many", f"{section} has {len(items)} entries; at most {_MAX_ITEMS}")
    return items or []


def short(what: str, name: str) -> str:
    """The name. Raises BadLog when it is too long to be one."""
    if len(name) > MAX_NAME:
        raise BadLog("too_long", f"{what} has a name of {len(name)} characters; at most {MAX_NAME}")
    return name
