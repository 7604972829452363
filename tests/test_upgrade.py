"""A database of the first version, filled, then brought to the newest: what is exported stays the same."""

from __future__ import annotations

from pathlib import Path

import psycopg2

from stats_assets.countme.export import export
from stats_assets.migrations import migrate
from stats_assets.shared.postgres import StatsDatabase
from tests.countme.test_upgrade import upgrade

_FILL = """
INSERT INTO log_sync.files (day, host, site, state, source_url, source_version, archive_name, file_bytes,
                            content_bytes, sha256, fetched_at, checked_at, attempts)
VALUES ('2024-03-04', 'proxy01', 'mirrors.example.org', 'fetched', 'file:///logs', '1', 'logs/a', 9, 20, 'aa', now(),
        now(), 1),
       ('2024-03-05', 'proxy01', 'mirrors.example.org', 'missing', 'file:///logs', NULL, NULL, NULL, NULL, NULL, NULL,
        now(), 3);
INSERT INTO countme.sources (site, day, host, sha256, policy, lines, hits)
VALUES ('mirrors.example.org', '2024-03-04', 'proxy01', 'aa', 'compat', 4, 3);
INSERT INTO countme.source_days VALUES (1, '2024-03-04', 3, '2024-03-04 01:00+00', '2024-03-04 03:00+00');
INSERT INTO countme.verdicts VALUES (1, 'hit', 3), (1, 'unknown_agent', 1);
INSERT INTO countme.quarantine VALUES (1, 77, 'unknown_agent', 'curl');
INSERT INTO countme.clients (os_name, os_version, os_variant, os_arch, repo_tag, repo_arch, identity_hash)
VALUES ('Fedora Linux', '39', 'workstation', 'x86_64', 'fedora-39', 'x86_64', 'a'),
       ('Fedora, "Linux"', '40', '', 'aarch64', 'updates-released-f40', 'aarch64', 'b');
INSERT INTO countme.week_keys VALUES ('2024-03-04', decode(repeat('00', 32), 'hex'));
CREATE TABLE countme.raw_hits_20240304 PARTITION OF countme.raw_hits
    FOR VALUES FROM ('2024-03-04 00:00+00') TO ('2024-03-11 00:00+00');
INSERT INTO countme.raw_hits VALUES ('2024-03-04 01:00+00', 255, 0, 1, 1, 1), ('2024-03-04 02:00+00', 16, 40, -1, 2, 1),
                                    ('2024-03-04 02:00+00', 16, 60, -1, 2, 1);
INSERT INTO countme.repeats VALUES (1, 60, '2024-03-04 02:00+00');
INSERT INTO countme.addresses VALUES (1, 255, '192.0.2.1');
INSERT INTO countme.weekly_totals VALUES
    ('2024-03-04', 1, 'Fedora Linux', '39', 'workstation', 'x86_64', 1, 'fedora-39', 'x86_64'),
    ('2024-03-11', 5, 'Fedora Linux', '39', 'workstation', 'x86_64', 1, 'fedora-39', 'x86_64');
INSERT INTO countme.weeks (week, policy, is_complete, missing, inputs, hits)
VALUES ('2024-03-04', 'strict', true, '', 'a', 1), ('2024-03-11', 'strict', false, 'proxy01', 'b', 5);
"""
# What the exports of the first version gave for these rows: the second week is not complete, the third hit a repeat.
_HITS = '''\
timestamp,host,os_name,os_version,os_variant,os_arch,sys_age,repo_tag,repo_arch
1709514000,192.0.2.1,Fedora Linux,39,workstation,x86_64,1,fedora-39,x86_64
1709517600,10,"Fedora, ""Linux""",40,,aarch64,-1,updates-released-f40,aarch64
'''
_WEEKLY_TOTALS = """\
week_start,week_end,hits,os_name,os_version,os_variant,os_arch,sys_age,repo_tag,repo_arch
2024-03-04,2024-03-10,1,Fedora Linux,39,workstation,x86_64,1,fedora-39,x86_64
"""


def test_a_filled_database_of_the_first_version_exports_the_same_after_all_migrations(
    empty_database_dsn: str, tmp_path: Path
):
    upgrade(empty_database_dsn, "0001")
    with psycopg2.connect(empty_database_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_FILL)
    connection.close()
    migrate(empty_database_dsn)
    export(StatsDatabase(dsn=empty_database_dsn), tmp_path)
    assert (tmp_path / "hits.csv").read_text() == _HITS
    assert (tmp_path / "weekly_totals.csv").read_text() == _WEEKLY_TOTALS
