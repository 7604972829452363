"""How simulated logs differ from clean ones: shapes and values seen in real logs, and some that break importers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Log = dict[str, Any]
Quirk = Callable[[Log, random.Random], None]

_NOT_IN_V1 = (
    "suicides",
    "dmg_real",
    "dt",
    "dt_real",
    "hr",
    "as",
    "medkits_hp",
    "headshots_hit",
    "sentries",
    "ubertypes",
)
_FLAGS_OF_V1 = ("hasRealDamage", "hasAccuracy", "hasHP", "hasHS", "hasBS", "hasCP")
_STRANGER = "[U:1:999999937]"


def spoiled(log: Log, quirk: str, dice: random.Random) -> Log:
    """The log with one oddity, changed in place."""
    _QUIRKS[quirk](log, dice)
    return log


def as_v1(log: Log, _dice: random.Random) -> None:
    """The shape of the site's first years: Steam2 ids, rounds and scores below info, no weapons per class."""
    ids = {steam3: _steam2(steam3) for steam3 in log["players"]}
    info = log["info"]
    info["rounds"] = [_round_of_v1(round_) for round_ in log["rounds"]]
    info |= {team: {"score": log["teams"][team]["score"]} for team in ("Red", "Blue")}
    for flag in [name for name in info if name.startswith("has") and name not in _FLAGS_OF_V1]:
        del info[flag]
    info["hasKS"] = True
    for name in ("version", "teams", "rounds", "length", "killstreaks", "classkillassists"):
        del log[name]
    log["dev"] = 0
    for section in ("players", "names", "classkills", "classdeaths"):
        log[section] = {ids[steam3]: value for steam3, value in log[section].items()}
    log["healspread"] = {
        ids[healer]: {ids[healee]: points for healee, points in spread.items()}
        for healer, spread in log["healspread"].items()
    }
    for line in log["chat"]:
        line["steamid"] = ids.get(line["steamid"], line["steamid"])
    for player in log["players"].values():
        player["classes"] = {stats["type"]: stats["total_time"] for stats in player["class_stats"]}
        for name in _NOT_IN_V1:
            del player[name]
        for stats in player["class_stats"]:
            del stats["weapon"]


def _round_of_v1(round_: Log) -> Log:
    sides = {
        team: {"kills": side["kills"], "damage": side["dmg"], "ubers": side["ubers"], "score": side["score"]}
        for team, side in round_["team"].items()
    }
    return {name: round_[name] for name in ("winner", "events", "players", "length")} | sides


def _steam2(steam3: str) -> str:
    account = int(steam3[5:-1])
    return f"STEAM_0:{account % 2}:{account // 2}"


def _negative_length(log: Log, _dice: random.Random) -> None:
    log["info"]["total_length"] = log["length"] = -log["length"]


def _timestamp_as_class_time(log: Log, dice: random.Random) -> None:
    _someone(log, dice)["class_stats"][0]["total_time"] = log["info"]["date"]


def _repeated_round(log: Log, _dice: random.Random) -> None:
    log["rounds"].append(dict(log["rounds"][0]))


def _no_start_time(log: Log, _dice: random.Random) -> None:
    for round_ in log["rounds"]:
        del round_["start_time"]


def _far_start_time(log: Log, _dice: random.Random) -> None:
    for round_ in log["rounds"]:
        round_["start_time"] -= 380_000 * 3600


def _player_without_team(log: Log, dice: random.Random) -> None:
    _someone(log, dice)["team"] = None


def _strangers(log: Log, _dice: random.Random) -> None:
    """People who heal, are healed, score and talk without being players."""
    one = next(iter(log["players"]))
    log["healspread"][_STRANGER] = {one: 120}
    log["healspread"].setdefault(one, {})[_STRANGER] = 80
    log["killstreaks"].append({"steamid": _STRANGER, "streak": 3, "time": 30})
    log["chat"].append({"steamid": _STRANGER, "name": "a spectator", "msg": "hi"})
    log["chat"].append({"steamid": "BOT", "name": "a bot", "msg": "beep"})


def _unknown_class(log: Log, dice: random.Random) -> None:
    _someone(log, dice)["class_stats"].append(
        {"type": "undefined", "kills": 0, "assists": 0, "deaths": 0, "dmg": 0, "weapon": {}, "total_time": 0}
    )


def _doubled_ubers(log: Log, _dice: random.Random) -> None:
    for player in log["players"].values():
        if known := sum(player["ubertypes"].values()):
            player["ubers"] += known
            player["ubertypes"]["unknown"] = known
    for round_ in log["rounds"]:
        for side in round_["team"].values():
            side["ubers"] *= 2


def _odd_averages(log: Log, _dice: random.Random) -> None:
    for player in log["players"].values():
        if "medicstats" in player:
            player["medicstats"] |= {"avg_uber_length": 1095, "avg_time_to_build": -3.5, "avg_time_before_using": 0}


def _no_winner(log: Log, _dice: random.Random) -> None:
    log["rounds"][-1]["winner"] = None


def _empty_lists(log: Log, _dice: random.Random) -> None:
    """Empty maps as PHP writes them."""
    log |= {"healspread": [], "classkillassists": [], "names": []}


def _nul_character(log: Log, _dice: random.Random) -> None:
    log["info"]["title"] = "NUL \x00 in the title"


def _lone_surrogate(log: Log, _dice: random.Random) -> None:
    log["chat"][0]["msg"] = "half a character: \ud83d"


def _unknown_team(log: Log, dice: random.Random) -> None:
    _someone(log, dice)["team"] = "Green"


def _bad_uploader(log: Log, _dice: random.Random) -> None:
    log["info"]["uploader"]["id"] = "nobody"


def _null_sections(log: Log, _dice: random.Random) -> None:
    log |= {"players": None, "teams": None}


def _someone(log: Log, dice: random.Random) -> Log:
    return log["players"][dice.choice(list(log["players"]))]


_QUIRKS: dict[str, Quirk] = {
    "v1": as_v1,
    "negative_length": _negative_length,
    "timestamp_as_class_time": _timestamp_as_class_time,
    "repeated_round": _repeated_round,
    "no_start_time": _no_start_time,
    "far_start_time": _far_start_time,
    "player_without_team": _player_without_team,
    "strangers": _strangers,
    "unknown_class": _unknown_class,
    "doubled_ubers": _doubled_ubers,
    "odd_averages": _odd_averages,
    "no_winner": _no_winner,
    "empty_lists": _empty_lists,
    "nul_character": _nul_character,
    "lone_surrogate": _lone_surrogate,
    "unknown_team": _unknown_team,
    "bad_uploader": _bad_uploader,
    "null_sections": _null_sections,
}
