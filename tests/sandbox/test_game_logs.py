"""The simulated games: the same for the same seed, sums that agree, a site with faults, SQLite batches."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stats_assets.sandbox.clone_logs import write_batches
from stats_assets.sandbox.game_log_site import GameLogSite, GivenLogs
from stats_assets.sandbox.game_logs import SimulatedLogs, encoded
from stats_assets.sandbox.game_plan import FIRST_DAY, FIRST_LOGID, GamePlan, PlannedGame
from stats_assets.sandbox.sites import SiteRequest

PLAN = GamePlan(seed=7)
LOGS = SimulatedLogs(PLAN)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(60)]
GAMES = [game for day in DAYS for game in PLAN.games(day)]
NOON = datetime(2025, 11, 5, 12, tzinfo=UTC)


def ask(site: GameLogSite, path: str, **query: str) -> tuple[int, Any]:
    answer = site(SiteRequest("GET", path, {name: [value] for name, value in query.items()}, {}))
    return answer.status, json.loads(answer.body)


def clean_game() -> PlannedGame:
    return next(game for game in GAMES if game.format == "sixes" and not game.quirk and not game.copy_of)


def test_the_same_seed_gives_the_same_logs_and_another_seed_others():
    game = clean_game()
    assert encoded(LOGS.log(game)) == encoded(SimulatedLogs(GamePlan(seed=7)).log(game))
    assert GamePlan(seed=8).games(FIRST_DAY) != PLAN.games(FIRST_DAY)


def test_ids_rise_with_the_time_of_upload_and_leave_gaps():
    ids = [game.logid for game in GAMES]
    assert ids == sorted(set(ids))
    assert [game.uploaded_at for game in GAMES] == sorted(game.uploaded_at for game in GAMES)
    assert ids[-1] - ids[0] > 2 * len(ids)
    assert PLAN.game(FIRST_LOGID) is None
    assert PLAN.game(ids[3]) == GAMES[3]


def test_sums_of_a_clean_log_agree():
    log = LOGS.log(clean_game())
    for steamid, player in log["players"].items():
        assert player["kills"] == sum(log["classkills"].get(steamid, {}).values())
        assert player["kills"] == sum(w["kills"] for w in player["class_stats"][0]["weapon"].values())
    for team in ("Red", "Blue"):
        kills = sum(player["kills"] for player in log["players"].values() if player["team"] == team)
        assert kills == log["teams"][team]["kills"] == sum(r["team"][team]["kills"] for r in log["rounds"])


def test_every_oddity_happens_and_copies_repeat_the_rounds_of_another_log():
    assert len({game.quirk for game in GAMES if game.quirk}) >= 12
    copy = next(game for game in GAMES if game.copy_of)
    original = PLAN.game(copy.copy_of or 0)
    assert original
    assert [r["length"] for r in LOGS.log(copy)["rounds"]] == [r["length"] for r in LOGS.log(original)["rounds"]]


def test_the_listing_is_newest_first_pages_and_holds_only_what_was_uploaded():
    site = GameLogSite(LOGS, now=lambda: NOON)
    _, whole = ask(site, "api/v1/log", limit="1000")
    _, page = ask(site, "log", offset="5", limit="3")
    ids = [row["id"] for row in whole["logs"]]
    assert ids == sorted(ids, reverse=True)
    assert whole["total"] == whole["results"] == len(ids)
    assert all(row["date"] <= NOON.timestamp() for row in whole["logs"])
    assert page["logs"] == whole["logs"][5:8]


def test_a_log_is_given_by_id_and_an_unknown_one_is_not_found():
    site = GameLogSite(LOGS, now=lambda: NOON)
    first = PLAN.games(FIRST_DAY)[0]
    status, log = ask(site, f"api/v1/log/{first.logid}")
    assert (status, log["success"], log["info"]["date"]) == (200, True, first.uploaded_at)
    assert ask(site, f"log/{FIRST_LOGID}")[0] == 404
    assert ask(site, f"log/{PLAN.games(DAYS[30])[0].logid}")[0] == 404, "not uploaded yet"


def test_faults_come_in_order_and_end():
    first = PLAN.games(FIRST_DAY)[0].logid
    site = GameLogSite(LOGS, now=lambda: NOON, faults={first: ["busy", "broken", "half_json"], "list": ["empty_page"]})
    request = SiteRequest("GET", f"log/{first}", {}, {})
    busy, broken, half, whole = (site(request) for _ in range(4))
    assert (busy.status, busy.headers["Retry-After"], broken.status) == (429, "1", 500)
    assert whole.body.startswith(half.body)
    assert len(half.body) < len(whole.body)
    assert ask(site, "log")[1]["logs"] == []
    assert ask(site, "log")[1]["logs"] != []
    assert site.asked == {first: 4, "list": 2}


def test_given_logs_are_served_as_they_are(tmp_path: Path):
    body = encoded(LOGS.log(clean_game()))
    (tmp_path / "log_17.json").write_bytes(body)
    site = GameLogSite(GivenLogs.of_files(list(tmp_path.glob("*.json"))))
    assert site(SiteRequest("GET", "log/17", {}, {})).body == body
    assert [row["id"] for row in ask(site, "log")[1]["logs"]] == [17]


def test_a_batch_holds_every_log_under_the_block_of_its_id(tmp_path: Path):
    usable = [game for game in GAMES if game.quirk not in ("null_sections", "empty_lists", "lone_surrogate")]
    beyond = [(4_000_001, LOGS.log(clean_game()))]
    files = write_batches(tmp_path, [(game.logid, LOGS.log(game)) for game in usable] + beyond)
    assert [file.name for file in files] == ["39.sqlite3", "40.sqlite3"]
    with closing(sqlite3.connect(files[0])) as batch:
        assert batch.execute("SELECT count(*) FROM log").fetchone() == (len(usable),)
        assert len(batch.execute("SELECT * FROM log").description) == 40
        assert len(batch.execute("SELECT * FROM player").description) == 109
        lost = "SELECT count(heavy_kills), count(kills_as_heavy), count(scout_kills) FROM player"
        heavy_kills, as_heavy, scout_kills = batch.execute(lost).fetchone()
        assert (heavy_kills, as_heavy) == (0, 0)
        assert scout_kills > 0
        assert batch.execute("SELECT count(*) FROM chat WHERE steam_id IS NULL").fetchone()[0] >= len(usable)
