"""What a simulated game's log holds: JSON as the game-log site gives it, made kill by kill so that its sums agree.

Which games there are is told in `game_plan`; how some logs go wrong, in `game_quirks`; over HTTP, in `game_log_site`.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stats_assets.sandbox.game_plan import FIRST_DAY, GamePlan, PlannedGame
from stats_assets.sandbox.game_quirks import spoiled
from stats_assets.sandbox.game_teams import Player

Log = dict[str, Any]

CLASSES = {
    "ultiduo": ("soldier", "medic"),
    "fours": ("scout", "soldier", "demoman", "medic"),
    "sixes": ("scout", "scout", "soldier", "soldier", "demoman", "medic"),
    "highlander": ("scout", "soldier", "pyro", "demoman", "heavyweapons", "engineer", "medic", "sniper", "spy"),
}
WEAPONS = {
    "scout": ("scattergun", "pistol_scout", "maxgun"),
    "soldier": ("tf_projectile_rocket", "quake_rl", "shotgun_soldier"),
    "pyro": ("flamethrower", "degreaser", "flaregun"),
    "demoman": ("tf_projectile_pipe", "tf_projectile_pipe_remote", "iron_bomber"),
    "heavyweapons": ("minigun", "tomislav"),
    "engineer": ("obj_sentrygun3", "shotgun_primary", "wrench"),
    "medic": ("crusaders_crossbow", "ubersaw"),
    "sniper": ("sniperrifle", "machina"),
    "spy": ("knife", "ambassador"),
}
_PRESENT = {"hasRealDamage", "hasWeaponDamage", "hasAccuracy", "hasHP", "hasHP_real", "hasHS", "hasHS_hit", "hasBS"}
_FLAGS = (*sorted(_PRESENT), "hasCP", "hasSB", "hasDT", "hasAS", "hasHR", "hasIntel")
_UBERS = ("medigun", "medigun", "medigun", "kritzkrieg", "vaccinator")


@dataclass(frozen=True)
class Entry:
    """A line of the site's listing; `date` is the upload in Unix seconds."""

    id: int
    date: int
    title: str
    map: str
    players: int


@dataclass(frozen=True)
class SimulatedLogs:
    """The logs of a plan."""

    plan: GamePlan = field(default_factory=GamePlan)

    def entries(self, now: datetime) -> list[Entry]:
        """What has been uploaded by now, newest first."""
        days = ((now.astimezone(UTC).date() - FIRST_DAY).days + 1) if now.astimezone(UTC).date() >= FIRST_DAY else 0
        found = [_entry(game) for n in range(days) for game in self.plan.games(FIRST_DAY + timedelta(days=n))]
        return [entry for entry in reversed(found) if entry.date <= now.timestamp()]

    def body(self, logid: int, now: datetime) -> bytes | None:
        """The log as JSON; None when there is none (yet)."""
        game = self.plan.game(logid)
        return encoded(self.log(game)) if game and game.uploaded_at <= now.timestamp() else None

    def log(self, game: PlannedGame) -> Log:
        """The game's log, oddities included."""
        original = self.plan.game(game.copy_of) if game.copy_of else None
        log = _Match(original or game, self.plan.random("log", (original or game).logid)).log()
        log["info"] |= {"title": game.title, "date": game.uploaded_at}
        return spoiled(log, game.quirk, self.plan.random("quirk", game.logid)) if game.quirk else log

    def of_day(self, day: date) -> dict[int, bytes]:
        """Every log of a day, by id."""
        return {game.logid: encoded(self.log(game)) for game in self.plan.games(day)}


def encoded(log: Log) -> bytes:
    """As the site sends it: ASCII, other characters escaped."""
    return json.dumps(log, separators=(",", ":")).encode()


def _entry(game: PlannedGame) -> Entry:
    return Entry(game.logid, game.uploaded_at, game.title, game.map, len(game.red) + len(game.blue))


@dataclass
class _Person:
    """A player during the game."""

    player: Player
    team: str
    role: str
    kills: Counter[str] = field(default_factory=Counter)  # by class of the victim
    deaths: Counter[str] = field(default_factory=Counter)  # by class of the killer
    assists: Counter[str] = field(default_factory=Counter)
    weapon_kills: Counter[str] = field(default_factory=Counter)
    weapon_damage: Counter[str] = field(default_factory=Counter)
    damage: int = 0
    taken: int = 0
    healed: Counter[str] = field(default_factory=Counter)
    ubers: Counter[str] = field(default_factory=Counter)
    drops: int = 0
    kill_times: list[int] = field(default_factory=list)


class _Match:
    """Plays one game and writes its log down."""

    def __init__(self, game: PlannedGame, dice: random.Random) -> None:
        self._game, self._dice = game, dice
        roles = CLASSES[game.format]
        self._people = [_Person(p, "Red", roles[n]) for n, p in enumerate(game.red)]
        self._people += [_Person(p, "Blue", roles[n]) for n, p in enumerate(game.blue)]
        self._rounds: list[Log] = []
        self._score = {"Red": 0, "Blue": 0}
        self._length = 0

    def log(self) -> Log:
        count = self._dice.randint(2, 6)
        lengths = [self._dice.randint(90, 560) for _ in range(count)]
        start = self._game.uploaded_at - sum(lengths) - 60
        for length in lengths:
            self._rounds.append(self._played(start + self._length, length))
            self._length += length
        return {
            "version": 3,
            "teams": {team: self._team_totals(team) for team in ("Red", "Blue")},
            "length": self._length,
            "players": {person.player.steam3: self._player(person) for person in self._people},
            "names": {person.player.steam3: person.player.name for person in self._people},
            "rounds": self._rounds,
            "healspread": {p.player.steam3: dict(p.healed) for p in self._people if p.healed},
            "classkills": {p.player.steam3: dict(p.kills) for p in self._people if p.kills},
            "classdeaths": {p.player.steam3: dict(p.deaths) for p in self._people if p.deaths},
            "classkillassists": {p.player.steam3: dict(p.assists) for p in self._people if p.assists},
            "chat": self._chat(),
            "info": self._info(),
            "killstreaks": self._killstreaks(),
            "success": True,
        }

    def _played(self, start: int, length: int) -> Log:
        dice = self._dice
        sums = {team: {"score": 0, "kills": 0, "dmg": 0, "ubers": 0} for team in ("Red", "Blue")}
        events: list[Log] = []
        tallies: dict[str, Log] = defaultdict(lambda: {"team": "", "kills": 0, "dmg": 0})
        for at in sorted(dice.randrange(length) for _ in range(length * len(self._people) // 170)):
            killer, victim = self._kill(self._length + at)
            for key, value in (("kills", 1), ("dmg", dice.randrange(150, 420))):
                sums[killer.team][key] += value
                tally = tallies[killer.player.steam3]
                tally["team"], tally[key] = killer.team, tally[key] + value
                if key == "dmg":
                    self._hurt(killer, victim, value)
            if victim.role == "medic":
                events.append(self._event("medic_death", at, victim) | {"killer": killer.player.steam3})
        for team in sums:
            events += self._ubers(team, sums, length)
        winner = dice.choice(("Red", "Blue"))
        self._score[winner] += 1
        for team in sums:
            sums[team]["score"] = self._score[team]
        events += [
            {"type": "pointcap", "time": dice.randrange(length), "team": winner, "point": dice.randint(1, 5)},
            {"type": "round_win", "time": length, "team": winner},
        ]
        return {
            "start_time": start,
            "winner": winner,
            "team": sums,
            "events": sorted(events, key=lambda event: event["time"]),
            "players": dict(tallies),
            "firstcap": dice.choice(("Red", "Blue")),
            "length": length,
        }

    def _kill(self, at: int) -> tuple[_Person, _Person]:
        killer = self._dice.choice([p for p in self._people if p.role != "medic" or self._dice.random() < 0.15])
        victim = self._dice.choice([p for p in self._people if p.team != killer.team])
        helpers = [p for p in self._people if p.team == killer.team and p is not killer]
        killer.kills[victim.role] += 1
        victim.deaths[killer.role] += 1
        killer.weapon_kills[self._weapon(killer)] += 1
        killer.kill_times.append(at)
        if helpers and self._dice.random() < 0.4:
            self._dice.choice(helpers).assists[victim.role] += 1
        return killer, victim

    def _hurt(self, killer: _Person, victim: _Person, damage: int) -> None:
        killer.damage += damage
        killer.weapon_damage[self._weapon(killer)] += damage
        victim.taken += damage
        for medic in self._people:
            if medic.team == victim.team and medic.role == "medic" and medic is not victim:
                medic.healed[victim.player.steam3] += damage * 2 // 3

    def _weapon(self, person: _Person) -> str:
        return self._dice.choice(WEAPONS[person.role])

    def _ubers(self, team: str, sums: dict[str, Log], length: int) -> list[Log]:
        events = []
        for medic in [p for p in self._people if p.team == team and p.role == "medic"]:
            for _ in range(length // 90):
                gun, at = self._dice.choice(_UBERS), self._dice.randrange(length)
                if self._dice.random() < 0.12:
                    medic.drops += 1
                    events.append(self._event("drop", at, medic))
                else:
                    medic.ubers[gun] += 1
                    sums[team]["ubers"] += 1
                    events.append(self._event("charge", at, medic) | {"medigun": gun})
        return events

    def _event(self, kind: str, at: int, person: _Person) -> Log:
        return {"type": kind, "time": at, "team": person.team, "steamid": person.player.steam3}

    def _team_totals(self, team: str) -> Log:
        people = [p for p in self._people if p.team == team]
        return {
            "score": self._score[team],
            "kills": sum(p.kills.total() for p in people),
            "deaths": 0,
            "dmg": sum(p.damage for p in people),
            "charges": sum(p.ubers.total() for p in people),
            "drops": sum(p.drops for p in people),
            "firstcaps": sum(r["firstcap"] == team for r in self._rounds),
            "caps": sum(r["winner"] == team for r in self._rounds),
        }

    def _player(self, person: _Person) -> Log:
        dice, kills, deaths = self._dice, person.kills.total(), person.deaths.total()
        player: Log = {
            "team": person.team,
            "class_stats": self._class_stats(person),
            "kills": kills,
            "deaths": deaths,
            "assists": person.assists.total(),
            "suicides": int(dice.random() < 0.2),
            "kapd": f"{(kills + person.assists.total()) / max(deaths, 1):.1f}",
            "kpd": f"{kills / max(deaths, 1):.1f}",
            "dmg": person.damage,
            "dmg_real": person.damage // 9,
            "dt": person.taken,
            "dt_real": person.taken // 9,
            "hr": person.taken * 2 // 3,
            "lks": min(kills, 6),
            "as": dice.randrange(4),
            "dapd": person.damage // max(deaths, 1),
            "dapm": person.damage * 60 // self._length,
            "ubers": person.ubers.total(),
            "ubertypes": dict(person.ubers),
            "drops": person.drops,
            "medkits": dice.randrange(20),
            "medkits_hp": dice.randrange(600),
            "backstabs": person.weapon_kills["knife"],
            "headshots": person.weapon_kills["sniperrifle"],
            "headshots_hit": person.weapon_kills["sniperrifle"] * 2,
            "sentries": dice.randrange(3) if person.role == "engineer" else 0,
            "heal": person.healed.total(),
            "cpc": dice.randrange(5),
            "ic": 0,
        }
        if person.role == "medic":
            player["medicstats"] = self._medic_stats()
        return player

    def _class_stats(self, person: _Person) -> list[Log]:
        """One class all the time, or another one for the last part of the game."""
        rest = self._dice.randrange(20, 90) if self._dice.random() < 0.25 and person.role != "medic" else 0
        stats = [
            {
                "type": person.role,
                "kills": person.kills.total(),
                "assists": person.assists.total(),
                "deaths": person.deaths.total(),
                "dmg": person.damage,
                "weapon": {
                    name: self._weapon_stats(person, name)
                    for name in WEAPONS[person.role]
                    if person.weapon_damage[name] or person.weapon_kills[name]
                },
                "total_time": self._length - rest,
            }
        ]
        if rest:
            other = "scout" if person.role != "scout" else "sniper"
            stats.append(
                {"type": other, "kills": 0, "assists": 0, "deaths": 0, "dmg": 0, "weapon": {}, "total_time": rest}
            )
        return stats

    def _weapon_stats(self, person: _Person, name: str) -> Log:
        hits = self._dice.randrange(1, 120)
        damage = person.weapon_damage[name]
        return {
            "kills": person.weapon_kills[name],
            "dmg": damage,
            "avg_dmg": damage / hits,
            "shots": hits + self._dice.randrange(200),
            "hits": hits,
        }

    def _medic_stats(self) -> Log:
        dice = self._dice
        return {
            "advantages_lost": dice.randrange(3),
            "biggest_advantage_lost": dice.randrange(40),
            "deaths_with_95_99_uber": dice.randrange(2),
            "deaths_within_20s_after_uber": dice.randrange(3),
            "avg_time_before_healing": round(dice.uniform(0.5, 9), 6),
            "avg_time_to_build": round(dice.uniform(38, 70), 6),
            "avg_time_before_using": round(dice.uniform(5, 40), 6),
            "avg_uber_length": round(dice.uniform(5, 7.9), 6),
        }

    def _chat(self) -> list[Log]:
        lines = [{"steamid": "Console", "name": "Console", "msg": '"tournament config loaded"'}]
        for _ in range(self._dice.randrange(5, 40)):
            person = self._dice.choice(self._people).player
            words = self._dice.choice(("gg", "gl hf", "nice", "pause pls", "schönes Spiel", "wp ♥"))
            lines.append({"steamid": person.steam3, "name": person.name, "msg": words})
        return lines

    def _killstreaks(self) -> list[Log]:
        return [
            {"steamid": person.player.steam3, "streak": self._dice.randint(3, 6), "time": person.kill_times[0]}
            for person in self._people
            if person.kills.total() > 18
        ]

    def _info(self) -> Log:
        uploader = Player(self._game.logid % 7)
        return {
            "map": self._game.map,
            "supplemental": True,
            "total_length": self._length,
            **{flag: flag in _PRESENT or flag in {"hasCP", "hasDT", "hasAS", "hasHR"} for flag in _FLAGS},
            "AD_scoring": False,
            "notifications": [],
            "title": self._game.title,
            "date": self._game.uploaded_at,
            "uploader": {"id": str(uploader.steamid64), "name": uploader.name, "info": "sandbox"},
        }
