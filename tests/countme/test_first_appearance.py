"""Policy compat: the published rows stand in the order in which they first appeared in the logs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from stats_assets.countme.publications import Publisher
from stats_assets.countme.publish_totals import publish_csv
from stats_assets.countme.published_assets import published_rows
from tests.countme.world import World, hit_line, noon

MONDAY, TUESDAY = date(2024, 3, 4), date(2024, 3, 5)
NEXT_MONDAY = date(2024, 3, 11)
AT = noon(MONDAY)


@pytest.fixture
def compat(world: World) -> World:
    return world.with_config(policy="compat", keep_addresses=True)


def line(repo: str, at: datetime = AT, countme: int | None = 1, address: str = "192.0.2.1") -> bytes:
    return hit_line(at, address, countme, repo)


def closing(world: World) -> None:
    """What comes after the week lets compat close both its passes."""
    world.deliver(NEXT_MONDAY, [line("x", noon(NEXT_MONDAY)), line("x", noon(NEXT_MONDAY), None)])


def published(world: World) -> list[tuple[str, str]]:
    """Repository and countme value of the published rows."""
    (rows,) = published_rows(world.config)
    plain, _ = publish_csv(Publisher(world.database, world.archive, rows.site, ""), rows)
    text = (world.folder / "published/countme" / rows.site / plain.name).read_text()
    fields = [row.split(",") for row in text.splitlines()[1:]]
    return [(row[8], row[7]) for row in fields]


def counted(world: World, *days: date) -> list[tuple[str, str]]:
    closing(world)
    world.load(*days, NEXT_MONDAY)
    world.count(MONDAY)
    return published(world)


def of_countme(rows: list[tuple[str, str]]) -> list[str]:
    return [repo for repo, age in rows if age != "-1"]


def of_addresses(rows: list[tuple[str, str]]) -> list[str]:
    return [repo for repo, age in rows if age == "-1"]


def test_rows_with_countme_stand_by_the_time_of_their_first_line(compat: World):
    later = AT + timedelta(seconds=1)
    compat.deliver(MONDAY, [line("c", later), line("a", later + timedelta(hours=1)), line("b"), line("a", countme=2)])
    assert counted(compat, MONDAY)[:4] == [("b", "1"), ("a", "2"), ("c", "1"), ("a", "1")]


def test_lines_of_one_second_stand_by_file_host_and_place(compat: World):
    compat.deliver(MONDAY, [line("e"), line("d")], host="proxy02")
    compat.deliver(MONDAY, [line("g"), line("f")], host="proxy01")
    compat.deliver(TUESDAY, [line("b"), line("d"), line("a")], host="proxy01")
    rows = counted(compat, TUESDAY, MONDAY)  # the order of loading must not matter
    assert of_countme(rows) == ["g", "f", "e", "d", "b", "a"]


def test_the_first_of_equal_lines_tells_the_place(compat: World):
    compat.deliver(MONDAY, [line("b"), line("a"), line("b")])
    assert of_countme(counted(compat, MONDAY)) == ["b", "a"]


def test_address_rows_stand_by_day_address_and_texts(compat: World):
    compat.deliver(
        MONDAY,
        [
            line("d", address="192.0.2.9"),
            line("c", address="192.0.2.10"),
            line("b", address="192.0.2.9"),
            line("e", address="192.0.2.9", countme=None),
            line("e", address="192.0.2.2"),
        ],
    )
    compat.deliver(TUESDAY, [line("a", noon(TUESDAY), address="1.1.1.1"), line("b", noon(TUESDAY), address="1.1.1.1")])
    assert of_addresses(counted(compat, MONDAY, TUESDAY)) == ["c", "e", "b", "d", "a"]


def test_without_addresses_their_rows_stand_by_their_texts_and_the_others_as_ever(world: World):
    compat = world.with_config(policy="compat", keep_addresses=False)
    compat.deliver(MONDAY, [line("b", address="192.0.2.1"), line("a", countme=None, address="192.0.2.2")])
    rows = counted(compat, MONDAY)
    assert (of_countme(rows), of_addresses(rows)) == (["b"], ["a", "b"])


def test_the_order_outlives_the_hits(compat: World):
    compat.deliver(MONDAY, [line("b"), line("a"), line("b", countme=None, address="192.0.2.0")])
    before = counted(compat, MONDAY)
    with compat.database.transaction() as cursor:
        cursor.execute("TRUNCATE countme.raw_hits, countme.sources CASCADE")
    assert published(compat) == before == [("b", "1"), ("a", "1"), ("b", "-1"), ("a", "-1")]


def test_strict_keeps_no_order_of_appearance(world: World):
    world.deliver(MONDAY, [line("b"), line("a")])
    world.load(MONDAY)
    world.count(MONDAY)
    assert world.rows("SELECT DISTINCT position FROM countme.weekly_totals") == [(None,)]


def test_counting_again_changes_nothing(compat: World):
    compat.deliver(MONDAY, [line("b"), line("a")])
    counted(compat, MONDAY)
    before = compat.rows("SELECT * FROM countme.weekly_totals t ORDER BY t::text")
    assert compat.count(MONDAY).revision == 1
    assert compat.rows("SELECT * FROM countme.weekly_totals t ORDER BY t::text") == before
