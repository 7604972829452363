from __future__ import annotations

import threading

import psycopg2
import pytest

from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from stats_assets.shared.postgres import StatsDatabase, lock_slice, try_lock
from stats_assets.shared.sqlalchemy_url import sqlalchemy_url


def test_a_failed_transaction_leaves_nothing(database: StatsDatabase):
    with pytest.raises(psycopg2.errors.DivisionByZero), database.transaction() as cursor:
        cursor.execute("CREATE TABLE public.t (a integer)")
        cursor.execute("SELECT 1/0")
    with database.transaction() as cursor:
        cursor.execute("SELECT to_regclass('public.t')")
        assert cursor.fetchone() == (None,)


def test_sessions_speak_utc(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute("SHOW timezone")
        assert cursor.fetchone() == ("UTC",)


def test_a_server_that_is_away_is_told_in_one_line_that_says_what_to_do():
    database = StatsDatabase(dsn="postgresql://nobody@/none?host=/nonexistent")
    with pytest.raises(SourceAway, match=r"PostgreSQL does not answer: .*STATS_DSN") as raised, database.transaction():
        pass
    assert "\n" not in str(raised.value)


def test_a_database_without_tables_asks_for_the_migration(empty_database_dsn: str):
    database = StatsDatabase(dsn=empty_database_dsn)
    with pytest.raises(ConfigurationMistake, match=r"\./stats migrate"), database.transaction() as cursor:
        cursor.execute("SELECT 1 FROM countme.raw_hits")


def test_the_second_of_two_runs_on_a_slice_waits_for_the_first(database: StatsDatabase):
    order: list[str] = []
    has_lock, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with database.transaction() as cursor:
            lock_slice(cursor, "room.table", "2024-03-04")
            has_lock.set()
            may_end.wait(10)
            order.append("first")

    def second() -> None:
        with database.transaction() as cursor:
            lock_slice(cursor, "room.table", "2024-03-04")
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    has_lock.wait(10)
    threads[1].start()
    with database.transaction() as cursor:
        lock_slice(cursor, "room.table", "2024-03-05")  # another slice is free meanwhile
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


def test_a_lock_of_a_session_is_one_sessions_and_free_as_soon_as_it_ends(database: StatsDatabase):
    for _ in range(20):
        with database.session() as first:
            assert try_lock(first, "room.table")
            with database.session() as second:
                assert not try_lock(second, "room.table")


def test_sqlalchemy_is_told_which_driver_we_mean():
    url = sqlalchemy_url("postgresql://stats@/stats?host=/run/sock")
    assert url.drivername == "postgresql+psycopg2"
    assert url.query["host"] == "/run/sock"
    assert sqlalchemy_url("dbname=stats host=/run/sock").query["dbname"] == "stats"
