"""Made-up logs of games, about 24 kB of JSON each: the same for the same seed.

Numbers are as skewed as in real ones, which is what decides how well they compress: most counters are zero or small,
a class has its few weapons, and a community meets the same names again. zstd brings 24 real logs to 0.17 of their
size one by one and to 0.13 together; these to about the same (see `shrink`).
"""

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
_LARGE = ("dmg", "dmg_real", "dt", "dt_real", "hr")
_SMALL = ("kills", "deaths", "assists", "lks", "medkits", "as")
_RARE = ("suicides", "ubers", "drops", "backstabs", "headshots", "headshots_hit", "sentries", "heal", "cpc", "ic")
_COMMUNITY = 3_000  # players


def game_log(number: int) -> str:
    """One log as minified JSON."""
    dice = random.Random(number)
    people = [int(_COMMUNITY * dice.random() ** 2) for _ in range(dice.randrange(12, 15))]
    players = [f"[U:1:{10_000_000 + person * 350_377}]" for person in people]
    log = {
        "version": 3,
        "teams": {team: _team(dice) for team in ("Red", "Blue")},
        "length": dice.randrange(900, 3600),
        "players": {player: _player(dice) for player in players},
        "names": {player: _name(person) for player, person in zip(players, people, strict=True)},
        "rounds": [_round(dice, players) for _ in range(dice.randrange(4, 10))],
        "healspread": {healer: {p: dice.randrange(4000) for p in players[::2]} for healer in players[:2]},
        **{table: {p: _by_class(dice) for p in players} for table in ("classkills", "classdeaths", "classkillassists")},
        "chat": [
            {"steamid": dice.choice(players), "name": _name(dice.choice(people)), "msg": _said(dice)} for _ in range(12)
        ],
        "info": {"map": dice.choice(_MAPS), "supplemental": True, "total_length": dice.randrange(900, 3600)},
        "killstreaks": [_streak(dice, players) for _ in range(dice.randrange(6))],
        "success": True,
    }
    return json.dumps(log, separators=(",", ":"))


def _team(dice: random.Random) -> dict[str, int]:
    return {name: dice.randrange(200) for name in ("score", "kills", "deaths", "charges", "drops", "firstcaps", "caps")}


def _player(dice: random.Random) -> dict[str, Any]:
    large = {name: dice.randrange(6000) for name in _LARGE}
    small = {name: _few(dice, 8) for name in _SMALL}
    rare = {name: _few(dice, 3) if dice.random() < 0.15 else 0 for name in _RARE}
    ratios = {name: f"{dice.random() * 3:.1f}" for name in ("kapd", "kpd")}
    classes = [_class_stats(dice) for _ in range(1 + _few(dice, 1))]
    more = {"dapd": dice.randrange(400), "dapm": dice.randrange(400), "ubertypes": {}, "medkits_hp": _few(dice, 8) * 50}
    return {"team": dice.choice(("Red", "Blue")), "class_stats": classes, **small, **ratios, **large, **rare, **more}


def _class_stats(dice: random.Random) -> dict[str, Any]:
    number = dice.randrange(len(_CLASSES))
    arms = _WEAPONS[2 * number : 2 * number + 4]
    weapons = {weapon: _weapon(dice) for weapon in arms[: dice.randrange(1, 4)]}
    numbers = {"kills": _few(dice, 8), "assists": _few(dice, 5), "deaths": _few(dice, 8), "dmg": dice.randrange(5000)}
    return {"type": _CLASSES[number], **numbers, "weapon": weapons, "total_time": dice.choice((600, 1200, 1800, 412))}


def _weapon(dice: random.Random) -> dict[str, Any]:
    hits = _few(dice, 20)
    damage = hits * dice.choice((20, 25, 40, 45, 60, 90)) + dice.randrange(9)
    shots = hits * 2 + _few(dice, 10)
    return {
        "kills": _few(dice, 4),
        "dmg": damage,
        "avg_dmg": damage / hits if hits else 0,
        "shots": shots,
        "hits": hits,
    }


def _few(dice: random.Random, mean: int) -> int:
    return int(dice.expovariate(1 / mean))


def _round(dice: random.Random, players: list[str]) -> dict[str, Any]:
    kinds = ("charge", "pointcap", "medic_death", "drop")
    events = [
        {"type": dice.choice(kinds), "time": dice.randrange(900), "team": dice.choice(("Red", "Blue")),
         "steamid": dice.choice(players)}
        for _ in range(dice.randrange(4, 12))
    ]  # fmt: skip
    each = {
        p: {"team": ("Red", "Blue")[n % 2], "kills": _few(dice, 3), "dmg": _few(dice, 600)}
        for n, p in enumerate(players)
    }
    teams = {
        team: {"score": _few(dice, 1), "kills": _few(dice, 9), "dmg": _few(dice, 4000), "ubers": _few(dice, 1)}
        for team in ("Blue", "Red")
    }
    start = 1_700_000_000 + dice.randrange(10**8)
    return {"start_time": start, "winner": "Red", "team": teams, "events": events, "players": each, "firstcap": "Red"}


def _by_class(dice: random.Random) -> dict[str, int]:
    return {name: 1 + _few(dice, 2) for name in _CLASSES if dice.random() < 0.55}


def _streak(dice: random.Random, players: list[str]) -> dict[str, Any]:
    return {"steamid": dice.choice(players), "streak": dice.randrange(3, 8), "time": dice.randrange(3600)}


def _name(person: int) -> str:
    dice = random.Random(-person)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789 _-é漢"
    return "".join(dice.choice(letters) for _ in range(dice.randrange(3, 20)))


def _said(dice: random.Random) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(dice.randrange(1, 6)))
