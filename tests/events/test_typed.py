"""Raw events into typed tables: rows, quarantine and repeats; and runs over and over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stats_assets.shared.postgres import StatsDatabase
from tests.events.typed_world import FRIDAY, World, at, schema_of

THURSDAY, SATURDAY, SUNDAY = (FRIDAY + timedelta(days=n) for n in (-1, 1, 2))


@pytest.fixture
def world(database: StatsDatabase) -> World:
    world = World(database)
    world.evolve()
    return world


def test_an_event_becomes_a_row_of_its_day(world: World):
    world.receive(
        at(FRIDAY),
        {"time": "2026-11-20T11:59:58.25+01:00", "level": 3, "hero": "Käse 🚀", "event_id": "a"},
        {"time": 1.5, "level": -1},
        {"time": 1700000000, "level": 0, "hero": None},
        headers={"user-agent": "ua/1"},
    )
    world.receive(at(SATURDAY), {"level": 9})
    (report,) = world.replace(FRIDAY)
    assert (report.received, report.stored, report.quarantined, report.repeats) == (3, 3, 0, 0)
    found = world.rows("request_position, app_id, event_id, time::text, level, hero, agent, extra")
    assert found == [
        (0, "game", "a", "2026-11-20 10:59:58.25+00", 3, "Käse 🚀", "ua/1", None),
        (1, "game", None, "1970-01-01 00:00:01.5+00", -1, None, "ua/1", None),
        (2, "game", None, "2023-11-14 22:13:20+00", 0, None, "ua/1", None),
    ]


def test_a_column_without_a_place_is_kept_in_extra(world: World):
    world.receive(at(FRIDAY), {"level": 1, "colour": "red", "n": {"a": ["\0x"]}, "agent": "mine"}, headers={})
    assert world.replace(FRIDAY)[0].with_unknown_columns == 1
    assert world.rows("level, agent, extra") == [
        (1, None, {"colour": "red", "n": {"a": ["\N{REPLACEMENT CHARACTER}x"]}, "agent": "mine"})
    ]


def test_values_of_a_wrong_type_go_to_quarantine_with_reason_and_column(world: World):
    good = [{"level": n} for n in range(40)]
    bad = [
        {"level": "1"},
        {"level": 3.0},
        {"level": 2**31},
        {"time": "2026-11-20", "level": 1},
        {"time": "2026-02-30T00:00:00Z", "level": 1},
        {"hero": 5, "level": 1},
        {"hero": "a\0b", "level": 1},
        {},
    ]
    world.receive(at(FRIDAY), *good[:20], *bad, *good[20:])
    (report,) = world.replace(FRIDAY)
    assert [(reason, column) for reason, column, _, _ in world.quarantined()] == [
        ("wrong type", "level"),
        ("not an integer", "level"),
        ("out of range", "level"),
        ("timestamp parse", "time"),
        ("timestamp parse", "time"),
        ("wrong type", "hero"),
        ("NUL character", "hero"),
        ("required value omitted", "level"),
    ]
    assert [level for (level,) in world.rows("level")] == list(range(40))
    assert (report.stored, report.quarantined) == (40, 8)
    assert report.reasons["timestamp parse"] == 2


def test_an_event_id_counts_once_within_the_days_of_lateness(world: World):
    world.receive(at(FRIDAY, 23.99), {"level": 1, "event_id": "x"}, {"level": 2, "event_id": "x"})
    world.receive(at(SATURDAY, 0.01), {"level": 3, "event_id": "x"})  # over midnight
    world.receive(at(SATURDAY, 1), {"level": 4, "event_id": "x"}, app="other")
    world.receive(at(SUNDAY, 23), {"level": 5, "event_id": "x"})  # was seen on Saturday
    world.receive(at(SUNDAY + timedelta(days=3)), {"level": 6, "event_id": "x"})  # too long ago
    for days in ([FRIDAY, SATURDAY, SUNDAY], [SUNDAY, FRIDAY, SATURDAY]):
        reports = world.replace(*days, SUNDAY + timedelta(days=3))
        assert [level for (level,) in world.rows("level")] == [1, 4, 6]
        assert sum(report.repeats for report in reports) == 3


def test_a_rerun_and_a_range_give_the_rows_of_single_days(world: World):
    for day in (THURSDAY, FRIDAY, SATURDAY):
        world.receive(at(day), *({"level": n, "event_id": f"{n % 7}", "odd": n} for n in range(10)), {"level": "x"})
    counts = "SELECT day, received, stored, quarantined, repeats, identified FROM events.table_days ORDER BY day"
    seen = []
    for days in ([THURSDAY, FRIDAY, SATURDAY], [SATURDAY, FRIDAY], [FRIDAY], [THURSDAY]):
        world.replace(*days)
        seen.append((world.rows("*"), world.quarantined(), world.query(counts)))
    assert seen == [seen[0]] * 4
    assert len(seen[0][0]) == 7
    assert len(seen[0][1]) == 3


def test_what_has_come_since_is_added_without_reading_the_day_again(world: World):
    world.receive(at(FRIDAY, 1), {"level": 1, "event_id": "a"}, {"level": "bad"})
    world.replace(FRIDAY)
    # As if the first run had been in the middle of the day.
    world.query(f"UPDATE events.table_days SET complete_until = '{at(FRIDAY, 2)}' RETURNING 1")
    world.receive(at(FRIDAY, 3), {"level": 2, "event_id": "a"}, {"level": 3}, {"level": "bad"})
    (added,) = world.replace(FRIDAY, only_new=True)
    assert (added.read, added.received, added.stored, added.quarantined, added.repeats) == (3, 5, 2, 2, 1)
    rows = world.rows("*")
    (whole,) = world.replace(FRIDAY)
    assert (whole.read, whole.received, whole.stored, whole.quarantined, whole.repeats) == (5, 5, 2, 2, 1)
    assert world.rows("*") == rows


def test_a_day_whose_spool_was_brought_in_is_read_as_a_whole(world: World):
    world.receive(at(FRIDAY, 1), {"level": 1})
    world.replace(FRIDAY)
    world.receive(at(FRIDAY, 0.5), {"level": 2})
    assert world.replace(FRIDAY, only_new=True)[0].stored == 1
    world.replayed(FRIDAY)
    assert world.replace(FRIDAY, only_new=True)[0].stored == 2


def test_retired_raw_events_leave_what_was_made_of_them(world: World):
    world.receive(at(FRIDAY), {"level": 1})
    world.receive(at(SATURDAY), {"level": 2})
    world.replace(FRIDAY, SATURDAY)
    world.query("TRUNCATE events.raw_events_20261120; SELECT 1")
    for day in (FRIDAY, SATURDAY):
        with pytest.raises(Exception, match="have been retired; the rows stay as they are"):
            world.replace(day)
    assert world.rows("level") == [(1,), (2,)]


def test_a_column_that_was_added_later_is_filled_from_what_was_sent(world: World):
    world.receive(at(FRIDAY, 1), {"level": 1, "score": 7}, {"level": 2, "score": "many"}, {"level": 3})
    world.replace(FRIDAY)
    world.schema = schema_of(
        "- {name: level, type: i32, required: true}\n- {name: score, type: i64, required: true, indexed: true}"
    )
    with pytest.raises(Exception, match=r"add_column levels\.score; materialize events/schema"):
        world.replace(FRIDAY)
    assert world.evolve().is_settled
    world.receive(at(FRIDAY, 2), {"level": 4, "score": 8}, {"level": 5, "score": "many"}, {"level": 6})
    world.replace(FRIDAY)
    # Before the column was there anything could be sent; after that its type holds, and that it is required.
    assert world.rows("level, score, extra") == [
        (1, 7, None),
        (2, None, {"score": "many"}),
        (3, None, None),
        (4, 8, None),
    ]
    assert [reason for reason, *_ in world.quarantined()] == ["wrong type", "required value omitted"]


def test_quarantined_events_come_into_the_table_when_the_schema_file_is_mended(world: World):
    world.receive(at(FRIDAY), {"level": 1, "hero": 5})
    world.replace(FRIDAY)
    assert [reason for reason, *_ in world.quarantined()] == ["wrong type"]
    world.schema = schema_of("- {name: level, type: i32, required: true}\n- {name: hero_number, type: i32}")
    world.evolve()
    world.replace(FRIDAY)
    assert world.rows("level, hero, extra") == [(1, None, {"hero": 5})]
    assert world.quarantined() == []
