"""The cubes: hand-counted cells, every way of getting there, and a slow count of the same games."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.cubes import CUBES, LEADERBOARD, MAPS, MEDIC, Cube
from stats_assets.trends.cubes_store import differing_totals, refresh
from stats_assets.trends.export import export
from stats_assets.trends.rolling import refresh_trends
from tests.trends.gold_world import FIRST, Game, GoldWorld, Played, changed, random_game

_LEADERBOARD = """
SELECT steamid64, league::text, format::text, class::text, map, grouping,
       games, duration_seconds, wins, ties, losses, kills, deaths, assists, dmg, dt, shots, hits
  FROM trends.leaderboard_cube
"""


@pytest.fixture
def world(database: StatsDatabase) -> GoldWorld:
    return GoldWorld(database).make_room()


def leaderboard(world: GoldWorld) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = world.rows(_LEADERBOARD)
    cells = {row[:6]: row[6:] for row in rows}
    assert len(cells) == len(rows)
    return cells


def contents(world: GoldWorld) -> dict[str, list[Any]]:
    """Every table of the cubes, whole."""
    tables = [name for cube in CUBES for name in (cube.table, cube.days_table)]
    return {table: sorted(world.rows(f"SELECT t::text FROM trends.{table} t")) for table in tables}


def refresh_all(world: GoldWorld, is_full: bool = False) -> list[int]:
    return [refresh(world.database, cube, is_full).rows_changed for cube in CUBES]


def test_a_game_is_in_the_sixteen_cells_of_its_player(world: GoldWorld):
    world.put(Game(1, league="etf2l", players=(Played(7, role="soldier"),)))
    refresh(world.database, LEADERBOARD)
    sums = (1, 1800, 1, 0, 0, 10, 7, 3, 5000, 4000, 100, 40)
    cells = leaderboard(world)
    assert len(cells) == 16
    assert cells[7, "etf2l", "sixes", "soldier", "cp_process", 0] == sums
    assert cells[7, None, "sixes", None, "cp_process", 8 + 2] == sums
    assert cells[7, None, None, None, None, 15] == sums


def test_a_value_that_is_missing_is_not_a_value_that_is_rolled_up(world: GoldWorld):
    world.put(
        Game(1, players=(Played(7, role=None, kills=1),)),
        Game(2, league="rgl", players=(Played(7, role="spy", kills=20),)),
    )
    refresh(world.database, LEADERBOARD)
    kills = {cell: sums[5] for cell, sums in leaderboard(world).items()}
    assert kills[7, None, None, None, None, 1 + 4] == 1, "no league, no class, but told so"
    assert kills[7, None, None, None, None, 15] == 21


def test_what_no_game_tells_stays_unknown_and_what_some_tell_is_their_sum(world: GoldWorld):
    silent = Played(7, dt=None, shots=None, hits=None)
    world.put(Game(1, players=(silent,)))
    refresh(world.database, LEADERBOARD)
    assert leaderboard(world)[7, None, None, None, None, 15][-3:] == (None, None, None)
    world.put(Game(2, day=FIRST + timedelta(days=1), players=(Played(7, dt=30, shots=10, hits=0),)))
    refresh(world.database, LEADERBOARD)
    assert leaderboard(world)[7, None, None, None, None, 15][-3:] == (30, 10, 0)
    world.put(Game(2, day=FIRST + timedelta(days=1), players=(silent,)))
    refresh(world.database, LEADERBOARD)
    assert leaderboard(world)[7, None, None, None, None, 15][-3:] == (None, None, None)


def test_duplicates_and_uncounted_games_are_in_no_cube_but_on_the_map(world: GoldWorld):
    world.put(
        Game(1, players=(Played(7),)),
        Game(2, players=(Played(7),), duplicate_of=(1,)),
        Game(3, is_counted=False),
    )
    refresh_all(world)
    assert leaderboard(world)[7, None, None, None, None, 15][0] == 1
    assert world.rows("SELECT map, popularity FROM trends.map_popularity") == [("cp_process", 3)]


def test_a_medic_is_summed_with_weights_and_by_who_was_healed(world: GoldWorld):
    medic = {"ubers": 4, "medigun": 3, "kritz": 1, "other": 0, "drops": 1, "before_using": 12.5}
    world.put(
        Game(
            1,
            players=(
                Played(7, role="medic", medic=medic),
                Played(8, role="soldier"),
                Played(9, role=None),
                Played(10, team="Blue", role="spy"),
            ),
            healing=((7, 8, 500), (7, 9, 60), (7, 10, 7)),
        ),
        Game(2, players=(Played(7, role="medic", medic=medic | {"before_using": None}),)),
    )
    refresh(world.database, MEDIC)
    [row] = world.rows(
        "SELECT games, ubers, drops, before_using_seconds, before_using_ubers, healing, healing_soldier, healing_other,"
        " healing_enemy, healing_spy, healing_games FROM trends.medic_cube WHERE grouping = 7"
    )
    assert row == (2, 8, 2, Decimal("50.000000"), 4, 567, 500, 60, 7, 0, 1)
    assert world.rows("SELECT count(*) FROM trends.medic_cube") == [(8,)]


def test_a_game_that_is_gone_takes_its_cells_along(world: GoldWorld):
    world.put(Game(1, players=(Played(7),)), Game(2, day=FIRST + timedelta(days=1), players=(Played(8),)))
    refresh_all(world)
    world.remove(2)
    refresh_all(world)
    assert {cell[0] for cell in leaderboard(world)} == {7}
    world.remove(1)
    refresh_all(world)
    assert all(rows == [] for rows in contents(world).values())


def test_what_has_not_changed_is_left_alone(world: GoldWorld):
    world.put(Game(1, players=(Played(7),)))
    refresh_all(world)
    before = world.rows("SELECT xmin::text FROM trends.leaderboard_cube")
    report = refresh(world.database, LEADERBOARD)
    assert (report.days, report.rows_changed) == (0, 0)
    assert refresh_all(world, is_full=True) == [0, 0, 0]
    assert world.rows("SELECT xmin::text FROM trends.leaderboard_cube") == before


@pytest.mark.parametrize("seed", range(3))
def test_any_history_of_changes_gives_what_a_slow_count_and_a_full_count_give(world: GoldWorld, seed: int):
    """Games come, go, move to another day, become duplicates and get a league; most refreshes go by differences."""
    dice = random.Random(seed)
    world.put(*(random_game(dice, logid) for logid in range(1, 60)))
    refresh_all(world)
    by_differences = 0
    for turn in range(8):
        chosen = dice.sample(sorted(world.games), 2)
        world.remove(chosen[0])
        world.put(random_game(dice, 100 + turn), changed(world.games[chosen[1]], league="rgl", duplicate_of=None))
        by_differences += sum(not refresh(world.database, cube).is_full for cube in CUBES)
    assert by_differences > 8
    assert leaderboard(world) == world.slow_leaderboard()
    assert refresh_all(world, is_full=True) == [0, 0, 0]


def test_days_one_by_one_give_what_all_at_once_give(world: GoldWorld):
    dice = random.Random(11)
    games = sorted((random_game(dice, logid, days=30) for logid in range(1, 50)), key=lambda game: game.day)
    for game in games:
        world.put(game)
        refresh_all(world)
    one_by_one = contents(world)
    with world.database.transaction() as cursor:
        for table in [*one_by_one, "aggregate_days"]:
            cursor.execute(f"TRUNCATE trends.{table}")
    refresh_all(world)
    assert contents(world) == one_by_one


def test_a_full_count_finds_and_mends_what_is_wrong(world: GoldWorld):
    dice = random.Random(5)
    world.put(*(random_game(dice, logid) for logid in range(1, 30)))
    refresh_all(world)
    right = contents(world)
    assert [differing_totals(world.database, cube) for cube in CUBES] == [{}, {}, {}]
    with world.database.transaction() as cursor:
        cursor.execute("UPDATE trends.leaderboard_cube SET kills = kills + 1 WHERE grouping = 15 AND steamid64 = 1")
        cursor.execute("DELETE FROM trends.medic_cube WHERE grouping = 0 AND map = 'pl_upward'")
        cursor.execute("INSERT INTO trends.map_popularity (map, popularity) VALUES ('cp_nowhere', 3)")
    kills = differing_totals(world.database, LEADERBOARD)["kills"]
    assert kills[0] == kills[1] + 1
    assert set(differing_totals(world.database, MAPS)) == {"popularity"}
    changed_rows = refresh_all(world, is_full=True)
    assert changed_rows[0] == changed_rows[2] == 1
    assert changed_rows[1] >= 1
    assert contents(world) == right


@pytest.mark.parametrize("cube", CUBES, ids=lambda cube: cube.table)
def test_readers_are_not_held_up_while_a_cube_is_counted(world: GoldWorld, cube: Cube):
    """The refresh is stopped just before its end; a reader that had begun and one that comes now both answer."""
    medic = {"ubers": 1, "medigun": 1, "kritz": 0, "other": 0, "drops": 0, "before_using": 1.0}
    world.put(Game(1, players=(Played(7, medic=medic),)))
    refresh(world.database, cube)
    world.put(Game(2, map="cp_new", players=(Played(8, medic=medic),)))
    count = f"SELECT count(*) FROM trends.{cube.table}"
    [(before,)] = world.rows(count)
    refreshed = threading.Thread(target=refresh, args=(world.database, cube, True))
    with world.database.transaction() as early, world.database.transaction() as stopper:
        early.execute(count)
        stopper.execute("SELECT FROM trends.aggregate_days FOR UPDATE")
        refreshed.start()
        wait_until_somebody_waits(world)
        assert world.rows("SET statement_timeout = '60s'; " + count) == [(before,)]
    refreshed.join()
    assert world.rows(count) > [(before,)]


def wait_until_somebody_waits(world: GoldWorld) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while world.rows(waiting) == [(0,)]:
        time.sleep(0.02)


def test_two_refreshes_at_once_count_every_game_once(world: GoldWorld):
    dice = random.Random(3)
    world.put(*(random_game(dice, logid, days=40) for logid in range(1, 60)))
    refresh_all(world)
    world.put(*(random_game(dice, logid, days=5) for logid in range(100, 110)))
    threads = [threading.Thread(target=refresh, args=(world.database, LEADERBOARD)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leaderboard(world) == world.slow_leaderboard()


def test_a_refresh_that_breaks_in_the_middle_leaves_the_old_cube(world: GoldWorld, monkeypatch: pytest.MonkeyPatch):
    world.put(Game(1, players=(Played(7),)))
    refresh_all(world)
    before = contents(world)
    world.put(Game(2, day=FIRST + timedelta(days=1), players=(Played(8),)))
    with monkeypatch.context() as patch:
        patch.setattr("stats_assets.trends.cubes_sql.replace_days", lambda cube: ["SELECT 1 / 0"])
        patch.setattr("stats_assets.trends.cubes_store._FULL_SHARE", 1)
        with pytest.raises(psycopg2.errors.DivisionByZero):
            refresh(world.database, LEADERBOARD)
    assert contents(world) == before
    refresh_all(world)
    assert leaderboard(world) == world.slow_leaderboard()


def trends(world: GoldWorld) -> dict[tuple[int, int], tuple[float | None, ...]]:
    rows = world.rows(
        "SELECT steamid64, logid, winrate, round_winrate, kills, deaths, assists, dpm, dtm, hpm_given, hpm_received"
        " FROM trends.player_trends"
    )
    return {row[:2]: row[2:] for row in rows}


def approximately(expected: dict[tuple[int, int], tuple[float | None, ...]]) -> Any:
    """Equal keys and unknowns; numbers equal but for the last bits of a double."""
    return {key: tuple(v if v is None else pytest.approx(v, rel=1e-12) for v in row) for key, row in expected.items()}


def test_a_players_averages_are_of_the_last_twenty_games(world: GoldWorld):
    def game(n: int) -> Game:
        return Game(
            n,
            day=FIRST + timedelta(days=n),
            players=(Played(7, kills=n, wins=2 if n > 5 else 0, losses=1, hsg=1800 if n == 25 else None),),
        )

    world.put(*(game(n) for n in range(1, 26)))
    refresh_trends(world.database)
    rows = trends(world)
    assert rows[7, 1] == pytest.approx((0.0, 0.0, 1.0, 7.0, 3.0, 5000 / 30, 4000 / 30, None, 30.0))
    assert rows[7, 25] == pytest.approx((1.0, 2 / 3, 15.5, 7.0, 3.0, 5000 / 30, 4000 / 30, 60.0, 30.0))


@pytest.mark.parametrize("seed", range(3))
def test_averages_follow_any_history_of_changes(world: GoldWorld, seed: int):
    dice = random.Random(seed)
    world.put(*(random_game(dice, logid, players=8, days=20) for logid in range(1, 90)))
    refresh_trends(world.database)
    for turn in range(8):
        chosen = dice.sample(sorted(world.games), 2)
        world.remove(chosen[0])
        moved = changed(world.games[chosen[1]], day=FIRST + timedelta(days=dice.randrange(20)))
        world.put(random_game(dice, dice.randrange(1, 200), players=8, days=20), moved)
        refresh_trends(world.database)
        assert trends(world) == approximately(world.slow_trends()), turn
    assert refresh_trends(world.database, is_full=True).rows_changed == 0


def test_a_changed_game_renews_only_the_windows_it_is_in(world: GoldWorld):
    games = [Game(n, day=FIRST + timedelta(days=n), players=(Played(7), Played(8))) for n in range(1, 60)]
    world.put(*games)
    refresh_trends(world.database)
    world.put(changed(games[9], players=(Played(7, kills=99), Played(8))))
    report = refresh_trends(world.database)
    assert (report.is_full, report.rows_changed) == (False, 20)


def test_the_aggregates_are_exported_with_their_headers(world: GoldWorld, tmp_path: Path):
    medic = {"ubers": 4, "medigun": 4, "kritz": 0, "other": 0, "drops": 1, "before_using": 12.5}
    world.put(Game(1, league="rgl", map="pl_upward", players=(Played(7, role="medic", hsg=600, medic=medic),)))
    refresh_all(world)
    refresh_trends(world.database)
    export(world.database, tmp_path)
    lines = {name: (tmp_path / f"{name}.csv").read_text().splitlines() for name in _EXPORTED}
    assert {name: found[0] for name, found in lines.items()} == _EXPORTED
    assert "7,rgl,sixes,medic,pl_upward,0,1800,1,0,0,10,7,3,5000,4000,100,40" in lines["leaderboard_cube"]
    assert "7,,,,,15,1800,1,0,0,10,7,3,5000,4000,100,40" in lines["leaderboard_cube"]
    assert len(lines["leaderboard_cube"]) == 1 + 16
    assert len(lines["medic_cube"]) == 1 + 8
    assert lines["map_popularity"][1:] == ["pl_upward,1"]
    [row] = lines["rolling_trends"][1:]
    assert row == f"7,1,{int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp())},1,0.6666666666666666,10,7,3," + (
        "166.66666666666666,133.33333333333334,20,30"
    )


_EXPORTED = {
    "leaderboard_cube": "steamid64,league,format,class,map,grouping,duration,wins,ties,losses,kills,deaths,assists,"
    "dmg,dt,shots,hits",
    "medic_cube": "steamid64,league,format,map,grouping,duration,wins,ties,losses,ubers,drops,medigun_ubers,"
    "kritz_ubers,other_ubers,advantages_lost,biggest_advantage_lost,deaths_after_uber,deaths_before_uber,before_healing_seconds,"
    "before_healing_games,before_using_seconds,before_using_ubers,to_build_seconds,to_build_ubers,uber_seconds,"
    "uber_seconds_ubers,healing,healing_scout,healing_soldier,healing_pyro,healing_demoman,healing_heavyweapons,"
    "healing_engineer,healing_medic,healing_sniper,healing_spy,healing_other,healing_enemy,uber_type_games,"
    "advantage_games,healing_games",
    "map_popularity": "map,popularity",
    "rolling_trends": "steamid64,logid,time,winrate,round_winrate,kills,deaths,assists,dpm,dtm,hpm_given,hpm_received",
}
