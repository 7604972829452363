"""Demos and league matches from simulated sites and from folders, and the links of logs to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stats_assets.sandbox.game_logs import SimulatedLogs
from stats_assets.sandbox.game_plan import FIRST_DAY, GamePlan
from stats_assets.sandbox.league_sites import DemoSite, Etf2lSite, RglSite
from stats_assets.sandbox.sites import SiteRequest
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import etf2l, rgl
from stats_assets.trends.api_client import Patience, Site
from stats_assets.trends.cubes import LEADERBOARD
from stats_assets.trends.cubes_store import refresh, stale_days
from stats_assets.trends.league_import import FolderOfAnswers, LeagueImporter
from stats_assets.trends.leagues import Membership, Unreadable, memberships
from stats_assets.trends.load import Importer
from stats_assets.trends.raw import RawLog
from tests.trends.sites import served

PLAN = GamePlan(seed=7, logs_per_day=8)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(3)]
NOW = datetime(2025, 11, 6, 9, tzinfo=UTC)
GAMES = [game for day in DAYS for game in PLAN.games(day)]
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def importer(database: StatsDatabase) -> LeagueImporter:
    return LeagueImporter(database, lambda: NOW)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    sites = {
        "demos": DemoSite(PLAN, lambda: NOW),
        "etf2l": Etf2lSite(PLAN, lambda: NOW),
        "rgl": RglSite(PLAN, lambda: NOW),
    }
    with served(tmp_path, sites) as address:
        yield address


def site(url: str) -> Site:
    return Site(url, Patience(between_requests=0, attempts=2), lambda _: None)


def rows(database: StatsDatabase, statement: str) -> list[tuple[Any, ...]]:
    with database.transaction() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def import_games(database: StatsDatabase) -> None:
    logs = SimulatedLogs(PLAN)
    Importer(database).import_logs(
        RawLog(logid, body, "file:test", NOW) for day in DAYS for logid, body in logs.of_day(day).items()
    )


def test_logs_find_their_demos_and_matches(database: StatsDatabase, importer: LeagueImporter, url: str):
    import_games(database)
    importer.bring_demos(site(f"{url}/demos"))
    importer.bring_etf2l(site(f"{url}/etf2l"))
    importer.bring_rgl(site(f"{url}/rgl"))
    counted = [game.logid for game in GAMES if not game.quirk and not game.copy_of]
    importer.link_demos(DAYS[0])
    linked = dict(rows(database, "SELECT logid, demoid FROM trends.demo_links"))
    for game in GAMES:
        if game.logid in counted and game.has_demo:
            assert linked[game.logid] == game.logid - 3_000_000
    importer.link_matches(DAYS[0])
    found = {logid: tuple(row) for logid, *row in rows(database, "SELECT * FROM trends.match_links")}
    for game in GAMES:
        if game.match and game.logid in counted:
            league, matchid, team1_is_red, _ = found[game.logid]
            assert (league, matchid) == (game.match.league, game.match.matchid)
            assert team1_is_red == (set(game.red) <= set(game.match.teams[0].roster))


def test_a_new_link_makes_the_cube_stale_and_a_second_look_links_nothing(
    database: StatsDatabase, importer: LeagueImporter, url: str
):
    import_games(database)
    refresh(database, LEADERBOARD)
    importer.bring_etf2l(site(f"{url}/etf2l"))
    assert importer.link_matches(DAYS[0]) > 0
    with database.transaction() as cursor:
        assert len(stale_days(cursor, LEADERBOARD.table)) == 3
    refresh(database, LEADERBOARD)
    assert rows(database, "SELECT count(*) > 0 FROM trends.leaderboard_cube WHERE league = 'etf2l'") == [(True,)]
    assert importer.link_matches(DAYS[0]) == 0


def test_a_log_imported_again_keeps_its_links(database: StatsDatabase, importer: LeagueImporter, url: str):
    import_games(database)
    importer.bring_demos(site(f"{url}/demos"))
    linked = importer.link_demos(DAYS[0])
    logs = SimulatedLogs(PLAN).of_day(DAYS[1])
    Importer(database).import_logs([RawLog(n, body, "file:again", NOW) for n, body in logs.items()], force=True)
    assert rows(database, "SELECT count(*) FROM trends.demo_links") == [(linked,)]


def test_bringing_twice_gives_the_same_and_asks_for_no_demo_twice(
    database: StatsDatabase, importer: LeagueImporter, url: str
):
    tables = ("demos", "league_matches", "team_members")
    everything = datetime(2025, 1, 1, tzinfo=UTC)

    def bring() -> dict[str, list[Any]]:
        importer.bring_demos(site(f"{url}/demos"), everything)
        importer.bring_etf2l(site(f"{url}/etf2l"), everything)
        importer.bring_rgl(site(f"{url}/rgl"), everything)
        return {table: sorted(rows(database, f"SELECT t::text FROM trends.{table} t")) for table in tables}

    first = bring()
    assert [len(first[table]) > 0 for table in tables] == [True] * 3
    assert bring() == first
    assert importer.bring_demos(site(f"{url}/demos"), everything).new == 0


def test_a_folder_of_answers_is_read_like_the_site(database: StatsDatabase, importer: LeagueImporter, tmp_path: Path):
    site_ = Etf2lSite(PLAN, lambda: NOW)
    result = PLAN.matches("etf2l", DAYS[0])[0]
    for path in ("results/1.json", *(f"team/{team.teamid}/transfers/1.json" for team in result.teams)):
        file = tmp_path / "answers" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(site_(SiteRequest("GET", path, {}, {})).body)
    brought = importer.bring_etf2l(FolderOfAnswers(tmp_path / "answers"))
    assert brought.new == 3
    assert rows(database, "SELECT count(DISTINCT teamid) >= 2 FROM trends.team_members") == [(True,)]


def test_a_site_that_talks_nonsense_is_away(importer: LeagueImporter, tmp_path: Path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/1.json").write_text("<html>")
    with pytest.raises(SourceAway, match=r"results/1.json"):
        importer.bring_etf2l(FolderOfAnswers(tmp_path))


def test_one_odd_result_is_left_out_and_told(importer: LeagueImporter, tmp_path: Path, database: StatsDatabase):
    good = json.loads(json.dumps(result_of(1, "6v6")))
    (tmp_path / "results").mkdir()
    page = {"results": [good, result_of(2, "chess"), {"id": 3}, None], "page": {"total_pages": 1}}
    (tmp_path / "results/1.json").write_text(json.dumps(page))
    brought = importer.bring_etf2l(FolderOfAnswers(tmp_path))
    assert brought.unreadable.total() == 3
    assert rows(database, "SELECT matchid, score1 FROM trends.league_matches") == [(1, 4.0)]


def result_of(matchid: int, kind: str) -> dict[str, Any]:
    return {
        "id": matchid,
        "clan1": {"id": 9, "name": "nine"},
        "clan2": {"id": 5, "name": "five"},
        "r1": 2,
        "r2": 4,
        "competition": {"name": "Season", "type": kind},
        "division": None,
        "defaultwin": 1,
        "maps": ["cp_b", "cp_a", "variable"],
        "round": None,
        "time": int(AT.timestamp()),
    }


def test_sides_go_by_team_id_and_scores_with_them():
    match = etf2l.read_result(result_of(7, "Highlander Season"))
    assert (match.team1, match.names[0], match.score1, match.format) == (5, "five", 4.0, "highlander")
    assert (match.maps, match.is_forfeit, match.division) == (("cp_a", "cp_b"), True, "")


def test_times_in_a_team_follow_from_joining_and_leaving():
    def day(number: int) -> datetime:
        return AT + timedelta(days=number)

    events = [
        (1, day(5), False),
        (1, day(0), True),
        (1, day(2), True),
        (1, day(9), True),
        (2, day(3), False),
        (3, day(4), True),
        (3, day(4), False),
    ]
    assert memberships(events) == [
        Membership(1, day(0), day(5)),
        Membership(1, day(9), None),
        Membership(3, day(4), None),
    ]


def test_linked_teams_have_one_id_and_matches_without_a_result_none():
    assert rgl.team_surrogate({"teamId": 900, "linkedTeams": [512, 1300]}) == 512
    sides = [{"teamName": "a", "points": None}, {"teamName": "b", "points": None}]
    match = {"matchId": 1, "divisionId": 3, "teams": sides}
    with pytest.raises(Unreadable, match="no result"):
        rgl.read_match(match, None, (1, 2))
