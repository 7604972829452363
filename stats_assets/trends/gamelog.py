"""One log of logs.tf as rows of every silver table: a pure function of its bytes.

Reads version 3 and the old version 1, whose shapes are told in `shape`. Whatever of a log cannot be imported raises
BadLog; whatever cannot be taken literally but has a meaning (empty sections written as `[]`, averages of nothing,
impossible class times) is taken by the rules told at each function and in `rules`. Duplicates among logs need other
logs, and are found in the database.

Whether numbers fit their columns is looked at for many logs at once, by `blocks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from msgspec.structs import astuple

from stats_assets.trends import rules
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import (
    ClassStats,
    Log,
    MedicStats,
    Player,
    Round,
    TeamNumbers,
    UberTypes,
    Uploader,
    decoded,
)
from stats_assets.trends.steamids import CONSOLE, steamid64
from stats_assets.trends.tables import CLASSES, EVENTS

MAX_NAME = 200  # characters of a map's or weapon's name, which are keys
MAX_LOG_BYTES = 16 * 1024 * 1024  # the largest seen have 1 MB
_MAX_ITEMS = 32_000  # of rounds, players, chat: what a smallint counts
_FIRST_UPLOAD = 1_190_000_000  # September 2007, when the game came out
_DAY = 86_400
_NO_CLASS = frozenset(("unknown", "undefined", ""))

Row = tuple[Any, ...]
Person = tuple[int, str, Player]  # steamid64, the id as written
T = TypeVar("T")


@dataclass
class GameLog:
    """The rows of one log by table, in the column order of `tables`, without logid and day."""

    logid: int
    uploaded_at: int  # Unix seconds
    rows: dict[str, list[Row]] = field(default_factory=dict)
    is_bogus: bool = False
    others: set[int] = field(default_factory=set)  # steamid64 of who spoke or uploaded; may be players, too

    @property
    def day(self) -> date:
        return datetime.fromtimestamp(self.uploaded_at, UTC).date()


def parse(logid: int, data: bytes, latest: int, uploaded_at: int | None = None) -> GameLog:
    """The log's rows. `latest`: no upload can be after it; `uploaded_at`: what a list says, for logs without a date.

    A log with negative damage is bogus: only its row of `games` is kept. Raises BadLog.
    """
    if len(data) > MAX_LOG_BYTES:
        raise BadLog("too_large", f"{len(data)} bytes; at most {MAX_LOG_BYTES}")
    log = decoded(data)
    at = uploaded_at if log.info.date is None else log.info.date
    if at is None or not _FIRST_UPLOAD <= at <= latest:
        raise BadLog("bad_date", f"info.date is {at}")
    game = _Reader(logid, at, log).read()
    if b"\\u0000" in data:
        _refuse_nul(game)
    return game


def uncounted(game: GameLog) -> GameLog:
    """The same log when nothing of it counts: its row of `games` and who uploaded it."""
    (row,) = game.rows["games"]
    at, title, map_, seconds, red, blue, _format, ad_scoring, _is_counted, uploader, *rest = row
    kept: Row = (at, title, map_, seconds, red, blue, None, ad_scoring, False, uploader, *rest)
    others = set() if uploader is None else {uploader}
    return GameLog(game.logid, game.uploaded_at, {"games": [kept]}, game.is_bogus, others)


def people_of(game: GameLog) -> Iterable[tuple[int, str | None]]:
    """Who played, with the name of this game."""
    return ((row[0], row[1]) for row in game.rows.get("player_stats", ()))


def _refuse_nul(game: GameLog) -> None:
    """The escape is in the bytes: is it one, or only its spelling inside a text?"""
    for table, rows in game.rows.items():
        for row in rows:
            if any(isinstance(value, str) and "\0" in value for value in row):
                raise BadLog("nul_character", f"{table} {row!r:.200}")


class _Reader:
    """Reads the sections of one log in the order they need each other. Players go by rising id, as the keys do."""

    def __init__(self, logid: int, uploaded_at: int, log: Log) -> None:
        self.log = log
        self.info = log.info
        self.game = GameLog(logid, uploaded_at)
        self.raw_rounds = _bounded("rounds", log.rounds or log.info.rounds)
        lengths = [round_.length for round_ in self.raw_rounds]
        self.duration = rules.duration(log.info.total_length or 0, lengths)
        self.score = self._score()
        self.is_doubled = False  # ubers are counted twice
        self.classes: list[Row] = []
        self.weapons: list[Row] = []
        self.medics: list[Row] = []

    def read(self) -> GameLog:
        people = self._people()
        by_player = {id64: self._classes(id64, player) for id64, _, player in people}
        healing = self._healing(by_player)
        streaks = self._killstreaks(by_player)
        rounds = self._rounds()
        results = self._results(rounds)
        self.game.rows = {
            "games": [self._game(len(people))],
            "rounds": rounds,
            "player_stats": self._players(people, by_player, results, healing),
            "player_stats_extra": self._extras(people, streaks),
            "class_stats": self.classes,
            "weapon_stats": self.weapons,
            "heal_stats": [(*pair, amount) for pair, amount in healing.items()],
            "medic_stats": self.medics,
            "event_stats": self._events(people),
            "killstreaks": [(*moment, kills) for moment, kills in streaks.items()],
            "chat": self._chat(),
        }
        return uncounted(self.game) if self.game.is_bogus else self.game

    def _game(self, players: int) -> Row:
        info = self.info
        played = sum(row[6] for row in self.classes)
        return (
            self.game.uploaded_at,
            info.title or "",
            _short("info.map", info.map or ""),
            self.duration,
            *self.score,
            rules.format_of(players, played, self.duration),
            info.AD_scoring,
            True,
            *self._uploader(),
            self.log.version,
        )

    def _uploader(self) -> tuple[int | None, str | None]:
        uploader = self.info.uploader
        if not isinstance(uploader, Uploader):
            return None, None
        id64 = steamid64(str(uploader.id))
        if id64 is None:
            raise BadLog("bad_uploader", f"info.uploader.id is {uploader.id!r:.80}")
        self.game.others.add(id64)
        return id64, uploader.name

    def _score(self) -> tuple[int, int]:
        """By teams, else by info (version 1), else counted from the rounds."""
        for place in (self.log.teams, self.info):
            red, blue = _teams(place)
            if red.score is not None and blue.score is not None:
                return red.score, blue.score
        winners = [round_.winner for round_ in self.raw_rounds]
        if not any(winners):
            raise BadLog("no_score", "neither teams nor info have one, and no round has a winner")
        return winners.count("Red"), winners.count("Blue")

    def _people(self) -> list[Person]:
        """Who played: everybody with a team and a valid id."""
        found: dict[int, Person] = {}
        for written, player in _items(self.log.players):
            id64 = steamid64(written) if player.team else None
            if id64 is None:
                continue
            if id64 in found:
                raise BadLog("player_twice", f"players has {found[id64][1]} and {written:.40}")
            found[id64] = (id64, written, player)
        if not found:
            raise BadLog("no_players", "nobody in players has a team and a valid id")
        return sorted(_bounded("players", list(found.values())))

    def _classes(self, id64: int, player: Player) -> list[Row]:
        """Adds the player's rows of class_stats, weapon_stats and medic_stats; gives those of class_stats."""
        rows: list[Row] = []
        seen: set[str] = set()
        for stats in player.class_stats or ():
            name = stats.type
            if name in _NO_CLASS:
                continue
            if name in seen:
                raise BadLog("class_twice", f"{id64} has class {name} twice")
            seen.add(name)
            shots, hits = self._weapons(id64, stats)
            seconds = min(max(stats.total_time, 0), self.duration)
            rows.append((id64, name, stats.kills, stats.assists, stats.deaths, stats.dmg, seconds, shots, hits))
            if name == "medic":
                self.medics.append(self._medic(id64, player))
        self.classes += rows
        return rows

    def _weapons(self, id64: int, stats: ClassStats) -> tuple[int | None, int | None]:
        """Adds the rows of weapon_stats; gives shots and hits of all weapons, None where no weapon has them."""
        has_damage, has_accuracy = self.info.hasWeaponDamage, self.info.hasAccuracy
        all_shots = all_hits = None
        class_ = stats.type
        for name, weapon in _items(stats.weapon):
            if name == "undefined":
                continue
            if len(name) > MAX_NAME:
                _short("a weapon", name)
            if isinstance(weapon, int):
                self.weapons.append((id64, class_, name, weapon, None, None, None, None))
                continue
            dmg, avg_dmg, shots, hits = weapon.dmg, weapon.avg_dmg, weapon.shots, weapon.hits
            if not has_damage or dmg is None or avg_dmg is None:
                dmg = avg_dmg = None
            elif dmg < 0:
                self.game.is_bogus = True
            if not has_accuracy or shots is None or hits is None:
                shots = hits = None
            else:
                all_shots, all_hits = (all_shots or 0) + shots, (all_hits or 0) + hits
            self.weapons.append((id64, class_, name, weapon.kills, dmg, avg_dmg, shots, hits))
        return all_shots, all_hits

    def _medic(self, id64: int, player: Player) -> Row:
        """Ubers are counted twice when as many are of unknown kind as of all known ones: those count once."""
        ubers, types = player.ubers, player.ubertypes
        medigun = kritz = other = None
        if types is not None:
            types = types if isinstance(types, UberTypes) else _NO_UBERS
            known = types.medigun + types.kritzkrieg + types.quickfix + types.vaccinator
            if known == types.unknown and known > 0:
                ubers -= known
                self.is_doubled = True
            medigun, kritz = types.medigun, types.kritzkrieg
            other = ubers - medigun - kritz
        stats = player.medicstats if isinstance(player.medicstats, MedicStats) else _NO_MEDIC
        lost, biggest = stats.advantages_lost, stats.biggest_advantage_lost
        if (lost is None) != (biggest is None):
            raise BadLog("half_an_advantage", f"medicstats of {id64}: {lost} and {biggest}")
        averages = (
            rules.average(stats.avg_time_before_healing),
            rules.average(stats.avg_time_before_using),
            rules.average(stats.avg_time_to_build),
            rules.uber_average(stats.avg_uber_length),
        )
        deaths = stats.deaths_within_20s_after_uber, stats.deaths_with_95_99_uber
        return (id64, ubers, medigun, kritz, other, player.drops, lost, biggest, *averages, *deaths)

    def _healing(self, players: Mapping[int, object]) -> dict[tuple[int, int], int]:
        """Of pairs of players of this game; of two ids of one person the first counts."""
        found: dict[tuple[int, int], int] = {}
        for written, healed in _items(self.log.healspread):
            healer = steamid64(written)
            if healer is None or healer not in players:
                continue
            for patient, amount in _items(healed):
                healee = steamid64(patient)
                if healee is not None and healee in players:
                    found.setdefault((healer, healee), amount)
        return found

    def _killstreaks(self, players: Mapping[int, object]) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for streak in self.log.killstreaks or ():
            if streak.streak <= 0:
                raise BadLog("killstreak_without_kills", f"{streak!r:.120}")
            id64 = steamid64(streak.steamid)
            if id64 is not None and id64 in players:
                found.setdefault((id64, streak.time), streak.streak)
        return found

    def _rounds(self) -> list[Row]:
        """Rounds with a length, a repeated one once. When more are won than scored, nobody won the last."""
        rows: dict[Row, int] = {}
        for seq, round_ in enumerate(self.raw_rounds):
            if round_.length > 0:
                rows.setdefault(self._round(round_), seq)
        rounds: list[Row] = [(seq, *row) for row, seq in rows.items()]
        if sum(row[3] is not None for row in rounds) > sum(self.score):
            seq, length, start, _, *rest = rounds[-1]
            rounds[-1] = (seq, length, start, None, *rest)
        return rounds

    def _round(self, round_: Round) -> Row:
        """By a clock that is often hours off; a start more than a day from the upload is none."""
        uploaded_at = self.game.uploaded_at
        start = round_.start_time
        if start is None or abs(start - uploaded_at) > _DAY:
            start = uploaded_at
        red, blue = _teams(round_.team or round_)
        return (
            round_.length,
            start,
            round_.winner or None,
            round_.firstcap or None,
            self.score[0] if red.score is None else red.score,
            self.score[1] if blue.score is None else blue.score,
            red.kills,
            blue.kills,
            red.damage if red.dmg is None else red.dmg,
            blue.damage if blue.dmg is None else blue.dmg,
            self._ubers(red.ubers),
            self._ubers(blue.ubers),
        )

    def _ubers(self, counted: int | None) -> int | None:
        return counted // 2 if counted and self.is_doubled else counted

    def _results(self, rounds: list[Row]) -> dict[str, tuple[int, int, int]]:
        """Wins, losses and ties by team: of rounds, or of the score where attack and defence take turns."""
        red, blue, ties = *self.score, 0
        if not self.info.AD_scoring and rounds:
            winners = [row[3] for row in rounds]
            red, blue = winners.count("Red"), winners.count("Blue")
            ties = sum(row[3] is None and row[1] >= rules.TIE_SECONDS for row in rounds)
        return {"Red": (red, blue, ties), "Blue": (blue, red, ties)}

    def _players(
        self,
        people: list[Person],
        classes: Mapping[int, list[Row]],
        results: Mapping[str, tuple[int, int, int]],
        healing: Mapping[tuple[int, int], int],
    ) -> list[Row]:
        given, received = rules.totals(healing)
        names = dict(_items(self.log.names))
        has_dt = self.info.hasDT
        return [
            (
                id64,
                names.get(written),
                player.team,
                player.kills,
                player.assists,
                player.deaths,
                player.dmg,
                player.dt if has_dt else None,
                *results[player.team],  # type: ignore[index]
                *_class_totals(classes[id64]),
                given.get(id64),
                received.get(id64),
            )
            for id64, written, player in people
        ]

    def _extras(self, people: list[Person], streaks: Mapping[tuple[int, int], int]) -> list[Row]:
        """What a flag of the log says was not recorded is NULL, whatever stands there; a row of nothing is none."""
        largest: dict[int, int] = {}
        for (id64, _), kills in streaks.items():
            largest[id64] = max(kills, largest.get(id64, 0))
        info = self.info
        rows = []
        for id64, _, player in people:
            values = (
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
            if any(values):
                rows.append((id64, *values, largest.get(id64)))
        return rows

    def _events(self, people: list[Person]) -> list[Row]:
        sections = [(event, getattr(self.log, section)) for event, section in EVENTS.items()]
        by_event = [(event, counts) for event, counts in sections if counts]
        rows = []
        for id64, written, _ in people:
            for event, counts in by_event:
                own = counts.get(written)
                if own and any(numbers := astuple(own)):
                    rows.append((id64, event, *numbers[: len(CLASSES)]))
        return rows

    def _chat(self) -> list[Row]:
        """Everything the console and people with a valid id said; others leave a gap in `seq`."""
        rows: list[Row] = []
        for seq, message in enumerate(_bounded("chat", self.log.chat)):
            written = message.steamid
            if written == CONSOLE:
                rows.append((seq, None, message.msg))
            elif (id64 := steamid64(written)) is not None:
                self.game.others.add(id64)
                rows.append((seq, id64, message.msg))
        return rows


_NO_UBERS = UberTypes()
_NO_MEDIC = MedicStats()
_NO_NUMBERS = TeamNumbers()


def _items(section: dict[str, T] | list[Any] | None) -> Iterable[tuple[str, T]]:
    return section.items() if isinstance(section, dict) else ()


def _teams(place: Any) -> tuple[TeamNumbers, TeamNumbers]:
    return (place.Red or _NO_NUMBERS, place.Blue or _NO_NUMBERS) if place else (_NO_NUMBERS, _NO_NUMBERS)


def _bounded(section: str, items: list[T] | None) -> list[T]:
    if items and len(items) > _MAX_ITEMS:
        raise BadLog("too_many", f"{section} has {len(items)} entries; at most {_MAX_ITEMS}")
    return items or []


def _short(what: str, name: str) -> str:
    if len(name) > MAX_NAME:
        raise BadLog("too_long", f"{what} has a name of {len(name)} characters; at most {MAX_NAME}")
    return name


def _class_totals(rows: list[Row]) -> tuple[str | None, int | None, int | None]:
    """Main class, shots and hits of a player; these are None where no class has them."""
    shots = hits = None
    seconds: dict[str, int] = {}
    for row in rows:
        seconds[row[1]] = row[6]
        if row[7] is not None:
            shots, hits = (shots or 0) + row[7], (hits or 0) + row[8]
    return rules.primary_class(seconds), shots, hits
