"""Acknowledged events are there once, whatever dies: the collector, PostgreSQL, the disk of the spool."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.environment import read_environment
from tests.events.running import RunningCollector, collecting, rows, stored_ids, wait_for

NOWHERE = "host=127.0.0.1 port=1 dbname=none"


@pytest.fixture
def collector(tmp_path: Path, database_dsn: str) -> Iterator[RunningCollector]:
    with collecting(tmp_path, database_dsn) as running:
        yield running


def event(event_id: str) -> dict[str, object]:
    return {"_t": "levels", "level": 1, "event_id": event_id}


class Sending:
    """Clients that send until they are told to stop, and remember what was sent and what was acknowledged."""

    def __init__(self, collector: RunningCollector, clients: int, per_body: int = 3) -> None:
        self._collector, self._per_body = collector, per_body
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(clients)
        self._running = [self._pool.submit(self._send) for _ in range(clients)]

    def _send(self) -> None:
        while not self._stop.is_set():
            ids = [str(uuid4()) for _ in range(self._per_body)]
            self.sent.update(ids)
            try:
                answer = self._collector.post(*map(event, ids))
            except (OSError, HTTPException):
                self._stop.wait(0.2)  # nobody is there
                continue
            self.statuses.add(answer.status)
            if answer.status in (200, 202):
                self.acknowledged.update(ids)

    def until(self, acknowledged: int) -> None:
        """Waits until so many more events are acknowledged."""
        wanted = len(self.acknowledged) + acknowledged
        wait_for(lambda: len(self.acknowledged) >= wanted, f"{self.statuses}", timeout_seconds=150)

    def stop(self) -> None:
        self._stop.set()
        for each in self._running:
            each.result(timeout=60)
        self._pool.shutdown()


def assert_kept(dsn: str, sending: Sending) -> None:
    """Every acknowledged event once, and none that nobody sent."""
    ids = stored_ids(dsn)
    assert len(ids) == len(set(ids)), "an event is there twice"
    assert sending.acknowledged <= set(ids) <= sending.sent


def is_empty(spool: Path) -> bool:
    return not list(spool.iterdir())


def test_a_killed_collector_loses_nothing_it_acknowledged(collector: RunningCollector, database_dsn: str):
    sending = Sending(collector, clients=6)
    for _ in range(2):
        sending.until(60)
        collector.kill()
        collector.start()
    sending.until(30)
    sending.stop()
    assert_kept(database_dsn, sending)


def test_a_stopped_collector_keeps_and_answers_what_it_has_received(collector: RunningCollector, database_dsn: str):
    sending = Sending(collector, clients=6)
    sending.until(30)
    collector.stop(signal.SIGTERM)
    sending.stop()
    assert sending.statuses == {200}
    assert_kept(database_dsn, sending)
    collector.start()


@pytest.fixture
def own_server() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that may be killed, durable as in earnest."""
    folder = Path(tempfile.mkdtemp(prefix="stats-test-"))
    cluster = placed(PrivatePostgres(folder, find_binaries(read_environment(os.environ).pg_bin), way_to_run()))
    cluster.start()
    try:
        migrate(cluster.dsn("stats"))
        yield cluster
    finally:
        cluster.discard()


def kill_server(server: PrivatePostgres) -> None:
    """kill -9 of every process of the server."""
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    children = [
        int(child) for task in Path(f"/proc/{postmaster}/task").glob("*/children") for child in task.read_text().split()
    ]
    for pid in (postmaster, *children):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not server.is_running(), "the server is still there")


@pytest.mark.slow
def test_a_killed_postgresql_costs_nothing_but_time(tmp_path: Path, own_server: PrivatePostgres):
    dsn = own_server.dsn("stats")
    with collecting(tmp_path, dsn) as collector:
        sending = Sending(collector, clients=6)
        sending.until(60)
        kill_server(own_server)
        sending.until(60)  # acknowledged by the spool
        assert collector.health()["status"] == "degraded"
        own_server.start()
        wait_for(lambda: collector.health()["status"] == "ok", collector.log)
        sending.until(60)
        sending.stop()
        wait_for(lambda: is_empty(collector.spool), collector.log)
        assert sending.statuses == {200, 202}
        assert_kept(dsn, sending)
        days = rows(dsn, "SELECT sum(events), sum(added) FROM events.spool_replays")
        assert days[0][0] > 0


def spooled_events(folder: Path, number: int) -> tuple[list[str], dict[str, bytes]]:
    """Events that a collector without PostgreSQL has acknowledged before it was killed: their ids, and the segments."""
    away = RunningCollector(folder, NOWHERE)
    away.start()
    ids = [str(uuid4()) for _ in range(number)]
    for event_id in ids:
        assert away.post(event(event_id)).status == 202
    away.kill()
    return ids, {path.name: path.read_bytes() for path in away.spool.iterdir()}


def put(segments: dict[str, bytes], spool: Path) -> None:
    for name, content in segments.items():
        (spool / f"{name}.new").write_bytes(content)
        (spool / f"{name}.new").rename(spool / name)


def test_events_wait_in_the_spool_across_a_kill_and_are_brought_in_once(tmp_path: Path, database_dsn: str):
    ids, segments = spooled_events(tmp_path / "away", 20)
    with collecting(tmp_path / "back", database_dsn) as back:
        for _ in range(2):  # the second time as after a kill between commit and removal
            put(segments, back.spool)
            wait_for(lambda: is_empty(back.spool), back.log)
            assert stored_ids(database_dsn) == sorted(ids)
    assert rows(database_dsn, "SELECT events, added FROM events.spool_replays") == [(20, 20)]


def test_a_kill_in_the_middle_of_bringing_in_changes_nothing(
    tmp_path: Path, collector: RunningCollector, database_dsn: str
):
    ids, segments = spooled_events(tmp_path / "away", 20)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%added AS%'"
    with closing(psycopg2.connect(database_dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLE events.raw_events IN SHARE ROW EXCLUSIVE MODE")
            put(segments, collector.spool)
            wait_for(lambda: rows(database_dsn, waiting) == [(1,)], collector.log)
            collector.kill()
        collector.start()
        wait_for(lambda: is_empty(collector.spool), collector.log)
    assert stored_ids(database_dsn) == sorted(ids)


def test_a_segment_that_cannot_be_read_is_set_aside_and_told(collector: RunningCollector, database_dsn: str):
    put({f"20260101T000000-{uuid4()}.segment": b"of another version\n"}, collector.spool)
    wait_for(lambda: collector.health()["set_aside"] == 1, collector.log)
    wait_for(lambda: "cannot be brought in" in collector.log, collector.log)


def test_a_disk_that_takes_no_more_loses_nothing_that_was_promised(tmp_path: Path, database_dsn: str):
    away = RunningCollector(tmp_path / "away", NOWHERE)
    away.start(max_file_bytes=40_000)
    statuses = {}
    for event_id in (str(uuid4()) for _ in range(30)):
        answer = away.post({**event(event_id), "hero": "x" * 3000})
        statuses[event_id] = answer.status
        assert answer.status == 202 or int(answer.headers["retry-after"]) >= 1
    away.kill()
    assert set(statuses.values()) == {202, 503}
    with collecting(tmp_path / "back", database_dsn) as back:
        put({path.name: path.read_bytes() for path in away.spool.iterdir()}, back.spool)
        wait_for(lambda: is_empty(back.spool), back.log)
    assert stored_ids(database_dsn) == sorted(event_id for event_id, status in statuses.items() if status == 202)


def test_the_spool_is_bounded(tmp_path: Path):
    with collecting(tmp_path, NOWHERE, events="  max_spool_bytes: 1048576\n") as collector:
        statuses = [collector.post({**event("x"), "hero": "y" * 30_000}).status for _ in range(45)]
        assert set(statuses) == {202, 503}
        assert sum(path.stat().st_size for path in collector.spool.iterdir()) <= 1048576


async def send_one_by_one(port: int, ids: list[str]) -> set[int]:
    """A client that sends an event a request over one connection; the statuses it was answered."""
    statuses: set[int] = set()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for event_id in ids:
        body = json.dumps({"secret_key": "new", "events": [event(event_id)]}).encode()
        head = "POST /apps/game/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        statuses.add(int(answer.split()[1]))
    writer.close()
    return statuses


@pytest.mark.slow
def test_a_thousand_clients_at_once_are_all_kept_once(collector: RunningCollector, database_dsn: str):
    ids = [[f"{client}-{number}" for number in range(3)] for client in range(1000)]

    async def send_all() -> list[set[int]]:
        return await asyncio.gather(*(send_one_by_one(collector.port, own) for own in ids))

    assert set().union(*asyncio.run(send_all())) == {200}
    assert stored_ids(database_dsn) == sorted(event_id for own in ids for event_id in own)
    batches = b'stats_events_batch_seconds_count{where="stored"} '
    count = float(collector.get("/metrics").body.partition(batches)[2].split(b"\n")[0])
    assert count < 1500, "a batch holds what has come while the last one was committed"


def test_a_day_nobody_made_is_made(collector: RunningCollector, database_dsn: str):
    with closing(psycopg2.connect(database_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events.raw_events'::regclass")
        for (leaf,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {leaf}")
    assert collector.post(event("a")).status == 200
    assert stored_ids(database_dsn) == ["a"]


def test_a_table_that_is_locked_delays_nobody_for_long(tmp_path: Path, database_dsn: str):
    with (
        collecting(tmp_path, database_dsn, events="  commit_timeout_seconds: 1\n") as collector,
        closing(psycopg2.connect(database_dsn)) as connection,
    ):
        with connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLE events.raw_events IN ACCESS EXCLUSIVE MODE")
            assert collector.post(event("a")).status == 202
        wait_for(lambda: is_empty(collector.spool), collector.log)
        assert stored_ids(database_dsn) == ["a"]


def test_refused_events_are_in_quarantine_with_reason_and_payload(collector: RunningCollector, database_dsn: str):
    answer = collector.post(event("a"), {"_t": "levels", "level": "x", "event_id": "b"}, headers={"User-Agent": "u/1"})
    assert answer.status == 207
    found = rows(
        database_dsn,
        "SELECT request_id::text, request_position, stage, table_name, event_id, reason, column_name, detail,"
        " convert_from(headers, 'UTF8'), convert_from(payload, 'UTF8') FROM events.quarantine",
    )
    detail = "wanted an integer, found a string"
    payload = '{"_t": "levels", "level": "x", "event_id": "b"}'
    assert found == [
        (answer.json["request_id"], 1, "received", "levels", "b", "wrong type", "level", detail,
         '{"user-agent":"u/1"}', payload)
    ]  # fmt: skip
    raw = rows(database_dsn, "SELECT request_position, event_id, convert_from(headers, 'UTF8') FROM events.raw_events")
    assert raw == [(0, "a", '{"user-agent":"u/1"}')]
