"""One log of logs.tf as rows of every silver table: a pure function of its bytes.

Reads version 3 and the old version 1. Whatever of a log cannot be imported raises BadLog; whatever cannot be taken
literally but has a meaning (empty sections written as `[]`, averages of nothing, impossible class times) is taken by
the rules told at each function. Duplicates among logs need other logs, and are found in the database.

Whether numbers are whole and fit their columns is looked at for many logs at once, by `blocks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson

from stats_assets.trends import rules
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.sections import list_in, number, object_in, text, want
from stats_assets.trends.steamids import CONSOLE, steamid64
from stats_assets.trends.tables import CLASSES, EVENTS

MAX_NAME = 200  # characters of a map's or weapon's name, which are keys
MAX_LOG_BYTES = 16 * 1024 * 1024  # the largest seen have 1 MB
_MAX_ITEMS = 32_000  # of rounds, players, chat: what a smallint counts
_FIRST_UPLOAD = 1_190_000_000  # September 2007, when the game came out
_DAY = 86_400
_NO_CLASS = frozenset(("unknown", "undefined", ""))
_CLASSES = frozenset(CLASSES)
_TEAMS = frozenset(("Red", "Blue"))

Row = tuple[Any, ...]


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
    log = _decoded(data)
    info = want(log, "info")
    date_ = info.get("date", uploaded_at)
    if type(date_) is not int or not _FIRST_UPLOAD <= date_ <= latest:
        raise BadLog("bad_date", f"info.date is {date_!r:.80}")
    try:
        game = _Reader(logid, date_, log, info).read()
    except KeyError as error:
        raise BadLog("missing_value", f"{error.args[0]!r:.80}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise BadLog("bad_type", f"{error!s:.200}") from error
    except OverflowError as error:
        raise BadLog("bad_number", f"{error!s:.200}") from error
    if b"\\u0000" in data:
        _refuse_nul(game)
    return game


def uncounted(game: GameLog) -> GameLog:
    """The same log when nothing of it counts: its row of `games` and who uploaded it."""
    (row,) = game.rows["games"]
    # By position: format and is_counted are the 7th and 9th column.
    row = (*row[:6], None, row[7], False, *row[9:])
    return GameLog(game.logid, game.uploaded_at, {"games": [row]}, game.is_bogus, {row[9]} - {None})


def _decoded(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_LOG_BYTES:
        raise BadLog("too_large", f"{len(data)} bytes; at most {MAX_LOG_BYTES}")
    try:
        log = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        reason = "lone_surrogate" if "surrogate" in error.msg else "not_json"
        raise BadLog(reason, f"{error}") from error
    if not isinstance(log, dict):
        raise BadLog("not_a_log", f"the whole is a {type(log).__name__}")
    if log.get("success", True) is not True:
        raise BadLog("not_successful", f"success is {log['success']!r:.40}, error {log.get('error')!r:.120}")
    return log


def _refuse_nul(game: GameLog) -> None:
    """The escape is in the bytes: is it one, or only its spelling inside a text?"""
    for table, rows in game.rows.items():
        for row in rows:
            if any(isinstance(value, str) and "\0" in value for value in row):
                raise BadLog("nul_character", f"{table} {row!r:.200}")


class _Reader:
    """Reads the sections of one log in the order they need each other."""

    def __init__(self, logid: int, uploaded_at: int, log: dict[str, Any], info: dict[str, Any]) -> None:
        self.log = log
        self.info = info
        self.game = GameLog(logid, uploaded_at)
        self.raw_rounds = list_in(log, "rounds") or list_in(info, "rounds")
        if len(self.raw_rounds) > _MAX_ITEMS:
            raise BadLog("too_many", f"{len(self.raw_rounds)} rounds")
        self.duration = rules.duration(number(info.get("total_length"), 0), map(_length, self.raw_rounds))
        self.is_doubled = False  # ubers are counted twice
        self.classes: list[Row] = []
        self.weapons: list[Row] = []
        self.medics: list[Row] = []
        self.names = object_in(log, "names")

    def read(self) -> GameLog:
        self.score = self._score()
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
            "heal_stats": [(healer, healee, amount) for (healer, healee), amount in healing.items()],
            "medic_stats": self.medics,
            "event_stats": self._events(people),
            "killstreaks": [(id64, time, kills) for (id64, time), kills in streaks.items()],
            "chat": self._chat(),
        }
        return uncounted(self.game) if self.game.is_bogus else self.game

    def _game(self, players: int) -> Row:
        info = self.info
        uploader, name = self._uploader()
        played = sum(row[6] for row in self.classes)
        version = self.log.get("version", 1)
        if type(version) is not int or not 0 < version < 100:
            raise BadLog("bad_number", f"version is {version!r:.40}")
        ad_scoring = info.get("AD_scoring")
        map_ = text(info.get("map")) or ""
        if len(map_) > MAX_NAME:
            raise BadLog("too_long", f"info.map has {len(map_)} characters")
        return (
            self.game.uploaded_at,
            text(info.get("title")) or "",
            map_,
            self.duration,
            *self.score,
            rules.format_of(players, played, self.duration),
            None if ad_scoring is None else bool(ad_scoring),
            True,
            uploader,
            name,
            version,
        )

    def _uploader(self) -> tuple[int | None, str | None]:
        uploader = object_in(self.info, "uploader")
        if not uploader:
            return None, None
        id64 = steamid64(str(uploader.get("id")))
        if id64 is None:
            raise BadLog("bad_uploader", f"info.uploader.id is {uploader.get('id')!r:.80}")
        self.game.others.add(id64)
        return id64, text(uploader.get("name"))

    def _score(self) -> tuple[int, int]:
        """By teams, else by info (version 1), else counted from the rounds."""
        for place in (object_in(self.log, "teams"), self.info):
            red, blue = (object_in(place, team).get("score") for team in ("Red", "Blue"))
            if red is not None and blue is not None:
                return red, blue
        winners = [round_.get("winner") for round_ in self.raw_rounds]
        if not any(winners):
            raise BadLog("no_score", "neither teams nor info have one, and no round has a winner")
        return winners.count("Red"), winners.count("Blue")

    def _people(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Who played: everybody with a team and a valid id, as (steamid64, the id as written, section)."""
        found: dict[int, tuple[int, str, dict[str, Any]]] = {}
        for written, player in object_in(self.log, "players").items():
            team = player.get("team")
            id64 = steamid64(written)
            if not team or id64 is None:
                continue
            if team not in _TEAMS:
                raise BadLog("unknown_team", f"players.{written:.40}.team is {team!r:.40}")
            if id64 in found:
                raise BadLog("player_twice", f"players has {found[id64][1]} and {written:.40}")
            found[id64] = (id64, written, player)
        if not found:
            raise BadLog("no_players", "nobody in players has a team and a valid id")
        if len(found) > _MAX_ITEMS:
            raise BadLog("too_many", f"{len(found)} players")
        return list(found.values())

    def _classes(self, id64: int, player: dict[str, Any]) -> list[Row]:
        """Adds the player's rows of class_stats, weapon_stats and medic_stats; gives those of class_stats."""
        rows: list[Row] = []
        seen: set[str] = set()
        for stats in list_in(player, "class_stats"):
            name = stats["type"]
            if name in _NO_CLASS:
                continue
            if name not in _CLASSES:
                raise BadLog("unknown_class", f"class_stats.type of {id64} is {name!r:.40}")
            if name in seen:
                raise BadLog("class_twice", f"{id64} has class {name} twice")
            seen.add(name)
            shots, hits = self._weapons(id64, name, object_in(stats, "weapon"))
            time = min(max(stats["total_time"], 0), self.duration)
            kills, assists, deaths = stats["kills"], stats["assists"], stats["deaths"]
            rows.append((id64, name, kills, assists, deaths, stats["dmg"], time, shots, hits))
            if name == "medic":
                self.medics.append(self._medic(id64, player))
        self.classes += rows
        return rows

    def _weapons(self, id64: int, class_: str, weapons: Mapping[str, Any]) -> tuple[int | None, int | None]:
        """Adds the rows of weapon_stats; gives shots and hits of all weapons, None where no weapon has them."""
        has_damage, has_accuracy = self.info.get("hasWeaponDamage"), self.info.get("hasAccuracy")
        all_shots = all_hits = None
        for weapon, stats in weapons.items():
            if weapon == "undefined":
                continue
            if len(weapon) > MAX_NAME:
                raise BadLog("too_long", f"a weapon's name has {len(weapon)} characters")
            if type(stats) is int:  # older logs know the kills only
                self.weapons.append((id64, class_, weapon, stats, None, None, None, None))
                continue
            dmg = avg_dmg = shots = hits = None
            if has_damage:
                dmg, avg_dmg = stats["dmg"], stats["avg_dmg"]
                if dmg is None or avg_dmg is None:
                    dmg = avg_dmg = None
                elif dmg < 0:
                    self.game.is_bogus = True
            if has_accuracy:
                shots, hits = stats["shots"], stats["hits"]
                if shots is None or hits is None:
                    shots = hits = None
                else:
                    all_shots, all_hits = (all_shots or 0) + shots, (all_hits or 0) + hits
            self.weapons.append((id64, class_, weapon, stats["kills"], dmg, avg_dmg, shots, hits))
        return all_shots, all_hits

    def _medic(self, id64: int, player: dict[str, Any]) -> Row:
        """Ubers are counted twice when as many are of unknown kind as of all known ones: those count once."""
        ubers, drops = player["ubers"], player["drops"]
        medigun = kritz = other = None
        if player.get("ubertypes") is not None:
            types = object_in(player, "ubertypes")
            medigun, kritz = types.get("medigun", 0), types.get("kritzkrieg", 0)
            known = medigun + kritz + types.get("quickfix", 0) + types.get("vaccinator", 0)
            if known > 0 and known == types.get("unknown", 0):
                ubers -= known
                self.is_doubled = True
            other = ubers - medigun - kritz
        stats = object_in(player, "medicstats")
        lost, biggest = stats.get("advantages_lost"), stats.get("biggest_advantage_lost")
        if (lost is None) != (biggest is None):
            raise BadLog("half_an_advantage", f"medicstats of {id64}: {lost!r:.20} and {biggest!r:.20}")
        averages = rules.averages(stats)
        deaths = stats.get("deaths_within_20s_after_uber"), stats.get("deaths_with_95_99_uber")
        return (id64, ubers, medigun, kritz, other, drops, lost, biggest, *averages, *deaths)

    def _healing(self, players: Mapping[int, object]) -> dict[tuple[int, int], int]:
        """Of pairs of players of this game; of two ids of one person the first counts."""
        found: dict[tuple[int, int], int] = {}
        for written, healed in object_in(self.log, "healspread").items():
            healer = steamid64(written)
            if healer not in players:
                continue
            for patient, amount in (healed or {}).items():
                healee = steamid64(patient)
                if healee in players:
                    found.setdefault((healer, healee), amount)  # type: ignore[arg-type]
        return found

    def _killstreaks(self, players: Mapping[int, object]) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for streak in list_in(self.log, "killstreaks"):
            kills, id64 = streak["streak"], steamid64(streak["steamid"])
            if kills <= 0:
                raise BadLog("killstreak_without_kills", f"{streak!r:.120}")
            if id64 in players:
                found.setdefault((id64, streak["time"]), kills)  # type: ignore[arg-type]
        return found

    def _rounds(self) -> list[Row]:
        """Rounds with a length, a repeated one once. When more are won than scored, nobody won the last."""
        rows: dict[Row, int] = {}
        for seq, round_ in enumerate(self.raw_rounds):
            if _length(round_) > 0:
                rows.setdefault(self._round(round_), seq)
        rounds = [(seq, *row) for row, seq in rows.items()]
        if sum(row[3] is not None for row in rounds) > sum(self.score):
            rounds[-1] = (*rounds[-1][:3], None, *rounds[-1][4:])
        return rounds

    def _round(self, round_: dict[str, Any]) -> Row:
        """By a clock that is often hours off; a start more than a day from the upload is none."""
        uploaded_at = self.game.uploaded_at
        start = round_.get("start_time")
        if start is None or abs(start - uploaded_at) > _DAY:
            start = uploaded_at
        teams = object_in(round_, "team") or round_  # version 1 has the teams in the round itself
        red, blue = object_in(teams, "Red"), object_in(teams, "Blue")
        ubers = [team.get("ubers") for team in (red, blue)]
        if self.is_doubled:
            ubers = [None if count is None else count // 2 for count in ubers]
        return (
            _length(round_),
            start,
            _winner(round_, "winner"),
            _winner(round_, "firstcap"),
            *(
                rules.first_given(team.get("score"), of_log)
                for team, of_log in zip((red, blue), self.score, strict=True)
            ),
            *(team.get("kills") for team in (red, blue)),
            *(rules.first_given(team.get("dmg"), team.get("damage")) for team in (red, blue)),
            *ubers,
        )

    def _results(self, rounds: list[Row]) -> dict[str, tuple[int, int, int]]:
        """Wins, losses and ties by team: of rounds, or of the score where attack and defence take turns."""
        red, blue, ties = *self.score, 0
        if not self.info.get("AD_scoring") and rounds:
            winners = [row[3] for row in rounds]
            red, blue = winners.count("Red"), winners.count("Blue")
            ties = sum(row[3] is None and row[1] >= rules.TIE_SECONDS for row in rounds)
        return {"Red": (red, blue, ties), "Blue": (blue, red, ties)}

    def _players(
        self,
        people: list[tuple[int, str, dict[str, Any]]],
        classes: Mapping[int, list[Row]],
        results: Mapping[str, tuple[int, int, int]],
        healing: Mapping[tuple[int, int], int],
    ) -> list[Row]:
        given, received = rules.totals(healing)
        has_dt = self.info.get("hasDT")
        rows = []
        for id64, written, player in people:
            own = classes[id64]
            shots, hits = rules.sum_or_none(row[7] for row in own), rules.sum_or_none(row[8] for row in own)
            rows.append(
                (
                    id64,
                    text(self.names.get(written)),
                    player["team"],
                    player["kills"],
                    player["assists"],
                    player["deaths"],
                    player["dmg"],
                    player.get("dt") if has_dt else None,
                    *results[player["team"]],
                    rules.primary_class({row[1]: row[6] for row in own}),
                    shots,
                    hits,
                    given.get(id64),
                    received.get(id64),
                )
            )
        return rows

    def _extras(
        self, people: list[tuple[int, str, dict[str, Any]]], streaks: Mapping[tuple[int, int], int]
    ) -> list[Row]:
        """What a flag of the log says was not recorded is NULL, whatever stands there; a row of nothing is none."""
        largest: dict[int, int] = {}
        for (id64, _), kills in streaks.items():
            largest[id64] = max(kills, largest.get(id64, 0))
        recorded = [(name, flag is None or bool(self.info.get(flag))) for name, flag in _EXTRAS]
        rows = []
        for id64, _, player in people:
            values = [player.get(name) if is_recorded else None for name, is_recorded in recorded]
            if any(values):
                values[_LKS] = values[_LKS] or 0
                rows.append((id64, *values, largest.get(id64)))
        return rows

    def _events(self, people: list[tuple[int, str, dict[str, Any]]]) -> list[Row]:
        rows = []
        for event, section in EVENTS.items():
            counts = object_in(self.log, section)
            for id64, written, _ in people:
                own = counts.get(written)
                if not own:
                    continue
                if not _CLASSES.issuperset(own) and not set(own) <= _CLASSES | _NO_CLASS:
                    raise BadLog("unknown_class", f"{section}.{written} has {sorted(own)!r:.120}")
                rows.append((id64, event, *[own.get(name, 0) for name in CLASSES]))
        return rows

    def _chat(self) -> list[Row]:
        """Everything the console and people with a valid id said; others leave a gap in `seq`."""
        rows: list[Row] = []
        messages = list_in(self.log, "chat")
        if len(messages) > _MAX_ITEMS:
            raise BadLog("too_many", f"{len(messages)} chat messages")
        for seq, message in enumerate(messages):
            written = message["steamid"]
            id64 = None if written == CONSOLE else steamid64(written)
            if id64 is not None:
                self.game.others.add(id64)
            elif written != CONSOLE:
                continue
            rows.append((seq, id64, message["msg"]))
        return rows


# Column of player_stats_extra: key in the log, flag that says whether it was recorded.
_EXTRAS = (
    ("suicides", None),
    ("dmg_real", "hasRealDamage"),
    ("dt_real", "hasRealDamage"),
    ("hr", "hasHR"),
    ("lks", None),
    ("as", "hasAS"),
    ("medkits", "hasHP"),
    ("medkits_hp", "hasHP_real"),
    ("backstabs", "hasBS"),
    ("headshots", "hasHS"),
    ("headshots_hit", "hasHS_hit"),
    ("sentries", "hasSB"),
    ("heal", None),
    ("cpc", "hasCP"),
    ("ic", "hasIntel"),
)
_LKS = 4


def _length(round_: dict[str, Any]) -> int:
    return round_["length"]


def _winner(round_: dict[str, Any], key: str) -> str | None:
    value = round_.get(key)
    if not value:
        return None
    if value not in _TEAMS:
        raise BadLog("unknown_winner", f"a round's {key} is {value!r:.40}")
    return value


def people_of(game: GameLog) -> Iterable[tuple[int, str | None]]:
    """Who played, with the name of this game."""
    return ((row[0], row[1]) for row in game.rows.get("player_stats", ()))
