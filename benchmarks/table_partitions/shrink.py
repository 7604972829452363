"""How many bytes closed table partitions have: as PostgreSQL keeps them, compressed, and as archived files.

Files are written by the room itself, so their rows are compared by fingerprint before they count.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg2
import zstandard

from benchmarks import measure
from benchmarks.table_partitions.gamelogs import game_log
from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.maintenance import Maintenance

WEEK = date(2024, 3, 4)
_LEVEL = 9
_HITS = PartitionPolicy(table="countme.raw_hits", key="hit_at", step="week", ahead=0, retention="1 week",
                        action="archive", confirm=True)  # fmt: skip
_LOGS = PartitionPolicy(table="bench_logs.logs", key="logid", kind="int", step=1_000_000, ahead=0, retention=1_000_000,
                        action="archive", confirm=True)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """One way to keep the rows."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Shrunk:
    """All ways for the same rows; the first is what the others are compared with."""

    what: str
    rows: int
    layouts: list[Layout]
    fingerprint: str


def raw_hits(server: measure.Server, folder: Path, lines_per_day: int) -> Shrunk:
    """A week of raw hits, loaded day by day from made-up logs by the room countme."""
    for number in range(7):
        day = WEEK + timedelta(days=number)
        log = folder / f"{day}.log"
        module = [sys.executable, "-m", "benchmarks.countme.generate", log]
        measure.run([*module, f"--lines={lines_per_day}", f"--first-day={day}"])
        measure.run([sys.executable, "-m", "benchmarks.countme.load_day", server.dsn, log, str(day), "strict"])
        log.unlink()
    leaf = f"countme.raw_hits_{WEEK:%Y%m%d}"
    with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_btrees AS SELECT * FROM {leaf} ORDER BY hit_at")
        cursor.execute("CREATE INDEX ON bench_btrees (hit_at); CREATE INDEX ON bench_btrees (address_key, hit_at)")
        layouts = [
            Layout("heap with btrees on time, and on address and time", _size(cursor, "bench_btrees")),
            Layout("heap with BRIN on time (as countme keeps it)", _size(cursor, leaf)),
            Layout(f"CSV, zstd level {_LEVEL}", _csv_bytes(cursor, leaf)),
        ]
    return _archived(server, folder, _HITS, f"a week of raw hits, {leaf}", layouts, leaf.split(".")[1])


def game_logs(server: measure.Server, folder: Path, count: int) -> Shrunk:
    """Game logs as JSON texts."""
    with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("""CREATE SCHEMA bench_logs; CREATE TABLE bench_logs.logs (logid bigint PRIMARY KEY, data json)
            PARTITION BY RANGE (logid); CREATE TABLE bench_logs.logs_0 PARTITION OF bench_logs.logs FOR VALUES FROM (0)
            TO (1000000); CREATE TABLE bench_logs.zstd (logid bigint PRIMARY KEY, data bytea);
            ALTER TABLE bench_logs.zstd ALTER data SET STORAGE EXTERNAL; CREATE TABLE bench_logs.logs_2 PARTITION OF
            bench_logs.logs FOR VALUES FROM (2000000) TO (3000000);
            INSERT INTO bench_logs.logs VALUES (2500000, '{}')""")
        pack = zstandard.ZstdCompressor(level=_LEVEL)
        plain = 0
        for number, text in _logs(count):
            plain += len(text.encode())
            cursor.execute("INSERT INTO bench_logs.logs VALUES (%s, %s)", (number, text))
            cursor.execute("INSERT INTO bench_logs.zstd VALUES (%s, %s)", (number, pack.compress(text.encode())))
        layouts = [
            Layout("json in a heap, compressed by PostgreSQL (pglz)", _size(cursor, "bench_logs.logs_0")),
            Layout("plain text", plain),
            Layout(f"bytea in a heap, zstd level {_LEVEL} per log", _size(cursor, "bench_logs.zstd")),
        ]
    return _archived(server, folder, _LOGS, f"{count:,} game logs", layouts, "logs_0")


def _archived(
    server: measure.Server, folder: Path, policy: PartitionPolicy, what: str, layouts: list[Layout], partition: str
) -> Shrunk:
    config = TablePartitionsConfig(attic_days=0)
    maintenance = Maintenance(StatsDatabase(server.dsn), Archive(str(folder)), [policy], config, trusts_clock=True)
    for _ in range(2):
        results = maintenance.carry_out(maintenance.planned().plan.only({"create", "archive"}), "bench")
        assert all(result.result == "done" for result in results), list(map(str, results))
    with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT rows, file_bytes, fingerprint FROM table_partitions.archives WHERE partition_name = %s",
            (partition,),
        )
        rows, size, fingerprint = cursor.fetchone() or (0, 0, "")
    return Shrunk(what, rows, [*layouts, Layout("archived: Parquet, zstd level 9", size)], fingerprint)


def _logs(count: int) -> Iterator[tuple[int, str]]:
    for number in range(count):
        yield number, game_log(number)


def _size(cursor: psycopg2.extensions.cursor, table: str) -> int:
    cursor.execute("SELECT pg_total_relation_size(%s::regclass)", (table,))
    (size,) = cursor.fetchone() or (0,)
    return size


def _csv_bytes(cursor: psycopg2.extensions.cursor, table: str) -> int:
    packed = io.BytesIO()
    with zstandard.ZstdCompressor(level=_LEVEL).stream_writer(packed, closefd=False) as file:
        cursor.copy_expert(f"COPY {table} TO STDOUT (FORMAT csv)", file)
    return len(packed.getvalue())
