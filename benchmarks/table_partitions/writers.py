"""Writers that insert at a fixed pace and remember how late each row was: a process of its own.

An insert's time counts from when it was due, so that a stall shows in every row that had to queue behind it.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass

import psycopg2

_INSERT = "INSERT INTO bench.m (id, ts, note) VALUES (%s, now(), 'some text of a row')"


@dataclass(frozen=True)
class Latencies:
    """Of all writers, in milliseconds, sorted."""

    milliseconds: list[float]
    failed: int

    @property
    def longest(self) -> float:
        return self.milliseconds[-1]

    @property
    def p99(self) -> float:
        return self.milliseconds[int(len(self.milliseconds) * 0.99)]


def write(dsn: str, per_second: int, seconds: float, threads: int = 6) -> Latencies:
    """Inserts for so long, by several sessions."""
    found: list[float] = []
    failures: list[str] = []
    began = time.monotonic() + 0.2

    def one(number: int) -> None:
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        cursor = connection.cursor()
        # Locks are what is measured: how fast a disk flushes is not.
        cursor.execute("SET synchronous_commit = off")
        for turn in range(number, int(per_second * seconds), threads):
            due = began + turn / per_second
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                cursor.execute(_INSERT, (turn,))
            except psycopg2.Error as error:
                failures.append(str(error))
            found.append((time.monotonic() - due) * 1000)

    workers = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return Latencies(sorted(found), len(failures))


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)  # six threads wait for the server in turn: none is to wait for another's turn
    latencies = write(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    print(f"{latencies.longest:.1f} {latencies.p99:.1f} {latencies.failed} {len(latencies.milliseconds)}")
