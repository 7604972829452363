"""`./stats bench forum`: a forum on loopback into PostgreSQL, as fast as it answers, then twice again unchanged.

    ./stats bench forum [--threads N ...] [--mean-posts N]

CPU seconds are user and system; the crawl is a process of its own, so starting Python and importing count; the server
is a PostgreSQL of the benchmark's own, durable as in earnest. The simulated forum is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psycopg2
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import measure

_VERSIONS = """
SELECT md5(string_agg(v, ',' ORDER BY v)) FROM (
    SELECT 'p' || ctid || xmin AS v FROM forum.posts UNION ALL SELECT 'c' || ctid || xmin FROM forum.post_contents
    UNION ALL SELECT 't' || ctid || xmin FROM forum.threads UNION ALL SELECT 'u' || ctid || xmin FROM forum.users
    UNION ALL SELECT 'n' || ctid || xmin FROM forum.user_names UNION ALL SELECT 'b' || ctid || xmin FROM forum.boards) a
"""
_POSTS = "SELECT count(*) FROM forum.posts WHERE state = 'live'"


@dataclass(frozen=True)
class Row:
    """One measured crawl."""

    way: str
    numbers: dict[str, Any]
    posts: int
    client: float
    server: float
    peak_mb: float
    has_written: bool

    @property
    def posts_per_second(self) -> float:
        return self.posts / (self.client + self.server)


def main(
    threads: Annotated[list[int] | None, typer.Option(help="threads of the forum; may be repeated")] = None,
    mean_posts: Annotated[int, typer.Option(help="of a thread")] = 38,
) -> None:
    """Measures the whole way from answers of a forum to committed, indexed rows."""
    for count in threads or [492, 1968]:
        with _forum(count, mean_posts) as (url, posts), measure.server() as server:
            rows = [_crawl(way, server, url, kind) for way, kind in _WAYS]
            stored = _one(server.dsn, _POSTS)
        _show(f"{count + 1} threads, {posts} posts, {stored} stored", rows)


_WAYS = (("clean crawl", "new"), ("again, unchanged", "new"), ("full refresh, unchanged", "full"))


@contextmanager
def _forum(threads: int, mean_posts: int) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "benchmarks.forum.serve", str(threads), str(mean_posts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url, _, posts = process.stdout.readline().split()
        yield url, int(posts)
    finally:
        process.kill()
        process.wait()


def _crawl(way: str, server: measure.Server, url: str, kind: str) -> Row:
    measure.settle(server.dsn)
    versions, before = _one(server.dsn, _VERSIONS), server.cpu_seconds()
    with TemporaryDirectory(prefix="stats-bench-") as folder:
        told = Path(folder) / "told"
        cost = measure.run([sys.executable, "-m", "benchmarks.forum.crawl_once", server.dsn, url, kind, told])
        numbers = json.loads(told.read_text())
    spent = server.cpu_seconds() - before
    has_written = _one(server.dsn, _VERSIONS) != versions
    return Row(way, numbers, _one(server.dsn, _POSTS), cost.cpu_seconds, spent, cost.peak_mb, has_written)


def _one(dsn: str, statement: str) -> Any:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    connection.close()
    return row[0] if row else None


def _show(title: str, rows: list[Row]) -> None:
    table = Table(title=title)
    for name in (
        "",
        "requests",
        "repeated",
        "client CPU s",
        "server CPU s",
        "posts / CPU s",
        "peak MB",
        "rows written",
    ):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows:
        speed = f"{row.posts_per_second:,.0f}" if row.numbers["pages"] > 100 else ""
        table.add_row(
            *(row.way, str(row.numbers["requests"]), str(row.numbers["retries"]), f"{row.client:.2f}"),
            *(f"{row.server:.2f}", speed, f"{row.peak_mb:.0f}", "yes" if row.has_written else "none"),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
