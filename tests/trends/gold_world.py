"""Games by hand, straight into the tables that an import fills, and the aggregates counted once more, slowly.

The slow count knows nothing of the room's statements: it goes by the definitions on the front page of the room.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import Leaf, ensure_leaf

SILVER = ("games", "player_stats", "medic_stats", "heal_stats")
CLASSES = ("scout", "soldier", "demoman", "medic", None)
FIRST = date(2026, 1, 1)

_GAME = """
INSERT INTO trends.games (logid, day, uploaded_at, title, map, duration_seconds, red_score, blue_score, format,
    is_ad_scoring, is_counted, duplicate_of, json_version)
VALUES (%(logid)s, %(day)s, %(uploaded_at)s, '', %(map)s, %(duration)s, 0, 0, %(format)s, false, %(is_counted)s,
    %(duplicate_of)s, 3)
"""
_PLAYER = """
INSERT INTO trends.player_stats (logid, day, steamid64, team, kills, assists, deaths, dmg, dt, wins, losses, ties,
    primary_class, shots, hits, hsg, hsr)
VALUES (%(logid)s, %(day)s, %(steamid64)s, %(team)s, %(kills)s, %(assists)s, %(deaths)s, %(dmg)s, %(dt)s, %(wins)s,
    %(losses)s, %(ties)s, %(role)s, %(shots)s, %(hits)s, %(hsg)s, %(hsr)s)
"""
_MEDIC = """
INSERT INTO trends.medic_stats (logid, day, steamid64, ubers, medigun_ubers, kritz_ubers, other_ubers, drops,
    avg_time_before_using, avg_time_to_build)
VALUES (%(logid)s, %(day)s, %(steamid64)s, %(ubers)s, %(medigun)s, %(kritz)s, %(other)s, %(drops)s,
    %(before_using)s, NULL)
"""


@dataclass(frozen=True)
class Played:
    """A player's part in a game."""

    steamid64: int
    team: str = "Red"
    role: str | None = "scout"
    kills: int = 10
    assists: int = 3
    deaths: int = 7
    dmg: int = 5000
    dt: int | None = 4000
    wins: int = 2
    losses: int = 1
    ties: int = 0
    shots: int | None = 100
    hits: int | None = 40
    hsg: int | None = None
    hsr: int | None = 900
    medic: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Game:
    """A game with its players; `healing` is (healer, healee, points)."""

    logid: int
    day: date = FIRST
    map: str = "cp_process"
    format: str = "sixes"
    duration: int = 1800
    players: tuple[Played, ...] = ()
    duplicate_of: tuple[int, ...] | None = None
    league: str | None = None
    is_counted: bool = True
    healing: tuple[tuple[int, int, int], ...] = ()


@dataclass
class GoldWorld:
    """The games there are now. Every change says which day it touched, as an import does."""

    database: StatsDatabase
    games: dict[int, Game] = field(default_factory=dict)

    def make_room(self, first: date = date(2025, 12, 1), days: int = 800) -> GoldWorld:
        for table in SILVER:
            end = first + timedelta(days=days)
            ensure_leaf(self.database, Leaf("trends", table, f"{table}_all", "day", f"{first}", f"{end}"))
        return self

    def put(self, *games: Game) -> None:
        """Adds the games, each in place of an older one of its id."""
        with self.database.transaction() as cursor:
            for game in games:
                self._remove(cursor, game.logid)
                self._add(cursor, game)

    def remove(self, *logids: int) -> None:
        with self.database.transaction() as cursor:
            for logid in logids:
                self._remove(cursor, logid)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def _add(self, cursor: Any, game: Game) -> None:
        self.games[game.logid] = game
        at = datetime(game.day.year, game.day.month, game.day.day, 12, tzinfo=UTC)
        own = {"logid": game.logid, "day": game.day}
        cursor.execute(
            _GAME,
            own
            | {
                "uploaded_at": at,
                "map": game.map,
                "duration": game.duration,
                "format": game.format,
                "is_counted": game.is_counted,
                "duplicate_of": list(game.duplicate_of) if game.duplicate_of else None,
            },
        )
        for played in game.players:
            cursor.execute(_PLAYER, own | vars(played))
            if played.medic:
                cursor.execute(_MEDIC, own | {"steamid64": played.steamid64} | dict(played.medic))
        for healer, healee, points in game.healing:
            cursor.execute(
                "INSERT INTO trends.heal_stats (logid, day, healer, healee, healing) VALUES (%s, %s, %s, %s, %s)",
                (game.logid, game.day, healer, healee, points),
            )
        if game.league:
            cursor.execute(
                "INSERT INTO trends.match_links (logid, league, matchid, team1_is_red) VALUES (%s, %s, 1, true)",
                (game.logid, game.league),
            )
        self._touch(cursor, game.day)

    def _remove(self, cursor: Any, logid: int) -> None:
        if game := self.games.pop(logid, None):
            for table in (*SILVER, "match_links"):
                cursor.execute(f"DELETE FROM trends.{table} WHERE logid = %s", (logid,))
            self._touch(cursor, game.day)

    def _touch(self, cursor: Any, day: date) -> None:
        cursor.execute(
            "INSERT INTO trends.days (day, changed_at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (day) DO UPDATE SET changed_at = excluded.changed_at",
            (day,),
        )

    def counted(self) -> Iterable[tuple[Game, Played]]:
        """Every player of every game that is counted, by log id."""
        for game in sorted(self.games.values(), key=lambda game: game.logid):
            if game.is_counted and not game.duplicate_of:
                for played in game.players:
                    yield game, played

    def slow_leaderboard(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """(steamid64, league, format, class, map, grouping) to all sums but the counts of games that tell."""
        cells: dict[tuple[Any, ...], list[tuple[Game, Played]]] = defaultdict(list)
        for game, played in self.counted():
            values = (game.league, game.format, played.role, game.map)
            for kept in product((True, False), repeat=4):
                shown = tuple(value if keep else None for value, keep in zip(values, kept, strict=True))
                grouping = sum(bit for bit, keep in zip((8, 4, 2, 1), kept, strict=True) if not keep)
                cells[(played.steamid64, *shown, grouping)].append((game, played))
        return {cell: _sums(found) for cell, found in cells.items()}

    def slow_trends(self) -> dict[tuple[int, int], tuple[float | None, ...]]:
        """(steamid64, logid) to the nine averages."""
        by_player: dict[int, list[tuple[Game, Played]]] = defaultdict(list)
        for game, played in self.counted():
            by_player[played.steamid64].append((game, played))
        return {
            (player, found[n][0].logid): _averages(found[max(0, n - 19) : n + 1])
            for player, found in by_player.items()
            for n in range(len(found))
        }


def _sums(found: list[tuple[Game, Played]]) -> tuple[Any, ...]:
    people = [played for _, played in found]
    return (
        len(found),
        sum(game.duration for game, _ in found),
        sum(p.wins > p.losses for p in people),
        sum(p.wins == p.losses for p in people),
        sum(p.wins < p.losses for p in people),
        *(sum(getattr(p, name) for p in people) for name in ("kills", "deaths", "assists", "dmg")),
        *(_told([getattr(p, name) for p in people]) for name in ("dt", "shots", "hits")),
    )


def _told(values: list[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _averages(window: list[tuple[Game, Played]]) -> tuple[float | None, ...]:
    people = [played for _, played in window]
    seconds = sum(game.duration for game, _ in window)
    won = sum(p.wins > p.losses for p in people) + Fraction(sum(p.wins == p.losses for p in people), 2)
    rounds = sum(p.wins + p.losses + p.ties for p in people)
    rounds_won = sum(p.wins for p in people) + Fraction(sum(p.ties for p in people), 2)

    def per(name: str, unit: int) -> float | None:
        told = [(getattr(p, name), game.duration) for game, p in window if getattr(p, name) is not None]
        over = sum(duration for _, duration in told)
        return float(Fraction(sum(value for value, _ in told) * unit, over)) if over else None

    return (
        float(won / len(window)),
        float(rounds_won / rounds) if rounds else None,
        *(per(name, 1800) if seconds else None for name in ("kills", "deaths", "assists")),
        per("dmg", 60),
        *(per(name, 60) for name in ("dt", "hsg", "hsr")),
    )


def random_game(dice: random.Random, logid: int, players: int = 14, days: int = 12) -> Game:
    """A game of any kind, by six players out of `players`."""
    people = dice.sample(range(1, players + 1), 6)
    accuracy = dice.random() < 0.7
    shots, dt = (dice.randrange(300) if accuracy else None), dice.random() < 0.8
    played = tuple(
        Played(
            steamid64=number,
            team="Red" if place < 3 else "Blue",
            role=dice.choice(CLASSES),
            kills=dice.randrange(40),
            assists=dice.randrange(20),
            deaths=dice.randrange(40),
            dmg=dice.randrange(12_000),
            dt=dice.randrange(9_000) if dt else None,
            wins=dice.randrange(4),
            losses=dice.randrange(4),
            ties=dice.randrange(2),
            shots=shots,
            hits=shots // 3 if shots is not None else None,
            hsg=dice.randrange(9_000) if dice.random() < 0.3 else None,
            hsr=dice.randrange(3_000) if dice.random() < 0.7 else None,
            medic=_random_medic(dice) if place in (2, 5) else None,
        )
        for place, number in enumerate(people)
    )
    pairs = {(people[2], other) for other in dice.sample(people, 3) if other != people[2]}
    return Game(
        logid=logid,
        day=FIRST + timedelta(days=dice.randrange(days)),
        map=dice.choice(("cp_process", "koth_product", "pl_upward")),
        format=dice.choice(("sixes", "highlander")),
        duration=dice.choice((0, 900, 1800, 1801)),
        players=played,
        duplicate_of=(logid - 1,) if dice.random() < 0.1 else None,
        league=dice.choice((None, None, "etf2l", "rgl")),
        healing=tuple((healer, healee, dice.randrange(1, 900)) for healer, healee in sorted(pairs)),
    )


def _random_medic(dice: random.Random) -> dict[str, Any]:
    ubers = dice.randrange(9)
    tells = dice.random() < 0.7
    return {
        "ubers": ubers,
        "medigun": ubers if tells else None,
        "kritz": 0 if tells else None,
        "other": 0 if tells else None,
        "drops": dice.randrange(3),
        "before_using": round(dice.uniform(1, 40), 3) if dice.random() < 0.8 else None,
    }


def changed(game: Game, **changes: Any) -> Game:
    return replace(game, **changes)
