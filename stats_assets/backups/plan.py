"""Which backups are kept and which go. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True)
class Keep:
    """Of how many days, weeks and months that have a backup the newest one is kept."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12


@dataclass(frozen=True)
class Retention:
    """Names of backups: kept, with the reasons; and to be removed, oldest first."""

    kept: dict[str, tuple[str, ...]]
    removed: tuple[str, ...]


def backup_name(begun_at: datetime) -> str:
    """The name of a backup, which is the UTC second it was begun: 2026-05-20T013000Z. Sorts by time."""
    return begun_at.astimezone(UTC).strftime(_NAME)


def begun_at(name: str) -> datetime | None:
    """When the backup of this name was begun; None when it is not the name of one."""
    try:
        found = datetime.strptime(name, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if backup_name(found) == name else None  # strptime takes other spellings, too


def retention(names: Iterable[str], keep: Keep) -> Retention:
    """What is kept of these whole backups; names that are none are neither kept nor removed.

    Days, weeks (from Monday) and months are counted only when they have a backup: after a month without backups the
    old ones are still there. The newest backup is always kept. The same names give the same answer whenever asked,
    and to plan again after removing removes nothing.
    """
    instants = {name: instant for name in names if (instant := begun_at(name))}
    newest_first = sorted(instants, reverse=True)
    reasons: dict[str, list[str]] = {name: [] for name in newest_first}
    for name in newest_first[:1]:
        reasons[name].append("newest")
    for word, count, period in (
        ("day", keep.daily, lambda at: at.date()),
        ("week", keep.weekly, lambda at: at.isocalendar()[:2]),
        ("month", keep.monthly, lambda at: (at.year, at.month)),
    ):
        for name in _newest_of_each(newest_first, count, lambda name, period=period: period(instants[name])):
            reasons[name].append(word)
    kept = {name: tuple(found) for name, found in reasons.items() if found}
    return Retention(kept, tuple(sorted(instants.keys() - kept.keys())))


def _newest_of_each(newest_first: list[str], count: int, period: Callable[[str], object]) -> list[str]:
    newest: dict[object, str] = {}
    for name in newest_first:
        newest.setdefault(period(name), name)
    return list(newest.values())[:count]
