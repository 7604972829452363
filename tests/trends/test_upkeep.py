"""What an operator does now and then: bans, a dictionary for the bytes; and what the checks find."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.bans import ban, unban
from stats_assets.trends.checks import evaluated
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.dictionary import train_dictionary
from stats_assets.trends.load import Importer
from stats_assets.trends.redrive import stored_logs
from stats_assets.trends.steamids import steamid64
from tests.trends.logs import a_log, another_game, exported, raw, rows, simulated

DAY = date(2026, 2, 10)
UPLOADER = "[U:1:1]"


def uploaded_by(log: dict, player: str) -> dict:
    log["info"]["uploader"] = {"id": str(steamid64(player)), "name": "somebody", "info": None}
    return log


def test_a_ban_takes_every_log_of_the_uploader_out_and_lifting_it_brings_them_back(
    database: StatsDatabase, tmp_path: Path
):
    logs = [raw(7, uploaded_by(a_log(), UPLOADER)), raw(8, another_game(a_log(), 8))]
    Importer(database).import_logs(logs)
    before = exported(database, tmp_path)
    assert ban(database, UPLOADER, "forged logs").banned == 1
    assert rows(database, "SELECT logid, is_counted FROM trends.games ORDER BY 1") == [(7, False), (8, True)]
    assert rows(database, "SELECT DISTINCT logid FROM trends.player_stats") == [(8,)]
    assert unban(database, UPLOADER).banned == 0
    assert exported(database, tmp_path) == before


def test_a_log_that_comes_after_the_ban_does_not_count(database: StatsDatabase):
    ban(database, "STEAM_0:1:0", "forged logs")
    assert Importer(database).import_logs([raw(7, uploaded_by(a_log(), UPLOADER))]).banned == 1


def test_nobody_cannot_be_banned(database: StatsDatabase):
    with pytest.raises(ConfigurationMistake, match="no player's Steam id"):
        ban(database, "somebody", "forged logs")


def test_logs_compressed_with_a_dictionary_and_without_are_read_as_they_came(database: StatsDatabase):
    logs = list(simulated(date(2026, 1, 1), 4))
    first, second = logs[: len(logs) // 2], logs[len(logs) // 2 :]
    Importer(database).import_logs(first)
    training = train_dictionary(database)
    assert training.dictionary_id and training.gain > 0.05
    Importer(database).import_logs(second)
    used = dict(rows(database, "SELECT logid, dictionary_id FROM trends.raw_logs"))
    assert {used[log.logid] for log in first} == {None}
    assert {used[log.logid] for log in second} == {training.dictionary_id}
    stored = {log.logid: log.data for log in stored_logs(database, used)}
    assert stored == {log.logid: log.data for log in logs}


def test_a_dictionary_needs_logs_to_learn_from(database: StatsDatabase):
    with pytest.raises(ConfigurationMistake, match="too few"):
        train_dictionary(database)


def failed(database: StatsDatabase, name: str) -> str | None:
    """What the check says when it fails."""
    (result,) = evaluated(database, TrendsConfig(gap_logids=10), [DAY], [name])
    return None if result.passed else str(result.description)


def test_a_long_range_of_logids_nobody_asked_for_is_a_gap(database: StatsDatabase):
    Importer(database).import_logs([raw(7, a_log()), raw(17, another_game(a_log(), 17))])
    assert failed(database, "logids_have_no_gaps") is None
    Importer(database).import_logs([raw(28, another_game(a_log(), 28))])
    assert "18 to 27: uploaded from 2026-02-10" in str(failed(database, "logids_have_no_gaps"))


def test_a_range_the_site_does_not_name_is_no_gap(database: StatsDatabase):
    Importer(database).import_logs([raw(7, a_log()), raw(28, another_game(a_log(), 28))])
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO trends.listed_days (day, listed_at, logs, pages) VALUES (%s, now(), 2, 1)", [DAY])
    assert failed(database, "logids_have_no_gaps") is None


def test_rows_that_are_there_twice_are_found(database: StatsDatabase):
    Importer(database).import_logs([raw(7, a_log())])
    assert failed(database, "rows_are_there_once") is None
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO trends.chat SELECT * FROM trends.chat WHERE seq = 0")
    assert "1 rows in chat are there more than once" in str(failed(database, "rows_are_there_once"))
