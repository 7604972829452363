"""Policies: what is refused where they are read, whose counts, what Socorro's table becomes, every table has one."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from stats_assets.configuration import StatsConfig
from stats_assets.room_policies import room_policies
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.identifiers import text_literal
from stats_assets.shared.partition_policy import PartitionPolicy, Span, span_of
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.clock import clock_trouble
from stats_assets.table_partitions.config import TablePartitionsConfig, effective
from stats_assets.table_partitions.socorro import import_policies
from tests.table_partitions.made_up import at, policy


def configured(*policies: dict) -> TablePartitionsConfig:
    return TablePartitionsConfig.model_validate({"policies": policies})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"step": 0, "kind": "int"}, "at least one id"),
        ({"step": -5, "kind": "int"}, "at least one id"),
        ({"step": 7}, "does not fit kind timestamptz"),
        ({"step": "day", "kind": "int"}, "does not fit kind int"),
        ({"step": "hour", "kind": "date"}, "step hour is for kind timestamptz"),
        ({"step": "week", "retention": "6 days", "action": "drop"}, "shorter than a week"),
        ({"step": 10, "kind": "int", "retention": 9, "action": "drop"}, "shorter than step 10"),
        ({"retention": "soon", "action": "drop"}, "no span of time"),
        ({"retention": 26, "action": "drop"}, "does not fit kind timestamptz"),
        ({"action": "drop"}, "needs a retention"),
        ({"action": "shred", "retention": "1 year"}, "Input should be 'keep'"),
        ({"zone": "Mars/X"}, "no time zone"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"table": "m"}, "not schema.table"),
        ({"table": "a.b.c"}, "not schema.table"),
        ({"table": f"s.{'x' * 64}"}, "at most 63 bytes"),
        ({"ahead": -1}, "greater than or equal to 0"),
    ],
)
def test_32_a_policy_that_makes_no_sense_is_refused_with_the_reason(given: dict, reason: str):
    with pytest.raises(ValidationError, match=reason):
        policy(**given)


def test_two_policies_for_a_table_are_refused():
    one = policy().model_dump()
    with pytest.raises(ValidationError, match=r"s\.m has two policies"):
        configured(one, {**one, "table": '"s"."m"'})


def test_names_may_be_quoted_and_have_one_spelling():
    assert policy(table='"s"."m"').table == "s.m"
    assert policy(table='"S x"."a.""b"').names == ("S x", 'a."b')
    assert policy(table='"S x"."a.""b"').table == 'S x."a.""b"'


def test_spans_are_read_in_words():
    assert (span_of("26 weeks"), span_of("1 year"), span_of(" 1 day ")) == (
        Span(26, "week"),
        Span(12, "month"),
        Span(1, "day"),
    )


def test_stats_yaml_takes_the_place_of_a_room_s_policy_and_adds_tables():
    room = policy(retention="1 year", action="archive")
    mine = {"table": "s.m", "key": "ts", "step": "week", "retention": "2 years", "action": "archive", "confirm": True}
    found = effective([room, policy(table="s.n")], configured(mine, {**mine, "table": "x.y"}))
    assert [(each.table, each.retention, each.confirm) for each in found] == [
        ("s.m", "2 years", True),
        ("s.n", None, False),
        ("x.y", "2 years", True),
    ]


def test_how_a_room_s_loader_cuts_its_table_cannot_be_changed_in_stats_yaml():
    other = policy(step="day").model_dump()
    with pytest.raises(ConfigurationMistake, match=r"s\.m is loaded by a room that cuts it by key: ts"):
        effective([policy()], configured(other))


def test_every_partitioned_table_of_the_house_is_under_a_policy_that_fits_and_destroys_nothing(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'p'"
        )
        tables = {name for (name,) in cursor.fetchall()}
    assert tables == {each.table for each in room_policies(StatsConfig())}
    assert not any(each.confirm for each in room_policies(StatsConfig()))


@pytest.mark.parametrize(
    ("now", "database_now", "last", "trouble"),
    [
        ("2026-05-20 12:00", "2026-05-20 12:01", "2026-05-19 03:00", None),
        ("2026-05-20 12:00", "2026-05-20 12:01", None, None),
        ("2026-05-20 12:00", "2026-05-20 12:30", None, "this machine says 2026-05-20 12:00, the database"),
        ("2026-05-20 12:00", "2026-05-20 12:00", "2026-05-22 03:00", "behind the last step"),
        ("2126-05-20 12:00", "2126-05-20 12:00", "2026-05-19 03:00", "if the time is right"),
    ],
)
def test_a_clock_that_moved_oddly_is_noticed(now: str, database_now: str, last: str | None, trouble: str | None):
    found = clock_trouble(at(now), at(database_now), at(last) if last else None)
    assert (found is None) == (trouble is None) and (trouble or "") in (found or "")


def test_backslashes_and_quotes_stay_inside_a_literal():
    assert text_literal("a'b") == "'a''b'" and text_literal("a\\'b") == "E'a\\\\''b'"


def test_socorro_s_table_becomes_policies_that_are_not_confirmed(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute("""CREATE TABLE report_partition_info (table_name text PRIMARY KEY, build_order int NOT NULL,
            keys text[] NOT NULL DEFAULT '{}', indexes text[] NOT NULL DEFAULT '{}', fkeys text[] NOT NULL DEFAULT '{}',
            partition_column text NOT NULL, timetype text NOT NULL);
            INSERT INTO report_partition_info (table_name, build_order, partition_column, timetype) VALUES
            ('reports', 1, 'date_processed', 'TIMESTAMPTZ'), ('raw_crashes', 4, 'date_processed', 'TIMESTAMPTZ'),
            ('signature_summary_os', 9, 'report_date', 'DATE');
            CREATE TABLE reports (date_processed timestamptz) PARTITION BY RANGE (date_processed)""")
    text = import_policies(database, ("public", "report_partition_info"), "2 weeks")
    assert "# raw_crashes is not there" in text and "# reports is" not in text
    found = TablePartitionsConfig(**yaml.safe_load(text)["table_partitions"]).policies
    assert [
        (each.table, each.kind, each.step, each.ahead, each.retention, each.action, each.confirm) for each in found
    ] == [
        ("public.reports", "timestamptz", "week", 2, "1 year", "drop", False),
        ("public.raw_crashes", "timestamptz", "week", 2, "2 weeks", "truncate", False),
        ("public.signature_summary_os", "date", "week", 2, None, "keep", False),
    ]
    with pytest.raises(ConfigurationMistake, match=r"public\.nothing is not there"):
        import_policies(database, ("public", "nothing"), None)
    with pytest.raises(ConfigurationMistake, match=r"table_partitions\.events is not Socorro's: column"):
        import_policies(database, ("table_partitions", "events"), None)
    assert all(isinstance(each, PartitionPolicy) for each in found)
