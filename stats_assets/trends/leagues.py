"""Matches, memberships and demos, whoever tells of them. Reading them is `etf2l`, `rgl` and `demos`.

A line that cannot be read raises Unreadable; whoever reads many leaves it out and counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import orjson

League = Literal["etf2l", "rgl"]
Answer = Mapping[str, Any]
Item = TypeVar("Item")


class Unreadable(Exception):
    """This piece of an answer is not what it should be; the message says which and what was found."""


@dataclass(frozen=True)
class Match:
    """A match between two teams; `team1` has the smaller id."""

    league: League
    matchid: int
    competition: str
    division: str
    round: str
    format: str
    team1: int
    team2: int
    names: tuple[str, str]
    score1: float
    score2: float
    is_forfeit: bool
    maps: tuple[str, ...]
    scheduled_at: datetime


@dataclass(frozen=True, order=True)
class Membership:
    """A player's time in a team, from `joined_at` to before `left_at`; None: to this day."""

    steamid64: int
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True)
class Demo:
    """A demo of one game."""

    demoid: int
    played_at: datetime
    duration_seconds: int
    url: str
    server: str
    map: str
    red_name: str
    blue_name: str
    red_score: int
    blue_score: int
    players: tuple[int, ...]


def in_order(
    teams: tuple[int, int], names: tuple[str, str], scores: tuple[float, float]
) -> tuple[tuple[int, int], tuple[str, str], tuple[float, float]]:
    """The sides by team id. Raises Unreadable for a team that plays itself."""
    if teams[0] == teams[1]:
        raise Unreadable(f"team {teams[0]} against itself")
    if teams[0] < teams[1]:
        return teams, names, scores
    return (teams[1], teams[0]), (names[1], names[0]), (scores[1], scores[0])


def memberships(events: Iterable[tuple[int, datetime, bool]]) -> list[Membership]:
    """Times in a team from (player, when, has joined) in any order.

    A second joining without leaving changes nothing; a leaving without a joining is of a time we know nothing of.
    """
    found: list[Membership] = []
    since: dict[int, datetime] = {}
    for player, at, has_joined in sorted(events, key=lambda event: (event[1], event[2])):
        if has_joined:
            since.setdefault(player, at)
        elif player in since and since[player] < at:
            found.append(Membership(player, since.pop(player), at))
        else:
            since.pop(player, None)
    found += [Membership(player, at, None) for player, at in since.items()]
    return sorted(found, key=lambda each: (each.steamid64, each.joined_at))


def decoded(body: bytes | None, what: str) -> Any:
    """An answer's JSON. Raises Unreadable."""
    try:
        return orjson.loads(body or b"")
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"{what}: not JSON ({error})") from error


def readable(items: Iterable[Any], read: Callable[[Any], Item]) -> tuple[list[Item], list[str]]:
    """What could be read of the items, and what is wrong with the others."""
    found, wrong = [], []
    for item in items:
        try:
            found.append(read(item))
        except Unreadable as error:
            wrong.append(str(error))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            wrong.append(f"{type(error).__name__}: {error}")
    return found, wrong


def unix(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def instant(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
