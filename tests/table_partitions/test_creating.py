"""The scenarios of creation on a real PostgreSQL."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import psycopg2
import pytest

from stats_assets.shared.failures import OurMistake, SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import ensure_leaf, leaf_of_days
from stats_assets.table_partitions.steps import TAKES_NO_CHANGES, plan_from_json
from tests.table_partitions.conftest import World, done_by_another, held
from tests.table_partitions.made_up import at, policy


class AsRole(StatsDatabase):
    """The database as a role with few rights sees it."""

    @contextmanager
    def transaction(self):
        with super().transaction() as cursor:
            cursor.execute("SET ROLE reader_36")
            yield cursor


WEDNESDAY = at("2016-05-25 12:00")


def test_01_first_creation_and_nothing_the_second_time(world: World):
    world.now = WEDNESDAY
    assert [str(each.result) for each in world.apply()] == ["done"] * 3
    assert world.parts() == {
        "m_20160523": "FOR VALUES FROM ('2016-05-23 00:00:00+00') TO ('2016-05-30 00:00:00+00')",
        "m_20160530": "FOR VALUES FROM ('2016-05-30 00:00:00+00') TO ('2016-06-06 00:00:00+00')",
        "m_20160606": "FOR VALUES FROM ('2016-06-06 00:00:00+00') TO ('2016-06-13 00:00:00+00')",
    }
    assert world.apply() == []
    assert world.rows("SELECT count(*), min(result), max(tries) FROM table_partitions.events") == [(3, "done", 1)]


def test_01_the_role_s_time_zone_changes_no_bound(world: World):
    (name,) = world.rows("SELECT current_database()")[0]
    world.run(
        f"ALTER DATABASE \"{name}\" SET timezone = 'America/Los_Angeles'",
        f"ALTER DATABASE \"{name}\" SET datestyle = 'German'",
    )
    world.now = WEDNESDAY
    world.apply()
    assert world.parts()["m_20160523"] == "FOR VALUES FROM ('2016-05-23 00:00:00+00') TO ('2016-05-30 00:00:00+00')"
    assert world.plan().steps == ()


def test_02_rows_around_the_boundary_are_in_one_week_each(world: World):
    world.now = WEDNESDAY
    world.apply()
    world.run("INSERT INTO s.m VALUES (1, '2016-05-30 00:00:00+00'), (2, '2016-05-29 23:59:59.999999+00')")
    assert world.where() == {"s.m_20160523": 1, "s.m_20160530": 1}


def test_03_dates(world: World):
    world.run("CREATE TABLE s.d (report_date date NOT NULL) PARTITION BY RANGE (report_date)")
    world.policies = [policy(table="s.d", key="report_date", kind="date")]
    world.now = WEDNESDAY
    world.apply()
    world.run("INSERT INTO s.d SELECT generate_series('2016-05-23'::date, '2016-06-12', interval '1 day')")
    assert world.where("s.d") == {"s.d_20160523": 7, "s.d_20160530": 7, "s.d_20160606": 7}
    assert world.plan().steps == ()


def test_06_local_days_over_the_change_of_clocks(world: World):
    world.policies = [policy(zone="America/New_York", step="day", ahead=0)]
    world.now = at("2026-11-01 12:00")
    world.apply()
    assert world.parts() == {"m_20261101": "FOR VALUES FROM ('2026-11-01 04:00:00+00') TO ('2026-11-02 05:00:00+00')"}


def test_07_a_changed_zone_is_refused_and_nothing_is_touched(world: World):
    world.apply()
    before = world.parts()
    world.policies = [policy(zone="America/New_York", ahead=6)]
    assert world.plan().steps == ()
    assert "would overlap m_20260518" in world.plan().refusals[0].why
    assert world.apply() == [] and world.parts() == before


def test_10_a_default_partition_is_drained_and_what_does_not_fit_stays_and_is_told(world: World):
    world.run(
        "CREATE TABLE s.m_default PARTITION OF s.m DEFAULT",
        "INSERT INTO s.m SELECT n, '2026-05-26'::timestamptz + n * interval '1 minute', 'x'"
        " FROM generate_series(1, 1000) n",
        "INSERT INTO s.m SELECT n, '2027-01-05', 'y' FROM generate_series(1, 10) n",
        "INSERT INTO s.m VALUES (1, '9999-12-31', 'z'), (1, 'infinity', 'z'), (1, '20000-01-01', 'z')",
    )
    assert [(each.step.kind, each.result) for each in world.apply()] == [
        ("create", "done"),
        ("drain", "done"),
        ("create", "done"),
    ]
    assert world.where() == {"s.m_20260525": 1000, "s.m_default": 13}
    assert set(world.parts()) == {"m_20260518", "m_20260525", "m_20260601", "m_default"}
    (refusal,) = world.plan().refusals
    assert "m_default keeps 13 rows" in refusal.why
    assert world.plan().steps == ()


def test_13_null_keys_stay_in_the_default_partition(world: World):
    world.run(
        "CREATE TABLE s.n (ts timestamptz, n int) PARTITION BY RANGE (ts)",
        "CREATE TABLE s.n_default PARTITION OF s.n DEFAULT",
        "INSERT INTO s.n VALUES (NULL, 1), ('infinity', 2), ('-infinity', 3), ('2026-05-21', 4)",
    )
    world.policies = [policy(table="s.n")]
    world.apply()
    assert world.where("s.n") == {"s.n_default": 3, "s.n_20260518": 1}
    assert "keeps 3 rows" in world.plan().refusals[0].why


def test_15_ids(world: World):
    world.run("CREATE TABLE s.i (id int NOT NULL) PARTITION BY RANGE (id)")
    world.policies = [policy(table="s.i", key="id", kind="int", step=100_000, ahead=1)]
    world.apply()
    assert set(world.parts("s.i")) == {"i_0", "i_100000"}
    world.run("INSERT INTO s.i VALUES (100000), (199999)")
    world.apply()
    assert world.parts("s.i")["i_200000"] == "FOR VALUES FROM (200000) TO (300000)"


def test_25_creating_waits_for_no_reader_or_writer_and_keeps_none_waiting(world: World):
    world.policies = [policy(ahead=0)]
    world.apply()
    world.policies = [policy(ahead=3)]
    inserted = iter(range(100, 200))

    def others(point: str) -> None:
        """At work before, after and while all locks of a step are held."""
        insert = f"INSERT INTO s.m VALUES ({next(inserted)}, '2026-05-19', 'w')"
        done_by_another(world, insert, "SELECT count(*) FROM s.m")

    with held(world, "SELECT count(*) FROM s.m"), held(world, "INSERT INTO s.m VALUES (1, '2026-05-19', 'w')"):
        results = world.apply_with(boundary=others)
    assert [(each.step.kind, each.result, each.tries) for each in results] == [("create", "done", 1)] * 3
    assert world.where() == {"s.m_20260518": next(inserted) - 100}


def test_27c_a_referenced_table_that_is_written_to_for_long_defers_creation_and_stops_no_other_writer(world: World):
    world.run(
        "CREATE TABLE s.site (id int PRIMARY KEY)",
        "INSERT INTO s.site VALUES (1)",
        "CREATE TABLE s.f (ts timestamptz NOT NULL, site int REFERENCES s.site) PARTITION BY RANGE (ts)",
    )
    world.settings["lock_budget_seconds"] = 0.8
    world.policies = [policy(table="s.f", ahead=0), policy()]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        done_by_another(world, f"INSERT INTO s.site VALUES ({len(pauses) + 2})")

    with held(world, "INSERT INTO s.site VALUES (2)"):
        results = world.apply_with(sleep=pause)
    assert {(each.step.table, each.result) for each in results} == {("s.f", "deferred"), ("s.m", "done")}
    assert pauses and world.rows("SELECT count(*) FROM s.site") == [(1 + len(pauses),)]
    with held(world, "SELECT * FROM s.site"):  # who only reads it is in nobody's way
        world.settle()
    assert set(world.parts("s.f")) == {"f_20260518"}


def test_28_owner_rights_and_row_security_are_the_parent_s(world: World):
    world.run(
        "CREATE ROLE app_own_28",
        "CREATE ROLE app_ro_28",
        "GRANT USAGE, CREATE ON SCHEMA s TO app_own_28",
        "ALTER TABLE s.m OWNER TO app_own_28",
        "GRANT SELECT ON s.m TO app_ro_28",
        "GRANT UPDATE (note) ON s.m TO app_ro_28 WITH GRANT OPTION",
        "GRANT INSERT ON s.m TO PUBLIC",
        "ALTER TABLE s.m ENABLE ROW LEVEL SECURITY",
    )
    try:
        world.apply()
        query = """SELECT pg_get_userbyid(relowner)::text, relrowsecurity,
                          ARRAY(SELECT unnest(relacl)::text ORDER BY 1),
                          (SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid AND attname = 'note')
                   FROM pg_class c WHERE relname IN ('m', 'm_20260518') AND relnamespace = 's'::regnamespace"""
        parent, leaf = world.rows(query)
        assert parent == leaf
        assert leaf[:2] == ("app_own_28", True)
        world.run(
            "GRANT DELETE ON s.m_20260518 TO app_ro_28",
            "ALTER TABLE s.m_20260518 DISABLE ROW LEVEL SECURITY",
            "REVOKE SELECT ON s.m_20260518 FROM app_ro_28",
            "ALTER TABLE s.m_20260525 OWNER TO CURRENT_USER",
        )
        assert world.plan().steps == ()  # drift is told by a check and repaired when somebody asks for it
        assert {each.result for each in world.apply(with_repairs=True)} == {"done"}
        parent, leaf = world.rows(query)
        assert parent == leaf
        assert world.maintenance.planned(with_repairs=True).plan.steps == ()
    finally:
        world.run(
            "DROP TABLE s.m",
            "DROP OWNED BY app_own_28",
            "DROP OWNED BY app_ro_28",
            "DROP ROLE app_own_28",
            "DROP ROLE app_ro_28",
        )


def test_29_indexes_storage_and_compression_are_the_parent_s(world: World):
    world.apply()
    world.run(
        "CREATE INDEX noted ON s.m (note) WHERE note IS NOT NULL",
        "CREATE INDEX thin ON s.m USING brin (ts)",
        "CREATE INDEX only_here ON ONLY s.m (id)",
        "ALTER TABLE s.m ALTER note SET STORAGE EXTERNAL",
        "ALTER TABLE s.m ALTER note SET COMPRESSION pglz",
        "ALTER TABLE s.m_20260601 SET (fillfactor = 70)",
    )
    world.now = at("2026-05-27 12:00")
    assert [each.result for each in world.apply()] == ["done"]
    indexes = """SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid = 's.m_20260608'::regclass"""
    column = (
        """SELECT attstorage, attcompression FROM pg_attribute WHERE attname = 'note' AND attrelid = %s::regclass"""
    )
    assert world.rows(indexes) == [(4, True)]
    assert world.rows(column, ("s.m_20260608",)) == [("e", "p")]
    assert world.rows("SELECT reloptions FROM pg_class WHERE oid = 's.m_20260608'::regclass") == [(["fillfactor=70"],)]
    assert {each.result for each in world.apply(with_repairs=True)} == {"done"}  # the older ones get theirs
    assert world.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.only_here'::regclass") == [(True,)]
    assert world.rows(column, ("s.m_20260518",)) == [("e", "p")]
    assert world.maintenance.planned(with_repairs=True).plan.steps == ()


def test_29_an_index_whose_building_was_broken_off_is_built_anew(world: World):
    world.policies = [policy(ahead=0)]
    world.apply()
    world.run("CREATE INDEX only_here ON ONLY s.m (id)")
    world.settings["lock_budget_seconds"] = 0.3
    with held(world, "INSERT INTO s.m VALUES (1, '2026-05-19', 'w')"):
        assert [each.result for each in world.apply(with_repairs=True)] == ["deferred"]
    assert world.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(2,)]
    assert [each.result for each in world.apply(with_repairs=True)] == ["done"]
    assert world.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def test_31_a_taken_name_is_not_taken_for_a_table_partition(world: World):
    world.run("CREATE TABLE s.m_20260525 (LIKE s.m)")
    world.apply()
    assert set(world.parts()) == {"m_20260518", "m_20260601"}
    assert "s.m_20260525 is taken" in world.plan().refusals[0].why


def test_32_policies_that_do_not_fit_hold_up_no_other_table(world: World):
    world.run(
        "CREATE TABLE s.plain (ts timestamptz)",
        "CREATE TABLE s.list (ts int) PARTITION BY LIST (ts)",
        "CREATE TABLE s.expr (ts timestamptz) PARTITION BY RANGE (date(ts AT TIME ZONE 'UTC'))",
    )
    world.policies = [policy(table=f"s.{name}") for name in ("plain", "list", "gone", "expr", "m")]
    assert {each.step.table for each in world.apply()} == {"s.m"}
    assert {each.table for each in world.plan().refusals} == {"s.plain", "s.list", "s.gone", "s.expr"}


def test_33_planning_changes_nothing_and_an_outdated_plan_is_refused(world: World):
    everything = """SELECT c.oid, c.relname, c.relkind, i.inhparent FROM pg_class c
                    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid ORDER BY 1"""
    before = world.rows(everything)
    old = world.plan()
    assert world.rows(everything) == before
    world.run("CREATE TABLE s.other PARTITION OF s.m FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')")
    results = world.maintenance.carry_out(old, "test")
    assert {(each.result, each.message) for each in results} == {
        ("skipped", "the table has changed since the plan was made; plan again")
    }
    assert set(world.parts()) == {"other"}


def test_33_a_plan_lists_exactly_what_is_then_done(world: World):
    """A default partition with rows of a coming week (10), an expired week (16), another that is referenced (27)."""
    world.run(
        "CREATE TABLE s.m_old PARTITION OF s.m FOR VALUES FROM ('2026-04-20') TO ('2026-04-27')",
        "CREATE TABLE s.m_needed PARTITION OF s.m FOR VALUES FROM ('2026-04-27') TO ('2026-05-04')",
        "CREATE TABLE s.m_now PARTITION OF s.m FOR VALUES FROM ('2026-05-04') TO ('2026-05-25')",
        "CREATE TABLE s.m_default PARTITION OF s.m DEFAULT",
        "INSERT INTO s.m VALUES (1, '2026-04-21', 'a'), (2, '2026-04-28', 'b'), (3, '2026-05-26', 'c')",
        "CREATE TABLE s.child (id bigint, ts timestamptz, FOREIGN KEY (id, ts) REFERENCES s.m (id, ts))",
        "INSERT INTO s.child VALUES (2, '2026-04-28')",
    )
    world.policies = [policy(ahead=1, retention="14 days", action="detach")]
    listed = json.loads(json.dumps(world.plan().as_json(world.now)))
    assert [(step["kind"], step["partition"]) for step in listed["steps"]] == [
        ("drain", "m_20260525"),
        ("detach", "m_old"),
        ("shelve", "m_old"),
    ]
    assert all(step["statements"] and step["lock"] and step["lower"] < step["upper"] for step in listed["steps"])
    assert "m_needed stays: 1 rows of s.child" in listed["refusals"][0]["why"]
    results = world.maintenance.carry_out(plan_from_json(listed), "test")
    assert [(each.step.kind, each.result) for each in results] == [(s["kind"], "done") for s in listed["steps"]]
    assert world.where() == {"s.m_needed": 1, "s.m_20260525": 1}
    assert set(world.parts()) == {"m_needed", "m_now", "m_20260525", "m_default"}
    assert world.plan().steps == ()


def test_a_loader_does_not_attach_a_table_that_is_on_its_way_out(world: World):
    world.run("CREATE TABLE s.m_20260518 (LIKE s.m)", "INSERT INTO s.m_20260518 VALUES (1, '2026-05-18', 'old')")
    with pytest.raises(OurMistake, match="is no table partition of s"):
        ensure_leaf(world.database, leaf_of_days("s", "m", "ts", date(2026, 5, 18), 7))
    assert world.parts() == {}


def test_a_loader_is_told_why_there_is_no_room_for_its_rows(world: World):
    week = leaf_of_days("s", "m", "ts", date(2026, 5, 18), 7)
    world.run("CREATE TABLE s.may PARTITION OF s.m FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')")
    with pytest.raises(
        OurMistake, match=r"s.m_20260518 from 2026-05-18 .* would overlap partition \"may\"; the table is"
    ):
        ensure_leaf(world.database, week)
    world.run("DROP TABLE s.may")
    ensure_leaf(world.database, week)
    with held(world, "SELECT count(*) FROM s.m"), world.database.session() as cursor:
        cursor.execute("SET lock_timeout = 50")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("ALTER TABLE s.m DETACH PARTITION s.m_20260518 CONCURRENTLY")
    with pytest.raises(SourceAway, match="is half detached: it takes no rows"):
        ensure_leaf(world.database, week)


def test_a_table_we_may_not_read_holds_up_no_other(world: World):
    world.run(
        "CREATE TABLE s.i (id int NOT NULL) PARTITION BY RANGE (id)",
        "CREATE TABLE s.i_0 PARTITION OF s.i FOR VALUES FROM (0) TO (10)",
        "CREATE ROLE reader_36",
        "GRANT USAGE ON SCHEMA s, table_partitions TO reader_36",
        "GRANT SELECT ON ALL TABLES IN SCHEMA table_partitions TO reader_36",
    )
    try:
        world.policies = [policy(table="s.i", key="id", kind="int", step=10), policy()]
        less = World(AsRole(world.database.dsn), world.folder)
        less.policies = world.policies
        plan = less.plan()
        assert [each.table for each in plan.refusals] == ["s.i"] and "permission denied" in plan.refusals[0].why
        assert {step.table for step in plan.steps} == {"s.m"}
    finally:
        world.run("DROP OWNED BY reader_36", "DROP ROLE reader_36")


def test_36_a_read_only_database_is_left_alone_and_that_is_told(world: World):
    (name,) = world.rows("SELECT current_database()")[0]
    old = world.plan()
    world.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    assert world.plan().steps == ()
    assert "takes no changes" in world.plan().refusals[0].why
    results = world.maintenance.carry_out(old, "test")
    assert {(each.result, each.message) for each in results} == {("skipped", TAKES_NO_CHANGES)}
    assert world.parts() == {}


def test_odd_names_are_maintained_like_others(world: World):
    long = "ä" * 31
    world.run(
        'CREATE SCHEMA "S ""1"',
        f'CREATE TABLE "S ""1"."{long}" ("Ts %" timestamptz) PARTITION BY RANGE ("Ts %")',
        'CREATE TABLE "S ""1"."a.b" ("Ts %" timestamptz) PARTITION BY RANGE ("Ts %")',
    )
    world.policies = [policy(table=f'"S ""1".{long}', key="Ts %"), policy(table='"S ""1"."a.b"', key="Ts %")]
    assert [each.result for each in world.apply()] == ["done"] * 6
    assert world.plan().steps == ()


def test_a_loader_that_was_quicker_is_no_failure_and_holds_up_nothing(world: World):
    maintenance = world.maintenance
    executor = maintenance.executor("test")
    leaf = leaf_of_days("s", "m", "ts", date(2026, 5, 18), 7)
    before = iter([lambda: ensure_leaf(world.database, leaf)])
    executor.boundary = lambda point: next(before, lambda: None)()
    results = executor.carry_out(maintenance.planned().plan)
    assert [(each.result, each.is_outdated) for each in results] == [
        ("skipped", True),
        ("done", False),
        ("done", False),
    ]
    assert world.plan().steps == ()
    ensure_leaf(world.database, leaf_of_days("s", "m", "ts", date(2026, 5, 25), 7))  # and ours are its
    assert len(world.parts()) == 3
