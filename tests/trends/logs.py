"""Hand-made game logs, small enough to read, and what tests ask the database."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from stats_assets.sandbox.game_logs import SimulatedLogs
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.export import export
from stats_assets.trends.raw import RawLog
from stats_assets.trends.tables import SILVER

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UPLOADED = int(datetime(2026, 2, 10, 20, tzinfo=UTC).timestamp())
RED, BLUE = "[U:1:11]", "[U:1:22]"
RED_ID, BLUE_ID = 0x0110000100000000 + 11, 0x0110000100000000 + 22

Log = dict[str, Any]


def a_log(**info: Any) -> Log:
    """A game of one against one: a medic heals nobody, a soldier shoots."""
    log: Log = {
        "version": 3,
        "success": True,
        "teams": {"Red": {"score": 2}, "Blue": {"score": 0}},
        "players": {RED: _player("Red", "soldier", kills=5), BLUE: _player("Blue", "medic", kills=0)},
        "names": {RED: "red", BLUE: "blue"},
        "rounds": [_round(UPLOADED - 700, 300, "Red"), _round(UPLOADED - 390, 310, "Red")],
        "healspread": {BLUE: {BLUE: 7}},
        "classkills": {RED: {"medic": 5}},
        "classdeaths": {BLUE: {"soldier": 5}},
        "classkillassists": {},
        "chat": [{"steamid": "Console", "msg": "hi"}, {"steamid": RED, "msg": "gg"}],
        "killstreaks": [{"steamid": RED, "streak": 5, "time": 120}],
        "info": {
            "map": "koth_x",
            "title": "a game",
            "date": UPLOADED,
            "total_length": 610,
            "hasWeaponDamage": True,
            "hasAccuracy": True,
            "hasHS_hit": True,
            "AD_scoring": False,
            "uploader": {"id": "76561197960265739", "name": "up"},
        },
    }
    log["info"] |= info
    return log


def _player(team: str, class_: str, kills: int) -> Log:
    weapon = {"kills": kills, "dmg": 900, "avg_dmg": 45.5, "shots": 40, "hits": 20}
    numbers = {"kills": kills, "assists": 0, "deaths": 5 - kills, "dmg": 900}
    return {
        "team": team,
        **numbers,
        "lks": kills,
        "heal": 7,
        "ubers": 2 if class_ == "medic" else 0,
        "drops": 0,
        "ubertypes": {"medigun": 2} if class_ == "medic" else {},
        "class_stats": [{"type": class_, **numbers, "total_time": 600, "weapon": {f"gun_{class_}": weapon}}],
    }


def _round(start: int, length: int, winner: str | None) -> Log:
    numbers = {"score": 1, "kills": 4, "dmg": length, "ubers": 1}
    return {
        "start_time": start,
        "length": length,
        "winner": winner,
        "firstcap": "Red",
        "team": {"Red": numbers, "Blue": dict(numbers)},
    }


def later(log: Log, seconds: int) -> Log:
    """The same game uploaded later, its rounds as they were."""
    moved = copy.deepcopy(log)
    moved["info"]["date"] += seconds
    return moved


def another_game(log: Log, seconds: int) -> Log:
    """A game like it, played later, of other lengths."""
    moved = later(log, seconds)
    for round_ in moved["rounds"]:
        round_["start_time"] += seconds
        round_["length"] += 1 + seconds % 97
        for team in round_["team"].values():
            team["dmg"] += seconds
    return moved


def raw(logid: int, log: Log | bytes, **fields: Any) -> RawLog:
    data = log if isinstance(log, bytes) else json.dumps(log).encode()
    return RawLog(logid, data, f"file:log_{logid}.json", NOW, **fields)


def simulated(first: date, days: int) -> list[RawLog]:
    """Logs of the sandbox, oddities and poison included."""
    found = SimulatedLogs()
    return [raw(logid, data) for n in range(days) for logid, data in found.of_day(first + timedelta(days=n)).items()]


def rows(database: StatsDatabase, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def state_of(database: StatsDatabase, logid: int) -> str | None:
    found = rows(database, f"SELECT state FROM trends.import_ledger WHERE logid = {logid}")
    return found[0][0] if found else None


def exported(database: StatsDatabase, folder: Path) -> dict[str, str]:
    """Every file of the export by name."""
    return {path.name: path.read_text() for path in export(database, folder)}


def forget(database: StatsDatabase) -> None:
    """Empties every table of the room."""
    others = ["raw_logs", "import_ledger", "quarantine", "imported_files", "days", "players", "maps", "weapons"]
    names = ", ".join(f"trends.{name}" for name in [*others, *(table.name for table in SILVER)])
    with database.transaction() as cursor:
        cursor.execute(f"TRUNCATE {names}")
