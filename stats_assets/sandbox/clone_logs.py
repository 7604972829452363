"""Logs as SQLite batches, the way the cloning tool of the game-log community stores them: file 39.sqlite3 holds the
ids from 3,900,000 to 3,999,999. What that format loses is lost here too: everything of the class heavyweapons, healing
points a player gave in all, events, charges of unknown mediguns, rounds and scores of logs of version 1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Log = Mapping[str, Any]
Row = tuple[Any, ...]

IDS_PER_FILE = 100_000
_INDIVIDUAL = 0x0110_0001_0000_0000

# The tool looks classes up under these names; logs say heavyweapons, so its heavy columns never hold anything.
_CLASSES = ("scout", "soldier", "pyro", "demoman", "heavy", "engineer", "medic", "sniper", "spy")
_FLAGS = {
    "has_real_damage": "hasRealDamage",
    "has_weapon_damage": "hasWeaponDamage",
    "has_accuracy": "hasAccuracy",
    "has_medkit_pickups": "hasHP",
    "has_medkit_health": "hasHP_real",
    "has_headshot_kills": "hasHS",
    "has_headshot_hits": "hasHS_hit",
    "has_backstabs": "hasBS",
    "has_point_captures": "hasCP",
    "has_sentries_built": "hasSB",
    "has_damage_taken": "hasDT",
    "has_airshots": "hasAS",
    "has_heals_received": "hasHR",
    "has_intel_captures": "hasIntel",
}
_TEAM = {
    "score": "score",
    "kills": "kills",
    "deaths": "deaths",
    "damage": "dmg",
    "first_caps": "firstcaps",
    "caps": "caps",
    "charges": "charges",
    "drops": "drops",
}
_PLAYER = {
    "team": "team",
    "kills": "kills",
    "assists": "assists",
    "deaths": "deaths",
    "suicides": "suicides",
    "damage": "dmg",
    "damage_real": "dmg_real",
    "damage_taken": "dt",
    "damage_taken_real": "dt_real",
    "heals_received": "hr",
    "longest_killstreak": "lks",
    "airshots": "as",
    "medkit_pickup": "medkits",
    "medkit_health": "medkits_hp",
    "backstabs": "backstabs",
    "headshot_kills": "headshots",
    "headshots": "headshots_hit",
    "sentries": "sentries",
    "point_captures": "cpc",
    "intel_captures": "ic",
    "charges": "ubers",
}
_CHARGES = {
    "charges_uber": "medigun",
    "charges_kritzkrieg": "kritzkrieg",
    "charges_vaccinator": "vaccinator",
    "charges_quickfix": "quickfix",
}
_MEDIC = {
    "advantages_lost": "advantages_lost",
    "biggest_advantage_lost": "biggest_advantage_lost",
    "deaths_with_95_uber": "deaths_with_95_99_uber",
    "deaths_within_20s_after_uber": "deaths_within_20s_after_uber",
    "average_time_before_healing": "avg_time_before_healing",
    "average_time_to_build": "avg_time_to_build",
    "average_time_before_using": "avg_time_before_using",
    "average_charge_length": "avg_uber_length",
}
_AS_CLASS = {"time": "total_time", "kills": "kills", "assists": "assists", "deaths": "deaths", "damage": "dmg"}
_AGAINST = {"kills": "classkills", "assists": "classkillassists", "deaths": "classdeaths"}
_ROUND = {"score": "score", "kills": "kills", "damage": "dmg", "charges": "ubers"}
_SIDES = {"red": "Red", "blu": "Blue"}

_TABLES = {
    "log": [
        *("id INTEGER PRIMARY KEY", "date TEXT", "title TEXT", "map TEXT", "duration INTEGER", "supplemental INTEGER"),
        *(f"{flag} INTEGER" for flag in _FLAGS),
        *("scoring_attack_defense INTEGER", "uploader_steam_id INTEGER", "uploader_name TEXT", "uploader_info TEXT"),
        *(f"{side}_{name} INTEGER" for side in _SIDES for name in _TEAM),
    ],
    "killstreak": ["log_id INTEGER", "steam_id INTEGER", "streak INTEGER", "time INTEGER"],
    "chat": ["log_id INTEGER", "idx INTEGER", "steam_id INTEGER", "name TEXT", "message TEXT"],
    "heal_spread": ["log_id INTEGER", "healer_steam_id INTEGER", "target_steam_id INTEGER", "heal_amount INTEGER"],
    "round": [
        *("log_id INTEGER", "idx INTEGER", "start INTEGER", "duration INTEGER", "first_cap TEXT", "winner TEXT"),
        *(f"{side}_{name} INTEGER" for side in _SIDES for name in _ROUND),
    ],
    "player": [
        *("log_id INTEGER", "steam_id INTEGER", "name TEXT", "team TEXT"),
        *(f"{name} INTEGER" for name in (*list(_PLAYER)[1:], *_CHARGES, "drops")),
        *(f"{name} {'REAL' if name.startswith('average') else 'INTEGER'}" for name in _MEDIC),
        *(f"{name}_as_{role} INTEGER" for role in _CLASSES for name in _AS_CLASS),
        *(f"{role}_{name} INTEGER" for role in _CLASSES for name in _AGAINST),
    ],
    "player_weapon": [
        *("log_id INTEGER", "steam_id INTEGER", "class TEXT", "weapon TEXT", "kills INTEGER", "damage INTEGER"),
        *("average_damage REAL", "shots INTEGER", "hits INTEGER"),
    ],
}


def write_batches(folder: Path, logs: Iterable[tuple[int, Log]]) -> list[Path]:
    """One file per block of ids, each made anew; ids must come in rising order. Gives the files."""
    files: list[Path] = []
    blocks: dict[int, list[tuple[int, Log]]] = {}
    for logid, log in logs:
        blocks.setdefault(logid // IDS_PER_FILE, []).append((logid, log))
    for number, found in blocks.items():
        files.append(folder / f"{number}.sqlite3")
        write_batch(files[-1], found)
    return files


def write_batch(file: Path, logs: Iterable[tuple[int, Log]]) -> None:
    """One file with these logs, in place of an older one."""
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        for logid, log in logs:
            for table, rows in _rows(logid, log).items():
                places = ", ".join("?" * len(_TABLES[table]))
                connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - our own names


def _rows(logid: int, log: Log) -> dict[str, list[Row]]:
    players = log["players"]
    return {
        "log": [_log_row(logid, log)],
        "killstreak": [(logid, _id64(k["steamid"]), k["streak"], k["time"]) for k in log.get("killstreaks", [])],
        "chat": [(logid, n, _id64(line["steamid"]), line["name"], line["msg"]) for n, line in enumerate(log["chat"])],
        "heal_spread": [
            (logid, _id64(healer), _id64(healee), points)
            for healer, spread in log["healspread"].items()
            for healee, points in spread.items()
        ],
        "round": [_round_row(logid, n, round_) for n, round_ in enumerate(log.get("rounds", []))],
        "player": [_player_row(logid, steamid, log) for steamid in players],
        "player_weapon": [
            row for steamid, player in players.items() for row in _weapon_rows(logid, _id64(steamid), player)
        ],
    }


def _log_row(logid: int, log: Log) -> Row:
    info = log["info"]
    uploader = info["uploader"]
    return (
        logid,
        datetime.fromtimestamp(info["date"], UTC).strftime("%Y-%m-%d %H:%M:%S"),
        info["title"],
        info["map"],
        info["total_length"],
        _whole(info["supplemental"]),
        *(_whole(info.get(name)) for name in _FLAGS.values()),
        _whole(info.get("AD_scoring")),
        _id64(uploader["id"]),
        uploader["name"],
        uploader["info"],
        *(log.get("teams", {}).get(team, {}).get(name) for team in _SIDES.values() for name in _TEAM.values()),
    )


def _round_row(logid: int, number: int, round_: Log) -> Row:
    sides = round_["team"]
    return (
        logid,
        number,
        round_.get("start_time"),
        round_["length"],
        round_.get("firstcap"),
        round_["winner"],
        *(sides[team].get(name) for team in _SIDES.values() for name in _ROUND.values()),
    )


def _player_row(logid: int, steamid: str, log: Log) -> Row:
    player = log["players"][steamid]
    medic, charges = player.get("medicstats", {}), player.get("ubertypes", {})
    by_class = {stats["type"]: stats for stats in player["class_stats"]}
    against = {name: log.get(section, {}).get(steamid, {}) for name, section in _AGAINST.items()}
    return (
        logid,
        _id64(steamid),
        log["names"].get(steamid),
        *(player.get(name) for name in _PLAYER.values()),
        *(charges.get(gun, 0) for gun in _CHARGES.values()),
        player.get("drops"),
        *(medic.get(name) for name in _MEDIC.values()),
        *(by_class.get(role, {}).get(name) for role in _CLASSES for name in _AS_CLASS.values()),
        *(against[name].get(role) for role in _CLASSES for name in _AGAINST),
    )


def _weapon_rows(logid: int, steamid: int | None, player: Log) -> Iterable[Row]:
    names: Sequence[str] = ("kills", "dmg", "avg_dmg", "shots", "hits")
    for stats in player["class_stats"]:
        for weapon, numbers in stats.get("weapon", {}).items():
            values = numbers if isinstance(numbers, Mapping) else {"kills": numbers}
            yield (logid, steamid, stats["type"], weapon, *(values.get(name) for name in names))


def _whole(flag: bool | None) -> int | None:
    return None if flag is None else int(flag)


def _id64(text: str) -> int | None:
    """As a 64-bit number; None for the console, bots and what is no id."""
    if text.startswith("[U:1:") and text[5:-1].isdigit():
        return _INDIVIDUAL + int(text[5:-1])
    if text.startswith("STEAM_"):
        _, odd, half = text.split(":")
        return _INDIVIDUAL + int(half) * 2 + int(odd)
    return int(text) if text.isdigit() else None
