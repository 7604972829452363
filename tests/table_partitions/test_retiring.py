"""The scenarios of retention, archive and restore on a real PostgreSQL."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import timedelta

import psycopg2
import pyarrow.parquet as pq
import pytest

from stats_assets.shared.failures import OurMistake
from stats_assets.table_partitions import patience
from stats_assets.table_partitions.archive_keys import by_key
from stats_assets.table_partitions.store import archives
from tests.table_partitions.conftest import World, held
from tests.table_partitions.made_up import at, policy

FORTNIGHT = {"retention": "14 days", "ahead": 0, "confirm": True}
MESS = """INSERT INTO s.m SELECT n, '2026-04-14'::timestamptz + n * interval '3001 s', CASE n % 7
    WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a,"b"c' WHEN 3 THEN E'two\\nlines\\r\\n' WHEN 4 THEN E'\\ttab'
    WHEN 5 THEN '\\.' ELSE 'NULL 😀' END FROM generate_series(1, 1000) n"""


@pytest.fixture
def old(world: World) -> World:
    """Six weeks, from 2026-04-13 to now, a thousand odd rows in the first five."""
    world.now = at("2026-04-15 12:00")
    world.policies = [policy(ahead=5)]
    world.apply()
    world.now = at("2026-05-20 12:00")
    world.run(MESS)
    return world


def attic(world: World) -> dict[str, int]:
    tables = world.rows("SELECT attic_name FROM table_partitions.attic WHERE state = 'kept' ORDER BY 1")
    return {name: world.rows(f'SELECT count(*) FROM attic."{name}"')[0][0] for (name,) in tables}


def test_18_keep(old: World):
    old.policies = [policy(action="keep", retention="14 days", ahead=0)]
    assert old.plan().steps == ()


def test_18_detach_puts_tables_with_rows_indexes_and_check_into_the_attic_for_good(old: World):
    rows = old.where()
    old.policies = [policy(action="detach", **FORTNIGHT)]
    old.settle()
    assert set(old.parts()) == {"m_20260504", "m_20260511", "m_20260518"}
    assert sum(attic(old).values()) == rows["s.m_20260413"] + rows["s.m_20260420"] + rows["s.m_20260427"]
    name = next(iter(attic(old)))
    assert old.rows(f"SELECT count(*) FROM pg_index WHERE indrelid = 'attic.{name}'::regclass AND indisvalid") == [(1,)]
    checks = f"SELECT count(*) FROM pg_constraint WHERE conrelid = 'attic.{name}'::regclass AND contype = 'c'"
    assert old.rows(checks) == [(1,)]
    old.now += timedelta(days=1000)
    assert not [step for step in old.plan().steps if step.kind == "drop"]


def test_18_truncate_empties_and_keeps_attached(old: World):
    old.policies = [policy(action="truncate", **FORTNIGHT)]
    old.settle()
    assert len(old.parts()) == 6
    assert set(old.where()) == {"s.m_20260504", "s.m_20260511", "s.m_20260518"}


def test_18_drop_drops_after_the_time_of_grace(old: World):
    old.policies = [policy(action="drop", **FORTNIGHT)]
    old.settle()
    assert len(attic(old)) == 3
    old.now += timedelta(days=6)
    assert "drop" not in {step.kind for step in old.plan().steps}
    old.now += timedelta(days=2)
    old.settle()
    assert set(attic(old)) < {"m_20260504"} | set(attic(old)) and len(attic(old)) == 1  # a week went by
    assert old.rows("SELECT state, count(*) FROM table_partitions.attic GROUP BY 1 ORDER BY 1") == [
        ("dropped", 3),
        ("kept", 1),
    ]


def test_18_and_20_archive_writes_files_that_restore_to_the_same_rows(old: World):
    before = old.rows("SELECT * FROM s.m ORDER BY ts, id")
    old.policies = [policy(action="archive", **FORTNIGHT)]
    old.settle()
    old.now += timedelta(days=8)
    old.settle()
    rows = old.rows(
        "SELECT archive_name, fingerprint, rows, file_name, manifest_name"
        " FROM table_partitions.archives ORDER BY lower_bound"
    )
    assert [count for _, _, count, _, _ in rows] == [172, 202, 201, 202]
    manifest = json.loads((old.folder / rows[0][4]).read_text())
    assert manifest["lower"] == "2026-04-13 00:00:00+00" and manifest["fingerprint"] == rows[0][1]
    assert pq.read_table(old.folder / rows[0][3]).column("note").null_count > 0
    old.run("UPDATE table_partitions.attic SET drop_after = '2026-01-01'")  # the last one, which is in the attic still
    old.settle()
    for name, fingerprint, *_ in rows:
        assert old.maintenance.restore(name, 30, False).fingerprint == fingerprint
    assert old.rows("SELECT * FROM s.m ORDER BY ts, id") == before
    assert old.plan().steps == ()  # what was restored is left alone for a while


def test_20_a_restored_table_partition_has_indexes_and_rights(old: World):
    old.run("CREATE ROLE reader_20", "GRANT SELECT ON s.m TO reader_20")
    try:
        old.policies = [policy(action="archive", **FORTNIGHT)]
        old.settings["attic_days"] = 0
        old.settle()
        restored = old.maintenance.restore("m_20260420", 30, False)
        assert restored.fingerprint is not None
        assert old.rows("SELECT count(*) FROM pg_index WHERE indrelid = 's.m_20260420'::regclass AND indisvalid") == [
            (1,)
        ]
        assert old.rows("SELECT has_table_privilege('reader_20', 's.m_20260420', 'SELECT')") == [(True,)]
        repaired = [step.partition for step in old.maintenance.planned(with_repairs=True).plan.steps]
        assert "m_20260504" in repaired and "m_20260420" not in repaired  # the others are older than the grant
    finally:
        old.run("DROP OWNED BY reader_20", "DROP ROLE reader_20")


ALL_TYPES = """CREATE TABLE s.t (ts timestamptz NOT NULL, d date, t timestamp, tm time, b bool, i2 int2, i4 int4,
    i8 int8,
    f4 float4, f8 float8, n numeric, x text, y bytea, j json, jb jsonb, u uuid, ip inet, a int[], iv interval,
    g int GENERATED ALWAYS AS (i4 + 1) STORED) PARTITION BY RANGE (ts)"""
VALUES = """INSERT INTO s.t (ts, d, t, tm, b, i2, i4, i8, f4, f8, n, x, y, j, jb, u, ip, a, iv) VALUES
    ('2026-04-15 00:00:00.000001+00', '0001-01-01', '1969-12-31 23:59:59.999999', '24:00', true, -32768, -2147483648,
     -9223372036854775808, 'NaN', '-Infinity', 1e200, '', '\\x00ff', '{"a" : 1.0}', '{"b": [1, null]}',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '{1,NULL}', '1 mon -1 day'),
    ('2026-04-15', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL),
    ('2026-04-15', '9999-12-31', '2026-01-01', '00:00:00.5', false, 1, 1, 1, 0.1, 1e-320, 0.10, 'x', '', 'null', 'null',
     NULL, '10.0.0.1', '{}', '0'),
    ('2026-04-15', NULL, NULL, NULL, NULL, NULL, NULL, NULL, -0.0, 0.1, 'NaN', chr(31), NULL,
     NULL, NULL, NULL, NULL, NULL, NULL)"""


def test_20_every_type_survives_the_way_through_the_file(old: World):
    old.run(
        ALL_TYPES,
        "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM ('2026-04-13') TO ('2026-04-20')",
        VALUES,
        "INSERT INTO s.t (ts, i4) SELECT '2026-04-15', 7 FROM generate_series(1, 3)",
    )
    old.settings["attic_days"] = 0
    old.policies = [policy(table="s.t", action="archive", **FORTNIGHT)]
    before = old.rows("SELECT x::text FROM s.t x ORDER BY 1")
    old.settle()
    assert old.rows("SELECT count(*) FROM s.t") == [(0,)]
    old.run("SET LOCAL datestyle = 'German'")
    old.maintenance.restore("t_1", 30, False)
    assert old.rows("SELECT x::text FROM s.t x ORDER BY 1") == before


@pytest.mark.parametrize(
    ("value", "told"), [("infinity", "infin"), ("0044-03-15 BC", "outside of the years 1 to 9999")]
)
def test_13_and_20_what_a_file_cannot_hold_is_refused_before_anything_is_detached(old: World, value: str, told: str):
    old.run(
        "CREATE TABLE s.t (ts timestamptz NOT NULL, d timestamptz) PARTITION BY RANGE (ts)",
        "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM ('2026-04-13') TO ('2026-04-20')",
        f"INSERT INTO s.t VALUES ('2026-04-15', '{value}')",
    )
    old.policies = [policy(table="s.t", action="archive", **FORTNIGHT)]
    old.apply()  # the newest never leaves: there has to be a newer one
    results = {each.step.kind: each for each in old.apply() if each.step.kind != "create"}
    assert results["archive"].result == "failed" and told in (results["archive"].message or "")
    assert results["detach"].result == "skipped"
    assert "t_1" in old.parts("s.t")


def test_20_a_value_changed_in_the_file_keeps_the_table_partition_attached(old: World):
    old.policies = [policy(action="archive", **FORTNIGHT)]
    maintenance = old.maintenance
    executor = maintenance.executor("test")

    def spoil(point: str) -> None:
        if point == "file written":
            (path,) = old.folder.rglob("*.parquet")
            table = pq.read_table(path)
            notes = ["changed" if i == 5 else note for i, note in enumerate(table.column("note").to_pylist())]
            pq.write_table(table.set_column(2, "note", [notes]), path)

    executor.boundary = spoil
    results = executor.carry_out(maintenance.planned().plan)
    message = results[0].message or ""
    assert results[0].result == "failed" and "fingerprint is 172-" in message and "sha256" in message
    assert [each.result for each in results[1:3]] == ["skipped", "skipped"]
    assert list(old.folder.rglob("*.parquet")) == []
    assert len(old.parts()) == 6
    old.settle()


def test_rows_that_come_after_the_archive_are_not_dropped(old: World):
    old.policies = [policy(action="archive", **FORTNIGHT)]
    old.settle()
    name = sorted(attic(old))[0]
    old.run(f"INSERT INTO attic.\"{name}\" VALUES (4711, '2026-04-14', 'late')")
    old.now += timedelta(days=7)
    results = {each.step.partition: each for each in old.apply() if each.step.kind == "drop"}
    assert results[name].result == "failed" and "rows came after it was archived" in (results[name].message or "")
    old.settle()
    with old.database.transaction() as cursor:
        archived = by_key(archives(cursor))
    assert [key for key in archived if "20260413" in key] == ["s.m_20260413", "s.m_20260413 (2)"]


def test_a_file_that_went_bad_keeps_the_table_in_the_attic_and_is_written_anew(old: World):
    old.policies = [policy(action="archive", **FORTNIGHT)]
    old.settle()
    file = next(old.folder.rglob("m_20260413*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    old.now += timedelta(days=7)
    failed = [each for each in old.apply() if each.result == "failed"]
    assert "has changed since it was verified" in (failed[0].message or "")
    old.settle()
    assert old.rows("SELECT count(*) FROM table_partitions.archives WHERE problem IS NOT NULL") == [(0,)]


def test_29_what_was_archived_comes_back_with_indexes_storage_and_compression(old: World):
    old.run(
        "CREATE INDEX noted ON s.m (note) WHERE note IS NOT NULL",
        "CREATE INDEX thin ON s.m USING brin (ts)",
        "ALTER TABLE s.m ALTER note SET STORAGE EXTERNAL",
        "ALTER TABLE s.m ALTER note SET COMPRESSION pglz",
        "ALTER TABLE s.m_20260518 SET (fillfactor = 70)",
    )
    old.apply(with_repairs=True)
    shape = """SELECT c.reloptions, a.attstorage, a.attcompression,
                      (SELECT array_agg(m.amname::text || i.indisprimary || i.indisvalid || (i.indpred IS NOT NULL)
                                        ORDER BY 1)
                       FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
                       WHERE i.indrelid = c.oid)
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'note'
               WHERE c.oid = 's.m_20260518'::regclass"""
    (wanted,) = old.rows(shape)
    assert wanted[1:3] == ("e", "p") and len(wanted[3]) == 3
    old.policies = [policy(action="archive", **FORTNIGHT)]
    old.settings["attic_days"] = 0
    old.settle()
    old.maintenance.restore("m_20260420", 30, False)
    assert old.rows(shape.replace("m_20260518", "m_20260420")) == [wanted]


def test_from_the_attic_it_comes_back_as_it_was(old: World):
    before = old.where()
    old.policies = [policy(action="drop", **FORTNIGHT)]
    old.settle()
    old.policies = [policy(action="keep", ahead=0)]
    old.maintenance.restore("m_20260420", 30, False)
    assert old.where()["s.m_20260420"] == before["s.m_20260420"]
    with pytest.raises(OurMistake, match="nothing is archived or in the attic as m_20260420"):
        old.maintenance.restore("m_20260420", 30, False)


def test_a_range_that_was_filled_meanwhile_is_not_restored_over(old: World):
    old.policies = [policy(action="archive", **FORTNIGHT)]
    old.settings["attic_days"] = 0
    old.settle()
    old.run("CREATE TABLE s.again PARTITION OF s.m FOR VALUES FROM ('2026-04-20') TO ('2026-04-27')")
    with pytest.raises(OurMistake, match="again has taken the range"):
        old.maintenance.restore("m_20260420", 30, False)
    assert old.maintenance.restore("m_20260420", 30, True).fingerprint
    assert old.rows("SELECT count(*) FROM s.m_20260420") == [(202,)]


def test_27_foreign_keys_hold_a_table_partition_until_the_referencing_rows_are_gone(old: World):
    old.run(
        "CREATE TABLE s.child (id bigint, ts timestamptz,"
        " CONSTRAINT child_m FOREIGN KEY (id, ts) REFERENCES s.m (id, ts))",
        "INSERT INTO s.child SELECT id, ts FROM s.m WHERE ts < '2026-04-20' LIMIT 5",
    )
    old.policies = [policy(action="drop", **FORTNIGHT)]
    assert any("5 rows of s.child (child_m) reference it" in each.why for each in old.plan().refusals)
    old.apply()
    assert "m_20260413" in old.parts() and len(old.parts()) == 4
    assert old.rows("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(0,)]
    old.run("DELETE FROM s.child")
    old.settle()
    assert "m_20260413" not in old.parts()


def test_27d_of_two_tables_the_referencing_one_is_made_last_and_goes_first(old: World):
    old.run(
        """CREATE TABLE s.child (id bigint NOT NULL, ts timestamptz NOT NULL, PRIMARY KEY (id, ts),
           FOREIGN KEY (id, ts) REFERENCES s.m (id, ts)) PARTITION BY RANGE (ts)""",
        "CREATE TABLE s.child_20260413 PARTITION OF s.child FOR VALUES FROM ('2026-04-13') TO ('2026-04-20')",
        "INSERT INTO s.child SELECT id, ts FROM s.m WHERE ts < '2026-04-20'",
    )
    old.policies = [policy(table="s.child", action="drop", **FORTNIGHT), policy(action="drop", **FORTNIGHT)]
    old.settings["attic_days"] = 0
    made = [each for each in old.apply() if each.step.kind == "create"]
    assert {(each.step.table, each.result) for each in made} == {("s.child", "done")}
    old.settle()
    assert "child_20260413" not in old.parts("s.child") and "m_20260413" not in old.parts()
    drops = "SELECT partition_name FROM table_partitions.events WHERE step = 'drop' AND lower_bound LIKE '2026-04-13%'"
    assert [name.rsplit("_", 1)[0] for (name,) in old.rows(f"{drops} ORDER BY event_id")] == [
        "child_20260413",
        "m_20260413",
    ]


def test_a_reader_that_never_ends_defers_the_detach_and_holds_up_neither_creation_nor_other_tables(
    old: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "_OLD_SECONDS", 3600)  # begun although somebody reads, as if he had just come
    old.run(
        "CREATE TABLE s.o (ts timestamptz NOT NULL) PARTITION BY RANGE (ts)",
        "CREATE TABLE s.o_1 PARTITION OF s.o FOR VALUES FROM ('2026-04-13') TO ('2026-04-20')",
    )
    old.settings["lock_budget_seconds"] = 1.5
    old.policies = [
        policy(action="detach", **FORTNIGHT | {"ahead": 2}),
        policy(table="s.o", action="detach", **FORTNIGHT),
    ]
    old.maintenance.carry_out(old.plan().of("s.o"), "test")
    with held(old, "SELECT count(*) FROM s.m"):
        results = old.apply()
        by_table = {(each.step.table, each.step.kind): each.result for each in results}
        assert by_table["s.m", "create"] == "done"
        assert by_table["s.o", "shelve"] == "done"
        deferred = next(each for each in results if each.result == "deferred")
        assert deferred.step.kind == "detach" and "deferred after" in (deferred.message or "")
        again = old.apply()
        assert ("finalize", "deferred") in {(each.step.kind, each.result) for each in again}
    old.settle()
    assert "m_20260413" not in old.parts()
    assert old.rows("SELECT DISTINCT result FROM table_partitions.events ORDER BY 1") == [
        ("deferred",),
        ("done",),
        ("skipped",),
    ]


def test_a_detach_is_not_begun_while_an_old_transaction_has_the_table_and_nobody_waits_meanwhile(
    old: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "_OLD_SECONDS", 0)
    old.settings["lock_budget_seconds"] = 1
    old.policies = [policy(action="detach", **FORTNIGHT)]
    rows = old.where()
    with held(old, "SELECT count(*) FROM s.m") as reader:
        deferred = old.apply()[0]
        assert (deferred.step.kind, deferred.result, deferred.tries > 1) == ("detach", "deferred", True)
        assert f"pid {reader.info.backend_pid} (no name, idle in transaction, since" in (deferred.message or "")
        assert '"s"."m"' in (deferred.message or "")
        assert old.where() == rows  # begun, it would hide them until the reader has ended
    old.settle()
    assert len(old.parts()) == 3


def test_23_a_detach_that_somebody_else_left_pending_is_ended_and_nothing_made_in_its_place(old: World):
    with held(old, "SELECT count(*) FROM s.m"), old.database.session() as cursor:
        cursor.execute("SET lock_timeout = 50")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("ALTER TABLE s.m DETACH PARTITION s.m_20260511 CONCURRENTLY")
    assert old.rows("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(1,)]
    old.policies = [policy(ahead=0)]
    assert [(each.step.kind, each.result) for each in old.apply()] == [("finalize", "done")]
    assert "m_20260511" not in old.parts()
    assert "s.m_20260511 is taken" in old.plan().refusals[0].why  # its rows are there: for a person to decide
    assert old.plan().steps == ()


def test_a_table_somebody_holds_locked_is_told_and_the_others_are_maintained(old: World):
    old.run("CREATE TABLE s.o (ts timestamptz NOT NULL) PARTITION BY RANGE (ts)")
    old.settings["lock_budget_seconds"] = 1
    old.policies = [policy(ahead=3), policy(table="s.o")]
    with held(old, "LOCK TABLE s.m IN ACCESS EXCLUSIVE MODE"):
        results = old.apply()
        assert {each.result for each in results if each.step.table == "s.o"} == {"done"}
        told = [each.message for each in results if each.step.table == "s.m"] + [
            each.why for each in old.plan().refusals
        ]
        assert any("lock timeout" in (text or "") for text in told)
    old.settle()


def test_two_runs_at_once_do_not_both_maintain_a_table(old: World):
    old.policies = [policy(ahead=3)]
    with held(old, "SELECT pg_advisory_lock(hashtextextended('s.m:maintenance', 0))"):
        assert {each.message for each in old.apply()} == {"another run maintains this table now"}
    old.settle()


def test_24_beside_a_default_partition_the_detach_comes_between_two_readers_and_no_insert_fails(old: World):
    old.run("CREATE TABLE s.m_default PARTITION OF s.m DEFAULT")
    old.policies = [policy(action="detach", **FORTNIGHT)]
    stop, failures = threading.Event(), []

    def write() -> None:
        with closing(psycopg2.connect(old.database.dsn)) as connection:
            connection.autocommit = True
            number = 0
            while not stop.wait(0.005):
                number += 1
                try:
                    connection.cursor().execute("INSERT INTO s.m VALUES (%s, '2026-05-19', 'w')", (number,))
                except psycopg2.Error as error:
                    failures.append(str(error))

    writer = threading.Thread(target=write)
    writer.start()
    with held(old, "SELECT count(*) FROM s.m WHERE ts > '2026-05-18'") as reader:
        results = old.apply_with(sleep=lambda seconds: reader.rollback())
    old.settle()
    stop.set()
    writer.join()
    first = results[0]
    assert (first.step.kind, first.result, first.tries > 1) == ("detach", "done", True)
    assert failures == []
    assert set(old.parts()) == {"m_20260504", "m_20260511", "m_20260518", "m_default"}


def test_removing_a_policy_removes_no_row_and_leaves_a_trace(old: World):
    old.policies = [policy(action="drop", **FORTNIGHT)]
    old.settle()
    old.maintenance.mirror(old.maintenance.planned())
    kept, rows = attic(old), old.where()
    old.policies = []
    old.now += timedelta(days=1000)
    old.maintenance.mirror(old.maintenance.planned())
    assert old.plan().steps == ()
    assert (attic(old), old.where()) == (kept, rows)
    assert old.rows("SELECT table_name, removed_at IS NOT NULL FROM table_partitions.policies") == [("s.m", True)]
