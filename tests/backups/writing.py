"""Sessions that write while a backup is made: small commits, long ones, tables that come, go and are emptied."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2

SETUP = """
DROP SCHEMA IF EXISTS busy CASCADE; CREATE SCHEMA busy;
CREATE TABLE busy.small (n bigserial, who int); CREATE TABLE busy.sums (who int PRIMARY KEY, total bigint);
CREATE TABLE busy.emptied (n int); CREATE TABLE busy.long (n int);
INSERT INTO busy.sums SELECT n, 0 FROM generate_series(0, 3) n;
"""


@contextmanager
def writers(dsn: str, empties: bool = True) -> Iterator[Callable[[], int]]:
    """Gives the number of commits so far."""
    stop, commits = threading.Event(), [0] * 6

    def write(who: int, statements: str) -> None:
        with closing(psycopg2.connect(dsn)) as connection:
            while not stop.is_set():
                with connection, connection.cursor() as cursor:
                    cursor.execute(statements)
                commits[who] += 1

    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SETUP)
    small = "INSERT INTO busy.small (who) VALUES ({0}); UPDATE busy.sums SET total = total + 1 WHERE who = {0}"
    jobs = [small.format(who) for who in range(4)]
    if empties:
        jobs += ["TRUNCATE busy.emptied; INSERT INTO busy.emptied SELECT generate_series(1, 10); SELECT pg_sleep(0.3)"]
    jobs += ["INSERT INTO busy.long SELECT generate_series(1, 100); SELECT pg_sleep(0.2)"]
    threads = [threading.Thread(target=write, args=job) for job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: sum(commits)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
