"""SQLite batches of the tool clone_logs, read back into the JSON shape of the site: 22.sqlite3 holds logids from
2,200,000 to 2,299,999.

What the tool dropped stays lost, and such a log is marked as not complete: everything of the class heavyweapons
(it looked for "heavy"), healing points in all, round events, charges of mediguns it did not know, and of logs of
version 1 the score and the rounds. Ids it could not read, the console among them, are NULL and are left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter, methodcaller
from pathlib import Path
from typing import Any

import orjson

from stats_assets.shared.failures import OurMistake, first_line
from stats_assets.trends.clone_logs_columns import (
    AGAINST,
    CHARGES,
    FLAGS,
    MEDIC,
    OF_CLASS,
    OF_TEAM,
    PARTS,
    PLAYER_NUMBERS,
    TEAMS,
    WEAPON,
    Group,
    Row,
)
from stats_assets.trends.raw import RawLog
from stats_assets.trends.steamids import steamid64


def read_batch(file: Path, name: str) -> Iterator[RawLog]:
    """Every log of the batch by rising logid, reading each table once. Raises OurMistake when it is not a batch."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            connection.text_factory = methodcaller("decode", "utf-8", "replace")
            yield from _read(connection, name, datetime.fromtimestamp(file.stat().st_mtime, UTC))
    except sqlite3.Error as error:
        raise OurMistake(
            f"{name}: is not a SQLite batch of clone_logs, or is damaged: {first_line(error)}; fetch it anew"
        ) from error


def _read(connection: sqlite3.Connection, name: str, fetched_at: datetime) -> Iterator[RawLog]:
    parts = {table: _Part(connection, table, columns, order) for table, (columns, order) in PARTS.items()}
    cursor = connection.execute("SELECT * FROM log ORDER BY id")
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        log = _log(row, {table: part.rows_of(row["id"]) for table, part in parts.items()})
        yield RawLog(row["id"], orjson.dumps(log), f"clone_logs:{name}", fetched_at, is_complete=False)


class _Part:
    """One table beside the logs, by rising logid: SQLite sorts it on disk, nothing is looked up per log.

    The batches have no index on the logid: a search per log would read the whole table each time.
    """

    def __init__(self, connection: sqlite3.Connection, table: str, columns: Sequence[str], order: str) -> None:
        query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY log_id, {order}"  # noqa: S608 - our own names
        self._groups = groupby(connection.execute(query), key=itemgetter(0))
        self._next: tuple[int, list[Row]] | None = (-1, [])

    def rows_of(self, logid: int) -> list[Row]:
        """The log's rows; to be asked by rising logid. Rows of no log are passed over."""
        while self._next is not None and self._next[0] < logid:
            group = next(self._groups, None)
            self._next = None if group is None else (group[0] if group[0] is not None else -1, list(group[1]))
        return self._next[1] if self._next is not None and self._next[0] == logid else []


def _log(row: Mapping[str, Any], parts: Mapping[str, list[Row]]) -> dict[str, Any]:
    people = [(str(player[1]), player) for player in parts["player"] if _is_person(player[1])]
    weapons = _weapons(parts["player_weapon"])
    return {
        "version": 3,
        "success": True,
        "info": _info(row),
        "teams": {
            team: {"score": row[f"{side}_score"]} for side, team in TEAMS.items() if row[f"{side}_score"] is not None
        },
        "names": {steamid: name for steamid, (_, _, name, *_) in people},
        "players": {steamid: _player(player, weapons.get(player[1], {})) for steamid, player in people},
        "rounds": [_round(round_) for round_ in parts["round"]],
        "healspread": _healspread(parts["heal_spread"]),
        **{
            section: {steamid: _not_zero(counts, player) for steamid, player in people if counts.has_any(player)}
            for section, counts in AGAINST.items()
        },
        "chat": _chat(parts["chat"]),
        "killstreaks": [
            {"steamid": str(steamid), "streak": streak, "time": seconds}
            for _, steamid, streak, seconds in parts["killstreak"]
            if _is_person(steamid)
        ],
    }


def _info(row: Mapping[str, Any]) -> dict[str, Any]:
    # The text is UTC, whatever the time zone of this machine.
    uploaded_at = datetime.strptime(row["date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    flags = {name: bool(row[column]) for column, name in FLAGS.items()}
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


def _player(row: Row, weapons: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`weapons`: by class."""
    player = {**PLAYER_NUMBERS.of(row), "team": row[3], "ubertypes": _not_zero(CHARGES, row)}
    if MEDIC.has_any(row):
        player["medicstats"] = MEDIC.of(row)
    player["class_stats"] = [
        {"type": name, **_whole(numbers, row), "weapon": weapons.get(name, {})}
        for name, numbers in OF_CLASS.items()
        if numbers.has_any(row)
    ]
    return player


def _not_zero(group: Group, row: Row) -> dict[str, Any]:
    return {name: number for name, number in group.of(row).items() if number}


def _whole(group: Group, row: Row) -> dict[str, Any]:
    return {name: number or 0 for name, number in group.of(row).items()}


def _weapons(rows: Iterable[Row]) -> dict[int | None, dict[str, dict[str, Any]]]:
    """Numbers by player, class and weapon."""
    found: dict[int | None, dict[str, dict[str, Any]]] = {}
    for row in rows:
        _, steamid, class_, weapon, *_ = row
        found.setdefault(steamid, {}).setdefault(class_, {})[weapon] = WEAPON.of(row)
    return found


def _round(row: Row) -> dict[str, Any]:
    _, start, seconds, firstcap, winner, *_ = row
    return {
        "start_time": start,
        "length": seconds,
        "firstcap": firstcap,
        "winner": winner,
        "team": {team: numbers.of(row) for team, numbers in OF_TEAM.items()},
    }


def _healspread(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    spread: dict[str, dict[str, int]] = {}
    for _, healer, healee, points in rows:
        if _is_person(healer) and _is_person(healee):
            spread.setdefault(str(healer), {}).setdefault(str(healee), points)
    return spread


def _chat(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """By place in the log: places of lines that are left out are filled with lines of nobody, which leave a gap."""
    lines: list[dict[str, Any]] = []
    for _, place, steamid, message in rows:
        if _is_person(steamid):
            lines += [{"steamid": "", "msg": ""}] * (place - len(lines))
            lines.append({"steamid": str(steamid), "msg": message})
    return lines


def _is_person(number: int | None) -> bool:
    """Not NULL, and none of the numbers the tool writes for bots and the unreadable."""
    return number is not None and steamid64(str(number)) is not None
