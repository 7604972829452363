"""What an import leaves in the database: reimports, duplicates, links, bans, missing logs."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pytest

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.load import Importer
from stats_assets.trends.raw import MissingLog
from stats_assets.trends.redrive import rederive, stored_logs
from tests.trends.logs import (
    BLUE,
    RED,
    UPLOADED,
    a_log,
    another_game,
    exported,
    forget,
    later,
    raw,
    rows,
    simulated,
    state_of,
)

DAY = 86_400


def duplicates(database: StatsDatabase) -> dict[int, list[int]]:
    found = rows(database, "SELECT logid, duplicate_of FROM trends.games WHERE duplicate_of IS NOT NULL")
    return dict(found)


def test_a_reimport_leaves_no_row_of_the_old_log_and_keeps_its_links(database: StatsDatabase):
    importer = Importer(database)
    importer.import_logs([raw(7, a_log())])
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO trends.demo_links (logid, demoid) VALUES (7, 99)")
    log = another_game(a_log(), -40 * DAY)
    del log["players"][BLUE]
    report = importer.import_logs([raw(7, log)])
    assert report.days == {date(2026, 2, 10), date(2026, 1, 1)}
    assert rows(database, "SELECT day, steamid64 - 76561197960265728 FROM trends.player_stats") == [
        (date(2026, 1, 1), 11)
    ]
    assert rows(database, "SELECT count(*) FROM trends.medic_stats") == [(0,)]
    assert rows(database, "SELECT count(*) FROM trends.rounds") == [(2,)]
    assert rows(database, "SELECT demoid FROM trends.demo_links JOIN trends.games USING (logid)") == [(99,)]
    assert rows(database, "SELECT count(*) FROM trends.raw_logs") == [(1,)]


def test_duplicates_are_the_same_in_every_order_of_import(database: StatsDatabase):
    game = a_log()
    logs = [raw(1, game), raw(2, later(game, 2 * DAY)), raw(3, later(game, 6 * DAY)), raw(4, another_game(game, 9))]
    for order in itertools.islice(itertools.permutations(logs), 0, None, 5):
        forget(database)
        importer = Importer(database, batch_logs=1)
        importer.import_logs(order)
        assert duplicates(database) == {2: [1], 3: [1, 2]}
        assert state_of(database, 3) == "duplicate"
        assert state_of(database, 1) == "parsed"


def test_a_round_is_the_same_by_its_numbers_when_the_clocks_differ(database: StatsDatabase):
    game = a_log()
    other = later(game, 60)
    for round_ in other["rounds"]:
        round_["start_time"] += 7 * 3600
    short = later(game, 120)
    short["rounds"] = [dict(game["rounds"][0], length=60, start_time=UPLOADED - 100)]
    Importer(database).import_logs([raw(1, game), raw(2, other), raw(3, short)])
    assert duplicates(database) == {2: [1]}


def test_uploads_more_than_a_week_apart_are_no_duplicates(database: StatsDatabase):
    game = a_log()
    Importer(database).import_logs([raw(1, game), raw(2, later(game, 8 * DAY))])
    assert duplicates(database) == {}


def test_a_reimport_with_other_rounds_is_no_duplicate_any_more_nor_an_original(database: StatsDatabase):
    game = a_log()
    importer = Importer(database)
    importer.import_logs([raw(1, game), raw(2, later(game, 10)), raw(3, later(game, 20))])
    assert duplicates(database) == {2: [1], 3: [1, 2]}
    importer.import_logs([raw(1, another_game(game, 900))])
    assert duplicates(database) == {3: [2]}
    assert state_of(database, 2) == "parsed"


def test_of_a_bogus_log_only_the_game_is_kept(database: StatsDatabase):
    log = a_log()
    log["players"][RED]["class_stats"][0]["weapon"]["gun_soldier"]["dmg"] = -3
    report = Importer(database).import_logs([raw(7, log), raw(8, later(a_log(), 9))])
    assert (report.parsed, report.bogus) == (2, 1)
    assert state_of(database, 7) == "bogus"
    assert rows(database, "SELECT format, is_counted FROM trends.games WHERE logid = 7") == [(None, False)]
    assert rows(database, "SELECT DISTINCT logid FROM trends.player_stats") == [(8,)]
    assert duplicates(database) == {}  # nothing of a bogus log counts, as an original neither


def test_logs_of_a_banned_uploader_are_kept_but_not_counted(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO trends.players (steamid64, is_banned, ban_reason) VALUES (76561197960265739, true, 'fakes')"
        )
    report = Importer(database).import_logs([raw(7, a_log())])
    assert (report.parsed, report.banned) == (1, 1)
    assert state_of(database, 7) == "banned"
    assert rows(database, "SELECT count(*) FROM trends.class_stats") == [(0,)]
    assert rows(database, "SELECT count(*) FROM trends.raw_logs") == [(1,)]


def test_a_missing_log_is_noted_and_becomes_parsed_when_it_comes(database: StatsDatabase):
    importer = Importer(database)
    report = importer.import_logs([MissingLog(7, "api:x", "not_found: 404")])
    assert (report.missing, state_of(database, 7)) == (1, "missing")
    importer.import_logs([raw(7, a_log())])
    assert rows(database, "SELECT state, attempts, reason FROM trends.import_ledger") == [("parsed", 2, None)]


def test_an_absence_or_a_bad_copy_never_takes_a_log_we_have(database: StatsDatabase, tmp_path: Path):
    importer = Importer(database)
    importer.import_logs([raw(7, a_log())])
    before = exported(database, tmp_path)
    importer.import_logs([MissingLog(7, "api:x", "not_found: 404"), raw(7, b'{"success": tr')])
    assert exported(database, tmp_path) == before
    assert state_of(database, 7) == "parsed"
    assert rows(database, "SELECT reason FROM trends.quarantine") == [("not_json",)]
    assert [log.data for log in stored_logs(database, [7])] == [raw(7, a_log()).data]


def test_bytes_are_kept_as_they_came(database: StatsDatabase):
    logs = simulated(date(2026, 2, 1), 2)
    Importer(database).import_logs(logs)
    assert {log.logid: log.data for log in stored_logs(database, [log.logid for log in logs])} == {
        log.logid: log.data for log in logs
    }


def test_rows_made_anew_from_the_bytes_are_the_same(database: StatsDatabase, tmp_path: Path):
    importer = Importer(database)
    report = importer.import_logs(simulated(date(2026, 2, 1), 3))
    before = exported(database, tmp_path)
    for day in sorted(report.days):
        rederive(database, importer, day)
    assert exported(database, tmp_path) == before


def test_a_players_name_is_that_of_the_newest_game_in_any_order(database: StatsDatabase):
    old, new = a_log(), another_game(a_log(), 5000)
    new["names"][RED] = "renamed"
    for order in ([raw(1, old), raw(2, new)], [raw(2, new), raw(1, old)]):
        Importer(database, batch_logs=1).import_logs(order, force=True)
        name, logid = rows(database, "SELECT name, last_logid FROM trends.players WHERE steamid64 = 76561197960265739")[
            0
        ]
        assert (name, logid) == ("renamed", 2)


@pytest.mark.parametrize("batch_logs", [7, 1000])
def test_a_log_twice_in_one_import_is_there_once(database: StatsDatabase, batch_logs: int):
    report = Importer(database, batch_logs).import_logs([raw(7, a_log()), raw(8, later(a_log(), 1)), raw(7, a_log())])
    assert (report.parsed, report.unchanged) == (2, 1)
    assert rows(database, "SELECT count(*) FROM trends.games") == [(2,)]
