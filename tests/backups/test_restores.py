"""Backups of a real server, restored: what comes back is what the manifest says, or it is told."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg2
import pytest

from stats_assets.backups.drill import drill, drill_and_note
from stats_assets.backups.restoring import compared, data_dsn, restore_into_folder
from stats_assets.backups.shelf import BackupDamaged
from stats_assets.backups.staging import abandoned_servers, server_folder, staged
from stats_assets.backups.store import last_drills
from stats_assets.local.doctor import left_by_drills
from stats_assets.local.processes import identify
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from tests.backups.conftest import Place, without_replication
from tests.backups.writing import writers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def rows(dsn: str, statement: str) -> list[tuple]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def nothing(_line: str) -> None: ...


def test_a_base_backup_gives_exactly_what_its_manifest_says_while_six_sessions_write(place: Place):
    with writers(place.dsn) as commits:
        manifest = place.backup().take(nothing)
        before = commits()
    assert before > 50
    assert manifest.method == "physical" and manifest.recover_to
    with place.restore.server(manifest.name, place.folder / "back", throw_away=True) as (server, _):
        dsn = data_dsn(server, manifest)
        assert compared(dsn, manifest) == {}
        # Both tables of one transaction, so neither half of it.
        assert rows(dsn, "SELECT (SELECT count(*) FROM busy.small) - (SELECT sum(total) FROM busy.sums)") == [(0,)]
        assert rows(dsn, "SELECT count(*) % 100 FROM busy.long") == [(0,)]
    assert not (place.folder / "back").exists()
    assert list(place.staging.iterdir()) == [place.staging / "lock"]


def test_a_dump_of_a_role_that_may_not_replicate_gives_what_its_manifest_says(place: Place):
    with writers(place.dsn, empties=False):
        manifest = place.backup(without_replication(place)).take(nothing)
    assert (manifest.method, manifest.recover_to) == ("dump", "")
    assert {"odd.nothing", "odd.Values, all", "odd.by_day_1"} <= {table.shown for table in manifest.tables}
    assert "odd.passing" not in {table.shown for table in manifest.tables}
    assert drill(place.restore, manifest.name, place.staging).differences == {}


def test_a_base_backup_goes_into_a_folder_or_a_database_and_not_where_something_is(place: Place):
    name = place.backup().take(nothing).name
    home = place.folder / "home"
    assert restore_into_folder(place.restore, name, home, nothing).differences == {}
    with pytest.raises(ConfigurationMistake, match="is not empty"):
        restore_into_folder(place.restore, name, home, nothing)
    place.execute("DROP DATABASE IF EXISTS other", "postgres")
    place.execute("CREATE DATABASE other TEMPLATE template0", "postgres")
    other = place.cluster.dsn("other")
    assert place.restore.into_database(name, other, place.folder / "work").differences == {}
    assert rows(other, "SELECT count(*) FROM odd.by_day") == [(5002,)]
    with pytest.raises(ConfigurationMistake, match="restore into an empty one"):
        place.restore.into_database(name, other, place.folder / "work")
    place.execute("DROP DATABASE other", "postgres")


def test_the_server_of_a_killed_drill_is_told_and_ended_by_the_next_work(place: Place):
    name = place.backup(method="dump").take(nothing).name
    # A drill that is killed leaves its server like this: running, and nobody holds the staging folder.
    with place.restore.server(name, server_folder(place.staging / "work"), throw_away=True):
        (server,) = abandoned_servers(place.staging)
        (told,) = left_by_drills(place.staging)
        assert told.state == "note" and f"kill -QUIT {server}" in told.advice
        with staged(place.staging) as folder:
            assert identify(server) is None
            assert list(folder.iterdir()) == []


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_backup_fails_the_drill_and_the_drill_is_noted(place: Place):
    manifest = place.backup().take(nothing)
    folder = place.folder / "shelf" / manifest.name
    assert place.shelf.problem(manifest.name) is None
    _flip(folder / "base.tar.zst")
    now = _now(manifest.ended_at)
    with pytest.raises(BackupDamaged, match=r"base\.tar\.zst"):
        drill_and_note(place.restore, place.database, manifest.name, place.staging, now)
    with place.database.transaction() as cursor:
        last = last_drills(cursor)
    assert not last.is_good and "base.tar.zst" in (last.problem or "")
    _flip(folder / "base.tar.zst")
    drill_and_note(place.restore, place.database, manifest.name, place.staging, now)
    with place.database.transaction() as cursor:
        assert last_drills(cursor).is_good
    (wal, *_others) = sorted((folder / "wal").iterdir())
    wal.unlink()
    assert "no file" in (place.shelf.problem(manifest.name) or "")
    with pytest.raises(BackupDamaged, match="is missing"):
        drill(place.restore, manifest.name, place.staging)


def test_rows_that_are_other_ones_fail_the_drill(place: Place):
    manifest = place.backup(method="dump").take(nothing)
    path = place.folder / "shelf" / manifest.name / "manifest.json"
    found = json.loads(path.read_text())
    tables = {f"{table['schema']}.{table['table']}": table for table in found["tables"]}
    tables["odd.by_day_1"]["fingerprint"] = "5002-1"
    tables["odd.nothing"]["rows"] = 1
    path.write_text(json.dumps(found))
    with pytest.raises(BackupDamaged, match=r"odd\.by_day_1: its 5002 rows are other ones; odd\.nothing: 0 rows"):
        drill_and_note(place.restore, place.database, manifest.name, place.staging, _now(manifest.ended_at))


def test_what_is_lacking_is_told_with_what_to_do(place: Place):
    with pytest.raises(ConfigurationMistake, match="may not replicate; ALTER ROLE plain REPLICATION"):
        place.backup(without_replication(place), method="physical").take(nothing)
    backup = place.backup()
    backup.programs.need("pg_basebackup", "pg_verifybackup", "pg_dump")  # all come along
    with pytest.raises(ConfigurationMistake, match=r"no pg_nothing in .*apt-get install postgresql-"):
        backup.programs.need("pg_nothing")
    with pytest.raises(ConfigurationMistake, match="there is no backup in"):
        place.shelf.newest()
    with place.database.session() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('backups.base_backup', 0))")
        with pytest.raises(SourceAway, match="another backup is under way"):
            backup.take(nothing)
    assert place.shelf.halves() == []


def _now(text: str) -> datetime:
    return datetime.fromisoformat(text)
