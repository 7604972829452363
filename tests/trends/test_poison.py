"""Logs that broke importers before: each goes to quarantine with its reason and harms no neighbour."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.blocks import BAD_BLOCK, Block, fits
from stats_assets.trends.gamelog import GameLog, parse
from stats_assets.trends.load import Importer
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.redrive import redrive
from tests.trends.logs import BLUE, NOW, RED, Log, a_log, another_game, exported, raw, rows, simulated, state_of

LATEST = int(NOW.timestamp())


def at(*path: str | int, value: Any) -> Callable[[Log], None]:
    """Puts a value somewhere into a log."""

    def change(log: Log) -> None:
        place: Any = log
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def repeated_class(log: Log) -> None:
    log["players"][RED]["class_stats"] *= 2


def two_ids_of_one_player(log: Log) -> None:
    log["players"]["STEAM_0:1:5"] = copy.deepcopy(log["players"][RED])


MEDIC = ("players", BLUE, "medicstats")
POISON = {
    "NUL": (at("chat", 1, "msg", value="g\0g"), "nul_character"),
    "lone surrogate": (at("chat", 1, "msg", value="\ud800"), "lone_surrogate"),
    "teams null": (lambda log: (log.update(teams=None), log.update(rounds=[])), "no_score"),
    "teams []": (lambda log: (log.update(teams=[]), log.update(rounds=[])), "no_score"),
    "players null": (at("players", value=None), "no_players"),
    "players []": (at("players", value=[]), "no_players"),
    "healspread a text": (at("healspread", value="none"), "bad_type"),
    "ubertypes a list": (at("players", BLUE, "ubertypes", value=[1]), "bad_type"),
    "uploader": (at("info", "uploader", "id", value="0"), "bad_uploader"),
    "class": (at("players", RED, "class_stats", 0, "type", value="mage"), "unknown_class"),
    "class killed": (at("classkills", RED, "mage", value=1), "unknown_class"),
    "team": (at("players", RED, "team", value="Green"), "unknown_team"),
    "winner": (at("rounds", 0, "winner", value="Green"), "unknown_winner"),
    "first cap": (at("rounds", 0, "firstcap", value=3), "unknown_winner"),
    "killstreak 0": (at("killstreaks", 0, "streak", value=0), "killstreak_without_kills"),
    "half of an advantage": (at(*MEDIC, value={"advantages_lost": 1}), "half_an_advantage"),
    "class twice": (repeated_class, "class_twice"),
    "player twice": (two_ids_of_one_player, "player_twice"),
    "no date": (at("info", "date", value=None), "bad_date"),
    "date a text": (at("info", "date", value="yesterday"), "bad_date"),
    "date to come": (at("info", "date", value=LATEST + 10**6), "bad_date"),
    "kills too many": (at("players", RED, "kills", value=2**40), "bad_number"),
    "kills beyond 64 bits": (at("players", RED, "kills", value=2**70), "bad_number"),
    "kills a fraction": (at("players", RED, "kills", value=1.5), "bad_number"),
    "kills true": (at("players", RED, "kills", value=True), "bad_type"),
    "kills a text": (at("players", RED, "kills", value="5"), "bad_type"),
    "kills null": (at("players", RED, "kills", value=None), "missing_value"),
    "no kills": (lambda log: log["players"][RED].pop("kills"), "missing_value"),
    "average without end": (at(*MEDIC, value={"avg_time_to_build": 1e300}), "bad_number"),
    "map": (at("info", "map", value="m" * 5000), "too_long"),
    "weapon": (at("players", RED, "class_stats", 0, "weapon", value={"w" * 5000: {"kills": 1}}), "too_long"),
    "not a success": (lambda log: (log.clear(), log.update(success=False, error="gone")), "not_successful"),
    "nothing": (lambda log: log.clear(), "not_a_log"),
}
BYTES = {
    "empty": (b"", "not_json"),
    "cut": (json.dumps(a_log()).encode()[:500], "not_json"),
    "html": (b"<html>maintenance</html>", "not_json"),
    "a list": (b"[1, 2]", "not_a_log"),
    "deep": (b'{"info": ' * 100_000, "not_json"),
    "not UTF-8": (json.dumps(a_log()).encode().replace(b"a game", b"\xff\xfe"), "not_json"),
    "infinite": (json.dumps(a_log()).encode().replace(b"45.5", b"1e999"), "not_json"),
}


def poisoned(change: Callable[[Log], Any]) -> bytes:
    log = another_game(a_log(), 3)
    change(log)
    return json.dumps(log).encode()


ALL = {**{name: (poisoned(change), reason) for name, (change, reason) in POISON.items()}, **BYTES}


def test_every_bad_log_is_quarantined_its_neighbours_imported_and_a_mended_copy_enters(database: StatsDatabase):
    """All in one batch, each between two good logs."""
    good = [raw(2 * n + 1, another_game(a_log(), 10 + n)) for n in range(len(ALL) + 1)]
    bad = [raw(2 * n + 2, data) for n, (data, _) in enumerate(ALL.values())]
    logs = sorted([*good, *bad], key=lambda log: log.logid)
    importer = Importer(database)
    report = importer.import_logs(logs)
    assert (report.parsed, report.quarantined) == (len(good), len(bad))
    found = dict(rows(database, "SELECT logid, reason FROM trends.quarantine"))
    assert found == {2 * n + 2: reason for n, (_, reason) in enumerate(ALL.values())}
    assert {state_of(database, log.logid) for log in bad} == {"quarantined"}
    mended = [raw(log.logid, another_game(a_log(), 5000 + log.logid)) for log in bad]
    assert importer.import_logs(mended).parsed == len(bad)
    assert rows(database, "SELECT count(*) FROM trends.quarantine") == [(0,)]
    assert rows(database, "SELECT count(*) FROM trends.games") == [(len(logs),)]


TOLERATED = {
    "uber of eight seconds": at(*MEDIC, value={"avg_uber_length": 8}),
    "uber of almost eight seconds": at(*MEDIC, value={"avg_uber_length": 7.99999999}),
    "negative average": at(*MEDIC, value={"avg_time_to_build": -3}),
    "no teams but rounds": at("teams", value=[]),
    "healspread null": at("healspread", value=None),
    "healspread []": at("healspread", value=[]),
    "healspread of one []": at("healspread", BLUE, value=[]),
    "ubertypes null": at("players", BLUE, "ubertypes", value=None),
    "ubertypes []": at("players", BLUE, "ubertypes", value=[]),
    "medicstats null": at(*MEDIC, value=None),
    "medicstats []": at(*MEDIC, value=[]),
    "all empty": lambda log: log.update(
        names=[], classkills=[], classdeaths=[], classkillassists=[], chat=None, killstreaks=None, rounds=[]
    ),
    "uploader null": at("info", "uploader", value=None),
    "spelled NUL": at("chat", 1, "msg", value="\\u0000"),
    "weapons as kills": at("players", RED, "class_stats", 0, "weapon", value={"gun": 3}),
    "no weapons": at("players", RED, "class_stats", 0, "weapon", value=[]),
    "class unknown": at("players", RED, "class_stats", 0, "type", value="unknown"),
    "team null": at("players", BLUE, "team", value=None),
    "length negative": lambda log: (log["info"].update(total_length=-5), log["rounds"][0].update(length=-300)),
    "streaks of strangers": at("killstreaks", 0, "steamid", value="Console"),
}


def test_what_has_a_meaning_is_imported(database: StatsDatabase):
    logs = [raw(n + 1, poisoned(change)) for n, change in enumerate(TOLERATED.values())]
    report = Importer(database).import_logs(logs)
    assert report.reasons == {}
    assert rows(database, "SELECT count(*) FROM trends.medic_stats WHERE avg_uber_duration IS NOT NULL") == [(0,)]


def test_rows_the_database_refuses_quarantine_their_log_alone(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute("ALTER TABLE trends.killstreaks ADD CHECK (kills <> 13)")
    bad = another_game(a_log(), 7)
    bad["killstreaks"][0]["streak"] = 13
    logs = [raw(n, another_game(a_log(), 100 + n)) for n in range(1, 40)]
    report = Importer(database).import_logs([*logs, raw(50, bad)])
    assert (report.parsed, report.quarantined) == (39, 1)
    assert rows(database, "SELECT logid, reason FROM trends.quarantine") == [(50, "refused_by_database")]
    with database.transaction() as cursor:
        cursor.execute("ALTER TABLE trends.killstreaks DROP CONSTRAINT killstreaks_kills_check1")
    assert redrive(database).parsed == 1
    assert state_of(database, 50) == "parsed"


# A mutation: any value of a log replaced, removed or doubled, or its bytes cut or scrambled.
VALUES = (
    None,
    [],
    {},
    "",
    "x",
    0,
    -1,
    1.5,
    8,
    2**31,
    2**63,
    2**70,
    1e300,
    True,
    False,
    "\0",
    [None],
    {"": 1},
    "Console",
)


def mutated(log: Log, dice: random.Random) -> bytes:
    if dice.random() < 0.1:
        data = bytearray(json.dumps(log).encode())
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        return bytes(data[: dice.randrange(len(data))] if dice.random() < 0.3 else data)
    log = orjson.loads(orjson.dumps(log))  # a quick copy
    for _ in range(dice.randint(1, 3)):
        place: Any = log
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = dice.choice(keys)
            inner = place[key]
            if not isinstance(inner, dict | list) or dice.random() < 0.12:
                _change(place, key, dice)
                break
            place = inner
    return json.dumps(log).encode()


def _change(place: Any, key: Any, dice: random.Random) -> None:
    kind = dice.random()
    if kind < 0.2:
        del place[key]
    elif kind < 0.3 and isinstance(place, list):
        place.append(copy.deepcopy(place[key]))
    elif kind < 0.4 and isinstance(place, dict):
        place[dice.choice(("x", "", "[U:1:0]", "STEAM_0:1:5", "undefined"))] = place[key]
    else:
        place[key] = dice.choice(VALUES)


def outcome(logid: int, data: bytes) -> GameLog | BadLog:
    """What an import makes of the bytes: rows, or a reason for quarantine."""
    try:
        game = parse(logid, data, LATEST)
        fits(game)
        return game
    except BadLog as error:
        return error


def thin(data: bytes) -> Log:
    """A log without the parts nobody reads, so that mutations hit those that are."""
    log = json.loads(data)
    for round_ in log.get("rounds", []):
        for unread in ("events", "players"):
            round_.pop(unread, None)
    log["rounds"] = log.get("rounds", [])[:2]
    log["players"] = dict(list(log["players"].items())[:2])
    for section in ("names", "healspread", "classkills", "classdeaths", "classkillassists"):
        log[section] = dict(list((log.get(section) or {}).items())[:2])
    log["chat"], log["killstreaks"] = log["chat"][:3], (log.get("killstreaks") or [])[:2]
    for player in log["players"].values():
        for stats in player["class_stats"]:
            stats["weapon"] = dict(list((stats.get("weapon") or {}).items())[:1])
    return log


@pytest.fixture(scope="module")
def originals() -> list[Log]:
    found = []
    for log in simulated(date(2026, 2, 1), 4):
        if isinstance(outcome(log.logid, log.data), GameLog):
            found.append(thin(log.data))
    return found


@pytest.mark.slow
def test_no_mutation_of_a_log_does_more_than_be_refused(
    originals: list[Log], record_property: Callable[[str, object], None]
):
    """Each is refused with a reason, or its rows fit the tables; how many, and why, is told (-s, or JUnit file)."""
    dice, outcomes = random.Random(7), Counter[str]()
    for n in range(20_500):
        found = outcome(n + 1, mutated(dice.choice(originals), dice))
        outcomes["parsed" if isinstance(found, GameLog) else found.reason] += 1
        if isinstance(found, GameLog) and dice.random() < 0.05:
            block = Block([found])
            block.streams({name: number for number, name in enumerate(block.weapons)})
    record_property("outcomes", dict(outcomes))
    print(f"{outcomes.total()} mutated logs: {outcomes}")
    assert outcomes.total() >= 20_000
    quarantined = outcomes.total() - outcomes["parsed"]
    assert min(outcomes["parsed"], quarantined) > 2_000
    assert len(outcomes) > 10, "reasons of many kinds"


@pytest.mark.slow
def test_mutations_go_through_the_database_and_leave_the_good_logs_alone(
    database: StatsDatabase, originals: list[Log], tmp_path: Path
):
    dice = random.Random(8)
    good = [raw(10_000 + n, log) for n, log in enumerate(originals)]
    Importer(database).import_logs(good)
    with database.transaction() as cursor:
        cursor.execute("UPDATE trends.games SET duplicate_of = NULL")
    cases = [raw(20_000 + n, mutated(dice.choice(originals), dice)) for n in range(1_500)]
    report = Importer(database).import_logs(cases)
    assert report.parsed + report.quarantined == len(cases)
    assert report.reasons.get("refused_by_database", 0) == 0
    assert rows(database, "SELECT count(*) FROM trends.quarantine") == [(report.quarantined,)]
    kept = rows(database, "SELECT count(DISTINCT logid) FROM trends.player_stats WHERE logid < 20000")
    assert kept == [(len(good),)]
    assert exported(database, tmp_path)["log.csv"].count("\n") == 1 + len(good) + report.parsed


def test_bad_values_of_a_block_are_found_where_they_are():
    game = parse(1, json.dumps(a_log()).encode(), LATEST)
    game.values["player_stats"][3] = 2**40
    with pytest.raises(BAD_BLOCK):
        Block([game]).streams({"gun_soldier": 1, "gun_medic": 2})
    with pytest.raises(BadLog, match=r"bad_number: player_stats\.kills"):
        fits(game)
