"""Who played, and what each did in the whole game: player_stats and player_stats_extra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stats_assets.trends import rules
from stats_assets.trends.classes import Played
from stats_assets.trends.limits import bounded
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import Info, Log, Player, items_of
from stats_assets.trends.steamids import steamid64

Values = list[Any]  # of rows, one after the other
Person = tuple[int, str, Player]  # steamid64, the id as written
Pairs = Mapping[tuple[int, int], int]


def people_of(log: Log) -> list[Person]:
    """Everybody with a team and a valid id, by rising id, as the keys go."""
    found: dict[int, Person] = {}
    for written, player in items_of(log.players):
        id64 = steamid64(written) if player.team else None
        if id64 is None:
            continue
        if id64 in found:
            raise BadLog("player_twice", f"players has {found[id64][1]} and {written:.40}")
        found[id64] = (id64, written, player)
    if not found:
        raise BadLog("no_players", "nobody in players has a team and a valid id")
    return sorted(bounded("players", list(found.values())))


def player_values(
    log: Log,
    people: list[Person],
    played: Mapping[int, Played],
    results: Mapping[str, tuple[int, int, int]],
    healing: Pairs,
) -> Values:
    """What each did, with the results of the team's rounds and the healing among the players."""
    given, received = rules.totals(healing)
    names = dict(items_of(log.names))
    has_dt = log.info.hasDT
    values: Values = []
    for id64, written, player in people:
        values += (
            id64,
            names.get(written),
            player.team,
            player.kills,
            player.assists,
            player.deaths,
            player.dmg,
            player.dt if has_dt else None,
            *results[player.team],  # type: ignore[index]
            *played[id64],
            given.get(id64),
            received.get(id64),
        )
    return values


def extra_values(info: Info, people: list[Person], streaks: Pairs) -> Values:
    """What a flag of the log says was not recorded is NULL, whatever stands there; a row of nothing is none."""
    largest: dict[int, int] = {}
    for (id64, _), kills in streaks.items():
        largest[id64] = max(kills, largest.get(id64, 0))
    values: Values = []
    for id64, _, player in people:
        numbers = (
            player.suicides,
            player.dmg_real if info.hasRealDamage else None,
            player.dt_real if info.hasRealDamage else None,
            player.hr if info.hasHR else None,
            player.lks or 0,
            player.airshots if info.hasAS else None,
            player.medkits if info.hasHP else None,
            player.medkits_hp if info.hasHP_real else None,
            player.backstabs if info.hasBS else None,
            player.headshots if info.hasHS else None,
            player.headshots_hit if info.hasHS_hit else None,
            player.sentries if info.hasSB else None,
            player.heal,
            player.cpc if info.hasCP else None,
            player.ic if info.hasIntel else None,
        )
        if any(numbers):
            values += (id64, *numbers, largest.get(id64))
    return values
