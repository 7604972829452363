"""A server of these tests' own: the shared one keeps no WAL, and may not be copied."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest

from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.programs import Programs
from stats_assets.backups.restoring import Restore
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.taking import Backup
from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.archive import Archive
from stats_assets.shared.environment import read_environment
from stats_assets.shared.postgres import StatsDatabase

ROWS = """
CREATE SCHEMA odd;
CREATE TYPE odd.mood AS ENUM ('fine', 'odd');
CREATE TABLE odd."Values, all" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, day date, is_true boolean, real float8,
    bytes bytea, mood odd.mood, parts text[] COLLATE "C", money numeric, doc jsonb,
    len int GENERATED ALWAYS AS (1) STORED
);
INSERT INTO odd."Values, all" (at, day, is_true, real, bytes, mood, parts, money, doc) VALUES
    ('infinity', '-infinity', NULL, 'NaN', '\\x00ff', 'odd', '{NULL,"a, b"}', 'NaN', '{"a": [1, null]}'),
    ('2024-02-29 23:59:59.999999+00', '0001-01-01 BC', true, 0.1, '', 'fine', '{}', 1.50, 'null');
CREATE TABLE odd.nothing ();
CREATE TABLE odd.by_day (day date NOT NULL, n int) PARTITION BY RANGE (day);
CREATE TABLE odd.by_day_1 PARTITION OF odd.by_day FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
INSERT INTO odd.by_day SELECT date '2024-01-01' + n % 31, n FROM generate_series(1, 5000) n;
INSERT INTO odd.by_day SELECT '2024-01-05', 7 FROM generate_series(1, 2);
CREATE UNLOGGED TABLE odd.passing (n int); INSERT INTO odd.passing VALUES (1);
CREATE ROLE plain LOGIN; GRANT pg_read_all_data TO plain; GRANT CREATE ON DATABASE stats TO plain;
"""


@dataclass(frozen=True)
class Place:
    """The server with some rows, and an empty shelf and staging folder for one test."""

    cluster: PrivatePostgres
    folder: Path

    @property
    def dsn(self) -> str:
        return self.cluster.dsn("stats")

    @property
    def database(self) -> StatsDatabase:
        return StatsDatabase(self.dsn)

    @property
    def shelf(self) -> Shelf:
        return Shelf(Archive(str(self.folder / "shelf")))

    @property
    def staging(self) -> Path:
        return self.folder / "staging"

    @property
    def config(self) -> BackupsConfig:
        return BackupsConfig(url=str(self.folder / "shelf"), staging=str(self.staging))

    @property
    def restore(self) -> Restore:
        return Restore(self.shelf, self.cluster.binaries)

    def backup(self, dsn: str | None = None, **config: object) -> Backup:
        given = self.config.model_copy(update=config)
        programs = Programs(self.cluster.binaries, dsn or self.dsn)
        return Backup(StatsDatabase(dsn or self.dsn), self.shelf, programs, given)

    def execute(self, statement: str, database: str = "stats") -> None:
        with closing(psycopg2.connect(self.cluster.dsn(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivatePostgres]:
    folder = Path(tempfile.mkdtemp(prefix="stats-backups-test-"))
    binaries = find_binaries(read_environment(os.environ).pg_bin)
    hasty = {"fsync": "off", "synchronous_commit": "off"}  # it keeps its WAL, but need not survive a power cut
    cluster = placed(PrivatePostgres(folder / "pg", binaries, way_to_run(), settings=hasty))
    cluster.start()
    migrate(cluster.dsn("stats"))
    Place(cluster, folder).execute(ROWS)
    yield cluster
    cluster.discard()


@pytest.fixture
def place(cluster: PrivatePostgres) -> Iterator[Place]:
    # Not tmp_path: pytest's folders are closed to the user that runs a server when we are root.
    with tempfile.TemporaryDirectory(prefix="stats-backups-") as folder:
        yield Place(cluster, Path(folder))


def without_replication(place: Place) -> str:
    """The data database as a role that may read it and no more."""
    return replace(place.cluster, owner="plain").dsn("stats")
