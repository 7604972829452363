"""SQLite batches of the tool clone_logs, read back into the JSON shape of the site: 22.sqlite3 holds logids from
2,200,000 to 2,299,999.

What the tool dropped stays lost, and such a log is marked as not complete: everything of the class heavyweapons
(it looked for "heavy"), healing points in all, round events, charges of mediguns it did not know, and of logs of
version 1 the score and the rounds. Ids it could not read, the console among them, are NULL and are left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from stats_assets.shared.failures import OurMistake, first_line
from stats_assets.trends.raw import RawLog
from stats_assets.trends.steamids import steamid64
from stats_assets.trends.tables import CLASSES

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
_NUMBERS = {
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
    "drops": "drops",
}
_UBERTYPES = {
    "charges_uber": "medigun",
    "charges_kritzkrieg": "kritzkrieg",
    "charges_vaccinator": "vaccinator",
    "charges_quickfix": "quickfix",
}
_MEDICSTATS = {
    "advantages_lost": "advantages_lost",
    "biggest_advantage_lost": "biggest_advantage_lost",
    "deaths_with_95_uber": "deaths_with_95_99_uber",
    "deaths_within_20s_after_uber": "deaths_within_20s_after_uber",
    "average_time_before_healing": "avg_time_before_healing",
    "average_time_to_build": "avg_time_to_build",
    "average_time_before_using": "avg_time_before_using",
    "average_charge_length": "avg_uber_length",
}
_CLASS_NUMBERS = {"time": "total_time", "kills": "kills", "assists": "assists", "deaths": "deaths", "damage": "dmg"}
_BY_CLASS = {"kills": "classkills", "assists": "classkillassists", "deaths": "classdeaths"}
_ROUND_NUMBERS = {"score": "score", "kills": "kills", "damage": "dmg", "charges": "ubers"}
_TEAMS = {"red": "Red", "blu": "Blue"}
# Heavy's columns never hold anything: the tool looked for another name than the logs have.
_CLASS_COLUMNS = {"heavy" if name == "heavyweapons" else name: name for name in CLASSES}
# Picked from a player's row at once: columns by name one after the other took half of the reading.
_BY_CLASS_NUMBERS = {
    name: itemgetter(*(f"{what}_as_{column}" for what in _CLASS_NUMBERS)) for column, name in _CLASS_COLUMNS.items()
}
_AGAINST_CLASSES = {kind: itemgetter(*(f"{column}_{kind}" for column in _CLASS_COLUMNS)) for kind in _BY_CLASS}

# Tables that hold several rows of a log, with what puts these in order.
_PARTS = {
    "player": "rowid",
    "player_weapon": "rowid",
    "killstreak": "rowid",
    "heal_spread": "rowid",
    "chat": "idx",
    "round": "idx",
}

Row = Mapping[str, Any]


def read_batch(file: Path, name: str) -> Iterator[RawLog]:
    """Every log of the batch by rising logid, reading each table once. Raises OurMistake when it is not a batch."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            connection.text_factory = _text
            yield from _read(connection, name, datetime.fromtimestamp(file.stat().st_mtime, UTC))
    except sqlite3.Error as error:
        raise OurMistake(
            f"{name}: is not a SQLite batch of clone_logs, or is damaged: {first_line(error)}; fetch it anew"
        ) from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _read(connection: sqlite3.Connection, name: str, fetched_at: datetime) -> Iterator[RawLog]:
    parts = {table: _Part(connection, table, order) for table, order in _PARTS.items()}
    for row in _rows(connection, "SELECT * FROM log ORDER BY id"):
        logid = row["id"]
        log = _log(row, {table: part.rows_of(logid) for table, part in parts.items()})
        yield RawLog(logid, orjson.dumps(log), f"clone_logs:{name}", fetched_at, is_complete=False)


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[Row]:
    """Rows by column name. sqlite3.Row looks a name up by comparing it with all: among the 130 columns of a player that
    took ten times as long as everything else."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


class _Part:
    """One table beside the logs, by rising logid: SQLite sorts it on disk, nothing is looked up per log.

    The batches have no index on the logid: a search per log would read the whole table each time.
    """

    def __init__(self, connection: sqlite3.Connection, table: str, order: str) -> None:
        rows = _rows(connection, f"SELECT * FROM {table} ORDER BY log_id, {order}")  # noqa: S608 - our own names
        self._groups = groupby(rows, key=itemgetter("log_id"))
        self._next: tuple[int, list[Row]] | None = (-1, [])

    def rows_of(self, logid: int) -> list[Row]:
        """The log's rows; to be asked by rising logid. Rows of no log are passed over."""
        while self._next is not None and self._next[0] < logid:
            group = next(self._groups, None)
            self._next = None if group is None else (group[0] if group[0] is not None else -1, list(group[1]))
        return self._next[1] if self._next is not None and self._next[0] == logid else []


def _log(row: Row, parts: Mapping[str, list[Row]]) -> dict[str, Any]:
    people = [player for player in parts["player"] if _is_person(player["steam_id"])]
    weapons = _grouped(parts["player_weapon"])
    chat = [line for line in parts["chat"] if _is_person(line["steam_id"])]
    return {
        "version": 3,
        "success": True,
        "info": _info(row),
        "teams": {
            team: {"score": row[f"{side}_score"]} for side, team in _TEAMS.items() if row[f"{side}_score"] is not None
        },
        "names": {_steam(player): player["name"] for player in people},
        "players": {_steam(player): _player(player, weapons.get(player["steam_id"], [])) for player in people},
        "rounds": [_round(round_) for round_ in parts["round"]],
        "healspread": _healspread(parts["heal_spread"]),
        **{
            section: {_steam(player): counts for player in people if (counts := _against(player, kind))}
            for kind, section in _BY_CLASS.items()
        },
        "chat": _chat(chat),
        "killstreaks": [
            {"steamid": _steam(streak), "streak": streak["streak"], "time": streak["time"]}
            for streak in parts["killstreak"]
            if _is_person(streak["steam_id"])
        ],
    }


def _info(row: Row) -> dict[str, Any]:
    # The text is UTC, whatever the time zone of this machine.
    uploaded_at = datetime.strptime(row["date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    flags = {name: bool(row[column]) for column, name in _FLAGS.items()}
    ad_scoring = row["scoring_attack_defense"]
    uploader = row["uploader_steam_id"]
    return {
        "map": row["map"],
        "title": row["title"],
        "date": int(uploaded_at.timestamp()),
        "total_length": row["duration"],
        "AD_scoring": None if ad_scoring is None else bool(ad_scoring),
        **flags,
        "uploader": {"id": str(uploader), "name": row["uploader_name"]} if _is_person(uploader) else None,
    }


def _player(row: Row, weapons: Iterable[Row]) -> dict[str, Any]:
    player: dict[str, Any] = {name: row[column] for column, name in _NUMBERS.items()}
    player["team"] = row["team"]
    player["ubertypes"] = {name: row[column] for column, name in _UBERTYPES.items() if row[column]}
    medicstats = {name: row[column] for column, name in _MEDICSTATS.items()}
    if any(medicstats.values()):
        player["medicstats"] = medicstats
    player["class_stats"] = list(_class_stats(row, weapons))
    return player


def _class_stats(row: Row, weapons: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Of classes with any number that is not 0."""
    by_class: dict[str, dict[str, Any]] = {}
    for weapon in weapons:
        numbers = {
            "kills": weapon["kills"],
            "dmg": weapon["damage"],
            "avg_dmg": weapon["average_damage"],
            "shots": weapon["shots"],
            "hits": weapon["hits"],
        }
        by_class.setdefault(weapon["class"], {})[weapon["weapon"]] = numbers
    for name, numbers_of in _BY_CLASS_NUMBERS.items():
        numbers = numbers_of(row)
        if any(numbers):
            yield {
                "type": name,
                **{key: value or 0 for key, value in zip(_CLASS_NUMBERS.values(), numbers, strict=True)},
                "weapon": by_class.get(name, {}),
            }


def _against(row: Row, kind: str) -> dict[str, int]:
    """Kills, deaths or assists by the other's class, without those of heavies."""
    return {name: count for name, count in zip(CLASSES, _AGAINST_CLASSES[kind](row), strict=True) if count}


def _round(row: Row) -> dict[str, Any]:
    return {
        "start_time": row["start"],
        "length": row["duration"],
        "firstcap": row["first_cap"],
        "winner": row["winner"],
        "team": {
            team: {key: row[f"{side}_{column}"] for column, key in _ROUND_NUMBERS.items()}
            for side, team in _TEAMS.items()
        },
    }


def _healspread(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    spread: dict[str, dict[str, int]] = {}
    for row in rows:
        healer, healee = row["healer_steam_id"], row["target_steam_id"]
        if _is_person(healer) and _is_person(healee):
            spread.setdefault(str(healer), {}).setdefault(str(healee), row["heal_amount"])
    return spread


def _chat(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """By place in the log: places of lines that are left out are filled with lines of nobody, which leave a gap."""
    lines: list[dict[str, Any]] = []
    for row in rows:
        lines += [{"steamid": "", "msg": ""}] * (row["idx"] - len(lines))
        lines.append({"steamid": str(row["steam_id"]), "msg": row["message"]})
    return lines


def _grouped(rows: Iterable[Row]) -> dict[int | None, list[Row]]:
    groups: dict[int | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["steam_id"], []).append(row)
    return groups


def _steam(row: Row) -> str:
    return str(row["steam_id"])


def _is_person(number: int | None) -> bool:
    """Not NULL, and none of the numbers the tool writes for bots and the unreadable."""
    return number is not None and steamid64(str(number)) is not None
