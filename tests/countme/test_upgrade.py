"""A filled database of the first version, brought to the newest: nothing is lost, all of it is of the one site."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from stats_assets import migrations
from stats_assets.shared.sqlalchemy_url import sqlalchemy_url

_FILL = """
INSERT INTO countme.weekly_totals (week, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch)
VALUES ('2024-03-04', 7, 'Fedora Linux', '39', '', 'x86_64', 1, 'fedora-39', 'x86_64');
INSERT INTO countme.weeks (week, policy, is_complete, missing, inputs, hits) VALUES
    ('2024-03-04', 'strict', true, '', 'a', 7),
    ('2024-03-11', 'strict', false, '2024-03-12: proxy01 missing', 'b', 5),
    ('2024-03-18', 'compat', true, '2024-03-19: proxy01 missing', 'c', 5),
    ('2024-03-25', 'compat', false, '', 'd', 0);
INSERT INTO countme.daily_unique_hosts (day, repository, architecture, hosts) VALUES ('2024-03-04', 'f39', 'arm', 3);
INSERT INTO countme.unique_host_days (day, inputs) VALUES ('2024-03-04', 'e');
INSERT INTO countme.week_keys (week, key) VALUES ('2024-03-04', decode(repeat('00', 32), 'hex'));
"""
_ADD_SOURCE = """
WITH source AS (
    INSERT INTO countme.sources (site, day, host, sha256, policy, lines, hits)
    VALUES (%s, '2024-03-04', 'proxy01', 'x', 'strict', 7, 7) RETURNING source_id
)
INSERT INTO countme.source_days (source_id, hit_day, hits, oldest_at, newest_at)
SELECT source_id, '2024-03-04', 7, '2024-03-04', '2024-03-04' FROM source
"""


def upgrade(dsn: str, revision: str) -> None:
    engine = create_engine(sqlalchemy_url(dsn))
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        command.upgrade(config, revision)
    engine.dispose()


def rows(dsn: str, statement: str) -> list[tuple]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.mark.parametrize(
    ("loaded", "site"),
    [
        (["mirrors.example.org"], "mirrors.example.org"),
        ([], "mirrors.fedoraproject.org"),
        (["mirrors.example.org", "mirrors.example.net"], "mirrors.fedoraproject.org"),
    ],
)
def test_counts_made_for_one_site_are_that_sites(empty_database_dsn: str, loaded: list[str], site: str):
    upgrade(empty_database_dsn, "0002")
    with psycopg2.connect(empty_database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_FILL)
        for each in loaded:
            cursor.execute(_ADD_SOURCE, (each,))
    connection.close()
    migrations.migrate(empty_database_dsn)
    for table in ("weekly_totals", "weeks", "daily_unique_hosts", "unique_host_days"):
        assert rows(empty_database_dsn, f"SELECT DISTINCT site FROM countme.{table}") == [(site,)], table
    assert rows(empty_database_dsn, "SELECT week::text, status, coverage, revision FROM countme.weeks ORDER BY 1") == [
        ("2024-03-04", "final", 1.0, 1),
        ("2024-03-11", "partial", 0.0, 1),
        ("2024-03-18", "partial", 0.0, 1),
        ("2024-03-25", "provisional", 1.0, 1),
    ]
    published = rows(empty_database_dsn, "SELECT week::text FROM countme.published_weeks ORDER BY 1")
    assert published == [("2024-03-04",), ("2024-03-18",)]
    assert rows(empty_database_dsn, "SELECT generation, destroyed_at FROM countme.week_keys") == [(1, None)]
    generations = rows(empty_database_dsn, "SELECT key_generation FROM countme.source_days")
    assert generations == [(1,)] * len(loaded)
