"""Writers that insert at a fixed pace and remember how late each row was: a process of its own.

An insert's time counts from when it was due, so that a stall shows in every row that had to queue behind it. What of
it was spent waiting for a lock the server says itself; the rest is the machine, which has other things to do.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

import psycopg2

_INSERT = "INSERT INTO bench.m (id, ts, note) VALUES (%s, now(), 'some text of a row')"
_THREADS = 6
# Locks are what is measured: how fast a disk flushes is not. The server tells of every wait over 5 ms, and us of it.
_SET_UP = """
SET synchronous_commit = off; SET deadlock_timeout = '5ms'; SET log_lock_waits = on; SET client_min_messages = log
"""
_WAITED = re.compile(r"acquired \w+ on .* after (?P<ms>[0-9.]+) ms")
_TOLD_MS = 10.0  # stalls are kept one by one from here on


@dataclass(frozen=True)
class Late:
    """A late insert: when it was due (seconds of the monotonic clock), how late it was, how much of that for a lock."""

    due: float
    late_ms: float
    lock_ms: float


@dataclass
class Written:
    """What the writers saw, by insert."""

    late_ms: list[float] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def write(dsn: str, per_second: int, seconds: float) -> Written:
    """Inserts for so long, by several sessions."""
    written = Written()
    began = time.monotonic() + 0.2
    workers = [
        threading.Thread(target=_write, args=(dsn, written, [began + n / per_second for n in turns]))
        for turns in (range(number, int(per_second * seconds), _THREADS) for number in range(_THREADS))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return written


def _write(dsn: str, written: Written, dues: list[float]) -> None:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(_SET_UP)
    for number, due in enumerate(dues):
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            cursor.execute(_INSERT, (number,))
        except psycopg2.Error as error:
            written.failures.append(str(error))
        late_ms = (time.monotonic() - due) * 1000
        written.late_ms.append(late_ms)
        if late_ms >= _TOLD_MS or connection.notices:
            written.late.append(Late(due, late_ms, _lock_ms(connection.notices)))
            connection.notices.clear()


def _lock_ms(notices: list[str]) -> float:
    return max((float(found["ms"]) for notice in notices if (found := _WAITED.search(notice))), default=0.0)


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)  # the threads wait for the server in turn: none is to wait for another's turn
    json.dump(asdict(write(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))), sys.stdout)
