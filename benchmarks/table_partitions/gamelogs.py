"""Made-up logs of games, about 29 kB of JSON each: the same for the same seed."""

from __future__ import annotations

import json
import random
from typing import Any

_CLASSES = ("scout", "soldier", "pyro", "demoman", "heavyweapons", "engineer", "medic", "sniper", "spy")
_WEAPONS = (
    "scattergun", "pistol_scout", "tf_projectile_rocket", "quake_rl", "market_gardener", "flamethrower", "sticky",
    "tf_projectile_pipe_remote", "tf_projectile_pipe", "iron_bomber", "minigun", "tomislav", "obj_sentrygun", "shotgun",
    "syringegun_medic", "ubersaw", "sniperrifle", "awper_hand", "knife", "big_earner", "diamondback", "world",
)  # fmt: skip
_MAPS = ("cp_process_final", "cp_badlands", "koth_product_final", "cp_gullywash_final1", "cp_snakewater_final1")
_WORDS = ("gg", "wp", "nice", "lag", "pause", "ready", "one more", "rofl", "medic!", "who is flanking", "gl hf", "?")
_COUNTS = ("kills", "deaths", "assists", "suicides", "dmg", "dmg_real", "dt", "dt_real", "hr", "lks", "as", "ubers",
           "drops", "medkits", "medkits_hp", "backstabs", "headshots", "headshots_hit", "sentries", "heal", "cpc", "ic")  # fmt: skip


def game_log(number: int) -> str:
    """One log as minified JSON."""
    dice = random.Random(number)
    players = [f"[U:1:{dice.randrange(10_000_000, 1_200_000_000)}]" for _ in range(dice.randrange(12, 19))]
    log = {
        "version": 3,
        "teams": {team: _team(dice) for team in ("Red", "Blue")},
        "length": dice.randrange(900, 3600),
        "players": {player: _player(dice) for player in players},
        "names": {player: _name(dice) for player in players},
        "rounds": [_round(dice, players) for _ in range(dice.randrange(4, 10))],
        "healspread": {healer: {p: dice.randrange(9000) for p in players} for healer in players[:2]},
        **{table: {p: _by_class(dice) for p in players} for table in ("classkills", "classdeaths", "classkillassists")},
        "chat": [{"steamid": dice.choice(players), "name": _name(dice), "msg": _said(dice)} for _ in range(40)],
        "info": {"map": dice.choice(_MAPS), "supplemental": True, "total_length": dice.randrange(900, 3600)},
        "killstreaks": [_streak(dice, players) for _ in range(dice.randrange(6))],
        "success": True,
    }
    return json.dumps(log, separators=(",", ":"))


def _team(dice: random.Random) -> dict[str, int]:
    return {name: dice.randrange(200) for name in ("score", "kills", "deaths", "charges", "drops", "firstcaps", "caps")}


def _player(dice: random.Random) -> dict[str, Any]:
    counts = {name: dice.randrange(40 if len(name) < 4 else 9000) for name in _COUNTS}
    ratios = {name: f"{dice.random() * 4:.1f}" for name in ("kapd", "kpd")}
    classes = [_class_stats(dice) for _ in range(dice.randrange(1, 4))]
    return {"team": dice.choice(("Red", "Blue")), "class_stats": classes, **counts, **ratios, "dapm": dice.randrange(500)}


def _class_stats(dice: random.Random) -> dict[str, Any]:
    weapons = {weapon: _weapon(dice) for weapon in dice.sample(_WEAPONS, dice.randrange(1, 5))}
    numbers = {name: dice.randrange(6000) for name in ("kills", "assists", "deaths", "dmg", "total_time")}
    return {"type": dice.choice(_CLASSES), **numbers, "weapon": weapons}


def _weapon(dice: random.Random) -> dict[str, Any]:
    numbers = {"kills": dice.randrange(30), "dmg": dice.randrange(6000), "avg_dmg": dice.random() * 90}
    return {**numbers, "shots": dice.randrange(400), "hits": dice.randrange(200)}


def _round(dice: random.Random, players: list[str]) -> dict[str, Any]:
    events = [
        {"type": dice.choice(("charge", "pointcap", "medic_death", "drop")), "time": dice.randrange(900),
         "team": dice.choice(("Red", "Blue")), "steamid": dice.choice(players), "killer": dice.choice(players)}
        for _ in range(dice.randrange(4, 16))
    ]  # fmt: skip
    each = {p: {"team": "Red", "kills": dice.randrange(9), "dmg": dice.randrange(3000)} for p in players}
    return {"start_time": 1_700_000_000 + dice.randrange(10**8), "winner": "Red", "events": events, "players": each}


def _by_class(dice: random.Random) -> dict[str, int]:
    return {name: dice.randrange(1, 20) for name in dice.sample(_CLASSES, dice.randrange(2, 8))}


def _streak(dice: random.Random, players: list[str]) -> dict[str, Any]:
    return {"steamid": dice.choice(players), "streak": dice.randrange(3, 8), "time": dice.randrange(3600)}


def _name(dice: random.Random) -> str:
    return "".join(dice.choice("abcdefghijklmnopqrstuvwxyzABCDEF0123456789 _-é漢") for _ in range(dice.randrange(3, 20)))


def _said(dice: random.Random) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(dice.randrange(1, 6)))
