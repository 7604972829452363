"""Game logs in bulk, the same at every call: `generate(number)`; as a program, into a folder of JSON files.

A few hundred simulated games, filled up to what real logs hold on average (34 kB, 210 rows), then varied per log: other
people of a pool of 30,000, other times and numbers. 820 logs a day unless told otherwise, as many as are uploaded.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from stats_assets.sandbox.game_logs import WEAPONS, SimulatedLogs
from stats_assets.sandbox.game_plan import GamePlan

FIRST_LOGID = 2_200_000
FIRST_UPLOAD = int(datetime(2018, 12, 1, tzinfo=UTC).timestamp())
LOGS_PER_DAY = 820

_TEMPLATES = 200
_POOL = 30_000
_FIRST_ACCOUNT = 50_000_000
_SECTIONS = ("players", "names", "healspread", "classkills", "classdeaths", "classkillassists")
_WORDS = (
    "gg",
    "wp",
    "nice shot",
    "lol",
    "rdy",
    "pause",
    "sniper behind",
    "medic down",
    "uber used",
    "push last",
    "mid",
)


def generate(number: int, logs_per_day: int = LOGS_PER_DAY) -> Iterator[tuple[int, bytes]]:
    """Logids and logs."""
    templates = _templates()
    for n in range(number):
        dice = random.Random(f"log {n}")
        log = orjson.loads(templates[n % len(templates)])
        yield FIRST_LOGID + n, orjson.dumps(_varied(log, n, logs_per_day, dice))


def _templates() -> list[bytes]:
    simulated = SimulatedLogs(GamePlan(seed=1, logs_per_day=30))
    found: list[bytes] = []
    day = date(2026, 1, 1)
    while len(found) < _TEMPLATES:
        games = [game for game in simulated.plan.games(day) if not game.quirk and not game.copy_of]
        for game in games:
            log = simulated.log(game)
            _fill(log, simulated.plan.random("fill", game.logid))
            found.append(orjson.dumps(log))
        day += timedelta(days=1)
    return found[:_TEMPLATES]


def _fill(log: dict[str, Any], dice: random.Random) -> None:
    """More weapons, a second class for some, kill streaks and chat."""
    people = list(log["players"])
    for player in log["players"].values():
        stats = player["class_stats"]
        if dice.random() < 0.35:
            played = {own["type"] for own in stats}
            name = dice.choice([name for name in WEAPONS if name not in played])
            stats.append({**stats[0], "type": name, "kills": 1, "dmg": 300, "total_time": 60, "weapon": {}})
        for own in stats:
            for extra in (0, 1)[: dice.randint(1, 2)]:
                weapon = {"kills": extra, "dmg": dice.randrange(900), "avg_dmg": dice.random() * 60}
                own["weapon"][f"{own['type']}_spare_{extra}"] = {**weapon, "shots": 40, "hits": 11}
    log["killstreaks"] = [
        {"steamid": dice.choice(people), "streak": dice.randint(3, 6), "time": dice.randrange(log["length"])}
        for _ in range(9)
    ]
    for _ in range(10):
        line = " ".join(dice.choices(_WORDS, k=dice.randint(1, 9)))
        log["chat"].append({"steamid": dice.choice(people), "name": "somebody", "msg": line})
    for round_ in log["rounds"]:
        round_["events"] *= 3


def _varied(log: dict[str, Any], n: int, logs_per_day: int, dice: random.Random) -> dict[str, Any]:
    uploaded_at = FIRST_UPLOAD + n * 86_400 // logs_per_day
    later = uploaded_at - log["info"]["date"]
    log["info"] |= {"date": uploaded_at, "title": f"serveme.tf #{n} - BLU vs RED"}
    for round_ in log["rounds"]:
        round_["start_time"] += later
        for team in round_["team"].values():
            team["dmg"] += dice.randrange(1000)
    # Most games are of people who play a lot.
    others = {f"[U:1:{_FIRST_ACCOUNT + min(int(dice.expovariate(6 / _POOL)), _POOL) * 7}]" for _ in range(60)}
    ids = dict(zip(log["players"], sorted(others), strict=False))
    for section in _SECTIONS:
        log[section] = {ids[steamid]: value for steamid, value in log[section].items()}
    log["healspread"] = {
        healer: {ids[healee]: points for healee, points in spread.items()}
        for healer, spread in log["healspread"].items()
    }
    for line in (*log["chat"], *log["killstreaks"]):
        line["steamid"] = ids.get(line["steamid"], line["steamid"])
    for player in log["players"].values():
        player["dmg"] += dice.randrange(500)
    return log


def main(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for logid, data in generate(number):
        (folder / f"log_{logid}.json").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
