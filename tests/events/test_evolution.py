"""Schema evolution: what the planner asks for of a catalog, and what becomes of it in a database that is in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stats_assets.events.catalog import (
    Catalog,
    DatabaseColumn,
    DatabaseIndex,
    DatabaseLeaf,
    DatabaseTable,
    NotNullCheck,
)
from stats_assets.events.ddl import HOUSE_TYPES
from stats_assets.events.evolution import Plan, plan
from stats_assets.events.schema_file import EventSchema
from stats_assets.shared.postgres import StatsDatabase
from tests.events.typed_world import FRIDAY, World, at, schema_of

LEVEL = "- {name: level, type: i32}"
HOUSE = tuple(DatabaseColumn(name, kind, is_needed) for name, (kind, is_needed) in HOUSE_TYPES.items())


def planned(schema: EventSchema, *columns: DatabaseColumn, **table: object) -> Plan:
    found = DatabaseTable("levels", columns=(*HOUSE, *columns), **table)  # type: ignore[arg-type]
    return plan(schema, Catalog({"levels": found}, frozenset({"levels"})))


def statements(found: Plan) -> list[str]:
    return [statement for step in found.steps for transaction in step.transactions for statement in transaction]


# --- decided against a database: the cases of the reference data that no file alone decides ---------------------


def test_sc20_a_missing_column_is_added():
    found = planned(schema_of(LEVEL))
    assert statements(found) == ['ALTER TABLE "events"."levels" ADD COLUMN "level" integer']
    assert not found.refusals


def test_sc21_an_extra_nullable_column_stays_and_is_told():
    found = planned(schema_of(LEVEL), DatabaseColumn("level", "integer"), DatabaseColumn("old", "text"))
    assert found.is_settled
    assert found.notes == (
        'levels.old is not in the schema file; it stays. To drop it and its values: ALTER TABLE "events"."levels"'
        ' DROP COLUMN "old"',
    )


@pytest.mark.parametrize("columns", [LEVEL, "- {name: hero}"], ids=["optional in the file", "not in the file"])
def test_sc24_a_column_that_events_may_lack_is_no_longer_not_null(columns: str):
    others = [] if columns == LEVEL else [DatabaseColumn("hero", "text")]
    found = planned(schema_of(columns), DatabaseColumn("level", "integer", is_not_null=True), *others)
    assert statements(found) == ['ALTER TABLE "events"."levels" ALTER COLUMN "level" DROP NOT NULL']


# --- the planner ------------------------------------------------------------------------------------------------


def test_names_are_quoted_whatever_they_are():
    schema = schema_of("""- {name: 'a"b; --', indexed: true}\n- {name: order}\n- {name: userId}""")
    (create,) = plan(schema, Catalog()).steps
    table, index = create.transactions[0]
    assert '"a""b; --" text, "order" text, "userId" text, "extra" jsonb) PARTITION BY RANGE (received_at)' in table
    assert index == 'CREATE INDEX "levels_a""b; --_idx" ON "events"."levels" ("a""b; --")'


def test_another_type_is_refused_with_the_statement_and_its_lock():
    found = planned(schema_of("- {name: level, type: i64}"), DatabaseColumn("level", "integer"))
    (refusal,) = found.refusals
    assert refusal.statements == (
        'ALTER TABLE "events"."levels" ALTER COLUMN "level" TYPE bigint USING "level"::bigint',
    )
    assert "ACCESS EXCLUSIVE on the table and all its table partitions while every row is written" in refusal.lock
    assert not found.steps


def test_strings_that_attolytics_made_are_strings():
    assert planned(schema_of("- {name: hero}"), DatabaseColumn("hero", "character varying")).is_settled


@pytest.mark.parametrize("kind, key", [("r", ()), ("v", ()), ("p", ("day",))])
def test_something_else_of_the_name_is_refused(kind: str, key: tuple[str, ...]):
    found = plan(schema_of(LEVEL), Catalog({"levels": DatabaseTable("levels", kind, key)}))
    assert "RENAME TO" in found.refusals[0].statements[0]
    assert not found.steps


def test_a_required_column_becomes_not_null_by_a_check_that_is_validated_first():
    schema = schema_of("- {name: level, type: i32, required: true}")
    (step,) = planned(schema, DatabaseColumn("level", "integer")).steps
    assert step.transactions == (
        ('ALTER TABLE "events"."levels" ADD CONSTRAINT "levels_level_present" CHECK ("level" IS NOT NULL) NOT VALID',),
        ('ALTER TABLE "events"."levels" VALIDATE CONSTRAINT "levels_level_present"',),
        (
            'ALTER TABLE "events"."levels" ALTER COLUMN "level" SET NOT NULL',
            'ALTER TABLE "events"."levels" DROP CONSTRAINT "levels_level_present"',
        ),
    )
    check = NotNullCheck("levels_level_present", "level", is_validated=False)
    (rest,) = planned(schema, DatabaseColumn("level", "integer"), checks=(check,)).steps
    assert rest.transactions == step.transactions[1:]  # it was broken off after the first


def test_a_required_column_that_rows_lack_stays_nullable_and_is_told():
    schema = schema_of("- {name: level, type: i32, required: true}")
    found = planned(schema, DatabaseColumn("level", "integer", has_nulls=True))
    assert found.is_settled
    assert "rows from before have no value" in found.notes[0]


def test_an_index_is_made_on_each_table_partition_while_rows_come_in():
    schema = schema_of("- {name: level, type: i32, indexed: true}")
    level = DatabaseColumn("level", "integer")
    leaves = (
        DatabaseLeaf("levels_1", (DatabaseIndex("levels_1_level_idx", "level", parent="levels_level_idx"),)),
        DatabaseLeaf("levels_2", (DatabaseIndex("half_made", "level", is_valid=False),)),
        DatabaseLeaf("levels_3", (DatabaseIndex("somebodys", "level"),)),
    )
    assert statements(planned(schema, level, leaves=leaves)) == [
        'CREATE INDEX "levels_level_idx" ON ONLY "events"."levels" ("level")'
    ]
    half = (DatabaseIndex("levels_level_idx", "level", is_valid=False),)
    assert statements(planned(schema, level, leaves=leaves, indexes=half)) == [
        'DROP INDEX CONCURRENTLY "events"."half_made"',
        'CREATE INDEX CONCURRENTLY "levels_2_level_idx" ON "events"."levels_2" ("level")',
        'ALTER INDEX "events"."levels_level_idx" ATTACH PARTITION "events"."levels_2_level_idx"',
        'ALTER INDEX "events"."levels_level_idx" ATTACH PARTITION "events"."somebodys"',
    ]


# --- in a database ----------------------------------------------------------------------------------------------


@contextmanager
def reading(world: World, seconds: float) -> Iterator[None]:
    """Somebody who has the table open for a while: ACCESS EXCLUSIVE is not to be had meanwhile."""
    is_open, end = threading.Event(), threading.Event()

    def read() -> None:
        with world.database.transaction() as cursor:
            cursor.execute("SELECT count(*) FROM events.levels")
            is_open.set()
            end.wait(seconds)

    reader = threading.Thread(target=read)
    reader.start()
    is_open.wait()
    try:
        yield
    finally:
        end.set()
        reader.join()


def test_the_tables_follow_the_file_step_by_step(database: StatsDatabase):
    world = World(database, schema_of(LEVEL))
    first = world.evolve()
    assert first.is_settled
    assert len(first.statements) == 1
    assert world.evolve().statements == []
    for hour in (1, 30):
        world.receive(at(FRIDAY, hour), {"level": 1, "hero": "Ada"}, {"level": 2, "hero": "Bob"})
    world.replace(FRIDAY, at(FRIDAY, 30).date())

    world.schema = schema_of(
        "- {name: level, type: i32, required: true, indexed: true}\n- {name: hero, required: true}"
    )
    with reading(world, 1):
        second = world.evolve()  # waits for the reader, and tries again
    assert second.is_settled
    assert any("CONCURRENTLY" in statement for statement in second.statements)
    assert second.left.notes == ("levels.hero is required, but stays nullable: rows from before have no value",)
    world.replace(FRIDAY, at(FRIDAY, 30).date())
    assert world.evolve().is_settled  # the days are made again, now nothing is in the way
    indexes = "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indexrelid::regclass::text LIKE '%level_idx'"
    assert world.query(indexes) == [(3, True)]
    not_null = (
        "SELECT attname FROM pg_attribute WHERE attrelid = 'events.levels'::regclass AND attnotnull AND attnum > 5"
    )
    assert world.query(f"{not_null} ORDER BY attname") == [("hero",), ("level",)]
    assert world.query("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%present'") == [(0,)]

    world.schema = schema_of("- {name: level, type: i64}\n- {name: hero}\n- {name: score, type: f32}")
    third = world.evolve()
    assert [refusal.column for refusal in third.left.refusals] == ["level"]
    assert 'ALTER TABLE "events"."levels" ADD COLUMN "score" real' in third.statements
    applied = "SELECT applied_at IS NULL, cardinality(statements) FROM events.schema_versions ORDER BY first_seen_at"
    assert [is_open for is_open, _ in world.query(applied)] == [False, False, True]


def test_a_lock_that_is_not_to_be_had_is_left_for_the_next_run(database: StatsDatabase):
    world = World(database, schema_of(LEVEL))
    world.evolve()
    world.schema = schema_of(f"{LEVEL}\n- {{name: hero}}")
    with reading(world, 60):
        found = world.evolve()
    assert "add_column levels.hero: no lock to be had" in found.deferred[0]
    assert not found.is_settled
    assert world.evolve().is_settled


def test_a_new_table_partition_has_the_index_before_the_others_do(database: StatsDatabase):
    world = World(database, schema_of(LEVEL))
    world.evolve()
    world.receive(at(FRIDAY), {"level": 1})
    world.replace(FRIDAY)
    world.query('CREATE INDEX "levels_level_idx" ON ONLY events.levels (level); SELECT 1')  # and then it was broken off
    later = at(FRIDAY, 30)
    world.receive(later, {"level": 2})
    world.replace(later.date())
    world.schema = schema_of("- {name: level, type: i32, indexed: true}")
    assert world.evolve().is_settled
    assert world.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'events.levels_level_idx'::regclass") == [
        (True,)
    ]
