"""SQLite batches: the same rows as from JSON, as far as the format carries them, with all its oddities."""

from __future__ import annotations

import csv
import json
import sqlite3
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from stats_assets.sandbox.clone_logs import write_batch
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.export import export
from stats_assets.trends.files import read_path
from stats_assets.trends.gamelog import parse
from stats_assets.trends.intake import import_files
from stats_assets.trends.load import Importer
from stats_assets.trends.reasons import BadLog
from tests.trends.logs import NOW, UPLOADED, a_log, another_game, forget, raw, rows, simulated, state_of

# What the format loses, by file: columns that cannot be compared. All of heavyweapons is lost besides.
LOST = {
    "player_stats_extra.csv": {"healing"},
    "player_stats.csv": {"class_durations", "primary_class", "shots", "hits"},  # those who played heavy
    "event_stats.csv": {"heavyweapons"},
    "log.csv": {"format"},  # by the time on the field, of which heavy's is lost
}


def comparable(folder: Path, database: StatsDatabase) -> dict[str, list[tuple[str, ...]]]:
    """The exported rows without what the format loses: of heavies, of the console, of kinds of ubers unknown to it."""
    found = {}
    for file in export(database, folder):
        if file.name in {"player.csv", "map.csv", "weapon.csv"}:
            continue
        with file.open(newline="") as opened:
            lines = list(csv.DictReader(opened))
        lost = LOST.get(file.name, set())
        kept = [line for line in lines if line.get("class") != "heavyweapons"]
        if file.name == "chat.csv":
            kept = [line for line in kept if line["steamid64"]]
        if file.name == "event_stats.csv":
            kept = [line for line in kept if any(line[name] != "0" for name in list(line)[3:] if name not in lost)]
        found[file.name] = [tuple(value for name, value in line.items() if name not in lost) for line in kept]
    return found


@pytest.fixture(scope="module")
def good_logs() -> list[tuple[int, bytes]]:
    """Simulated logs of version 3 that can be imported and that the tool would not bend otherwise."""
    found = []
    for log in simulated(date(2026, 1, 29), 12):
        data = json.loads(log.data) if b'"version":3' in log.data else None
        if data is None or b"unknown" in log.data or b"undefined" in log.data or not data.get("rounds"):
            continue
        try:
            parse(log.logid, log.data, int(NOW.timestamp()))
        except BadLog:
            continue
        found.append((log.logid, log.data))
    assert len(found) > 80
    return found


def test_a_batch_gives_the_rows_the_same_logs_give_as_json(
    database: StatsDatabase, good_logs: list[tuple[int, bytes]], tmp_path: Path
):
    Importer(database).import_logs([raw(logid, data) for logid, data in good_logs])
    expected = comparable(tmp_path / "json", database)
    forget(database)
    batch = tmp_path / "39.sqlite3"
    write_batch(batch, [(logid, json.loads(data)) for logid, data in good_logs])
    report = import_files(database, Importer(database), read_path(batch))
    assert (report.parsed, report.quarantined) == (len(good_logs), 0)
    found = comparable(tmp_path / "sqlite", database)
    assert found["player_stats.csv"]
    for name, lines in expected.items():
        assert found[name] == lines, name


def test_a_batch_never_replaces_a_whole_log_but_the_other_way_round(database: StatsDatabase, tmp_path: Path):
    write_batch(tmp_path / "0.sqlite3", [(7, a_batch_log())])
    importer = Importer(database)
    import_files(database, importer, read_path(tmp_path))
    assert rows(database, "SELECT is_complete FROM trends.raw_logs") == [(False,)]
    importer.import_logs([raw(7, a_batch_log())])
    report = import_files(database, importer, read_path(tmp_path))
    assert (report.kept, report.parsed) == (1, 0)
    assert rows(database, "SELECT is_complete FROM trends.raw_logs") == [(True,)]


def a_batch_log() -> dict[str, object]:
    log = a_log()
    log["info"] |= {"supplemental": False}
    log["info"]["uploader"]["info"] = "x"
    for line in log["chat"]:
        line["name"] = "somebody"
    return log


def test_the_time_of_a_batch_is_utc_wherever_we_are(
    database: StatsDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        write_batch(tmp_path / "0.sqlite3", [(7, a_batch_log())])
        import_files(database, Importer(database), read_path(tmp_path))
        assert rows(database, "SELECT extract(epoch FROM uploaded_at)::bigint FROM trends.games") == [(UPLOADED,)]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_old_log_without_score_and_rounds_is_quarantined(database: StatsDatabase, tmp_path: Path):
    log = a_batch_log()
    log["teams"] = {}
    log["rounds"] = []
    write_batch(tmp_path / "0.sqlite3", [(7, log), (8, a_batch_log())])
    report = import_files(database, Importer(database), read_path(tmp_path))
    assert (report.parsed, report.reasons) == (1, {"no_score": 1})
    assert state_of(database, 8) == "parsed"


def test_rows_of_nobody_and_of_no_log_are_passed_over(database: StatsDatabase, tmp_path: Path):
    batch = tmp_path / "0.sqlite3"
    write_batch(batch, [(7, a_batch_log()), (9, another_game(a_batch_log(), 5))])
    with closing(sqlite3.connect(batch)) as connection, connection:
        connection.execute("INSERT INTO player (log_id, steam_id, team) VALUES (7, NULL, 'Red'), (7, 0, 'Red')")
        connection.execute("INSERT INTO killstreak VALUES (8, 76561197960265739, 3, 1), (NULL, 1, 1, 1)")
        connection.execute("INSERT INTO chat VALUES (9, 9, 76561197960265739, 'red', 'late')")
        connection.execute("UPDATE log SET scoring_attack_defense = NULL WHERE id = 7")
    report = import_files(database, Importer(database), read_path(batch))
    assert (report.parsed, report.quarantined) == (2, 0)
    assert rows(database, "SELECT seq, msg FROM trends.chat WHERE logid = 9 ORDER BY seq") == [(1, "gg"), (9, "late")]
    assert rows(database, "SELECT is_ad_scoring FROM trends.games ORDER BY logid") == [(None,), (False,)]


def test_what_is_no_batch_is_told(tmp_path: Path):
    (tmp_path / "22.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(OurMistake, match=r"22\.sqlite3: is not a SQLite batch"):
        list(read_path(tmp_path))


def test_a_batch_that_lacks_a_column_is_refused_by_its_name(tmp_path: Path):
    write_batch(tmp_path / "22.sqlite3", [])
    with closing(sqlite3.connect(tmp_path / "22.sqlite3")) as batch:
        batch.execute("ALTER TABLE player DROP COLUMN medic_deaths")
    with pytest.raises(OurMistake, match="no such column: medic_deaths"):
        list(read_path(tmp_path))
