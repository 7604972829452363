"""Sections of a log that become a table each: healing, kill streaks, events by class, chat."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec.structs import astuple

from stats_assets.trends.limits import bounded
from stats_assets.trends.players import Person
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import Log, items_of
from stats_assets.trends.steamids import CONSOLE, steamid64
from stats_assets.trends.tables import CLASSES, EVENTS

Values = list[Any]  # of rows, one after the other


def healing_of(log: Log, players: Collection[int]) -> dict[tuple[int, int], int]:
    """Of pairs of players of this game; of two ids of one person the first counts."""
    found: dict[tuple[int, int], int] = {}
    for written, healed in items_of(log.healspread):
        healer = steamid64(written)
        if healer is None or healer not in players:
            continue
        for patient, amount in items_of(healed):
            healee = steamid64(patient)
            if healee is not None and healee in players:
                found.setdefault((healer, healee), amount)
    return found


def streaks_of(log: Log, players: Collection[int]) -> dict[tuple[int, int], int]:
    """Kills by player and second of the game; of two streaks at once the first counts."""
    found: dict[tuple[int, int], int] = {}
    for streak in log.killstreaks or ():
        if streak.streak <= 0:
            raise BadLog("killstreak_without_kills", f"{streak!r:.120}")
        id64 = steamid64(streak.steamid)
        if id64 is not None and id64 in players:
            found.setdefault((id64, streak.time), streak.streak)
    return found


def event_values(log: Log, people: list[Person]) -> Values:
    """Counts by the other's class; a row of nothing is none, unless it counts those of no class."""
    sections = [(event, getattr(log, section)) for event, section in EVENTS.items()]
    by_event = [(event, counts) for event, counts in sections if counts]
    values: Values = []
    for id64, written, _ in people:
        for event, counts in by_event:
            own = counts.get(written)
            if own and any(numbers := astuple(own)):
                values += (id64, event, *numbers[: len(CLASSES)])
    return values


def chat_values(log: Log) -> tuple[Values, set[int]]:
    """Everything the console and people with a valid id said, others leave a gap in `seq`; and who spoke."""
    values: Values = []
    speakers: set[int] = set()
    for seq, message in enumerate(bounded("chat", log.chat)):
        written = message.steamid
        if written == CONSOLE:
            values += (seq, None, message.msg)
        elif (id64 := steamid64(written)) is not None:
            speakers.add(id64)
            values += (seq, id64, message.msg)
    return values, speakers
