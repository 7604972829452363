"""Order, range, refusal: what is counted depends on what is loaded and on nothing else."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from stats_assets.crashes.aggregate import (
    DAILY_CRASH_RATES,
    SIGNATURE_COUNTS,
    replace_aggregate,
)
from stats_assets.crashes.day_state import NotThere
from stats_assets.crashes.duplicates import replace_duplicates
from tests.crashes.world import TUESDAY, World, noon, report

DAYS = [TUESDAY + timedelta(days=n) for n in range(4)]


def deliver(world: World) -> None:
    """Four days; reports of the same crash lie on both sides of every midnight."""
    for number, day in enumerate(DAYS):
        world.deliver(day)
        evening = noon(day, 42_600)  # 23:50
        same = {"client_crash_date": str(evening), "topmost_filenames": f"same{number}.cpp"}
        earlier = {"client_crash_date": str(noon(day, -43_800)), "topmost_filenames": f"same{number - 1}.cpp"}
        world.deliver_reports(
            day,
            [
                report(1, noon(day, -42_600), **earlier),  # 00:10: the same as the evening before
                report(2, noon(day), signature="C"),
                report(3, evening, **same),
            ],
        )


def test_days_one_by_one_in_any_order_and_as_a_range_give_the_same_rows(world: World):
    deliver(world)
    world.load(*DAYS)
    world.count(*DAYS)
    ranged = world.everything()
    assert len(ranged["duplicates"]) == 6  # three midnights, a leader and a duplicate each
    with world.database.transaction() as cursor:
        for table in [*ranged, "product_versions"]:
            cursor.execute(f"DELETE FROM crashes.{table}")
    world.make_versions()
    shuffled = list(DAYS)
    random.Random(7).shuffle(shuffled)
    for day in shuffled:
        world.load(day)
        world.count(day)
    assert world.everything() == ranged


def test_a_day_without_its_inputs_is_refused_and_names_them(world: World):
    world.deliver(TUESDAY)
    world.loader().load_reports(TUESDAY)
    with pytest.raises(NotThere, match=f"daily_crash_rates {TUESDAY}: crashes/active_daily_installs of the day is not"):
        replace_aggregate(world.database, DAILY_CRASH_RATES, TUESDAY)
    with pytest.raises(NotThere, match="crashes/raw_crashes of the day is not loaded"):
        replace_aggregate(world.database, SIGNATURE_COUNTS, TUESDAY)
    assert world.rows("SELECT * FROM crashes.aggregate_days") == []


def test_an_aggregate_older_than_its_inputs_is_not_built_upon(world: World):
    world.deliver(TUESDAY)
    world.load(TUESDAY)
    world.count(TUESDAY)
    world.loader().load_installs(TUESDAY)
    with pytest.raises(NotThere, match="crashes/product_adu of the day is older than what it is made of"):
        replace_aggregate(world.database, DAILY_CRASH_RATES, TUESDAY)


@pytest.mark.parametrize("retire", ["TRUNCATE crashes.reports_20260309", "DROP TABLE crashes.reports_20260309"])
def test_a_day_whose_reports_were_retired_is_refused_and_keeps_its_counts(world: World, retire: str):
    world.deliver(TUESDAY)
    world.load(TUESDAY)
    world.count(TUESDAY)
    with world.database.transaction() as cursor:
        cursor.execute(retire)
    before = world.rows("SELECT * FROM crashes.daily_crash_rates ORDER BY 1, 2, 3")
    for aggregate in (DAILY_CRASH_RATES, SIGNATURE_COUNTS):
        with pytest.raises(NotThere, match=r"loaded with 1 rows, of which 0 are there: the others were retired"):
            replace_aggregate(world.database, aggregate, TUESDAY)
    with pytest.raises(NotThere, match="were retired"):
        replace_duplicates(world.database, TUESDAY)
    assert world.rows("SELECT * FROM crashes.daily_crash_rates ORDER BY 1, 2, 3") == before
    # The feed is still there: the day can be loaded again, and then be counted.
    world.load(TUESDAY)
    world.count(TUESDAY)
    assert world.rows("SELECT * FROM crashes.daily_crash_rates ORDER BY 1, 2, 3") == before


# --- the rule of duplicates ----------------------------------------------------------------------------------


def verdicts(world: World, *documents: dict) -> set[int]:
    """The numbers of the reports that are duplicates of another."""
    world.deliver_reports(TUESDAY, documents)
    world.loader().load_reports(TUESDAY)
    replace_duplicates(world.database, TUESDAY)
    rows = world.rows("SELECT left(uuid::text, 8) FROM crashes.duplicates WHERE uuid <> duplicate_of")
    return {int(number, 16) for (number,) in rows}


def crash(number: int, after: int = 0, **changed: object) -> dict:
    """The same crash, `after` seconds later on the client's clock; same process and installation start."""
    at: datetime = noon(TUESDAY) + timedelta(seconds=after)
    times = {"client_crash_date": str(at), "uptime": 100 + after, "install_age": 1000 + after}
    return report(number, noon(TUESDAY, number), **({"topmost_filenames": "same.cpp"} | times | changed))


def test_process_and_installation_must_have_begun_within_60_seconds(world: World):
    # Both began at 0 s: the crashes may be an hour apart. 3: its process began 60 s later, 4: 61 s later.
    # 5: its installation 61 s later. 6 is up for less than a minute: a process of its own is no difference.
    assert verdicts(
        world,
        crash(1),
        crash(2, after=3600),
        crash(3, after=60, uptime=100),
        crash(4, after=61, uptime=100),
        crash(5, after=61, install_age=1000),
        crash(6, after=500, uptime=59),
    ) == {2, 3, 6}


def test_unknown_ages_are_near_and_negative_ones_are_not(world: World):
    assert verdicts(
        world,
        crash(1),
        crash(2, after=5, uptime=None),
        crash(3, after=5, install_age=None),
        crash(4, after=5, install_age=-5),
    ) == {2, 3}


def test_any_other_attribute_makes_it_another_crash(world: World):
    changes = {"reason": "x", "address": "0x1", "url": "http://a", "app_notes": "n", "cpu_info": "c", "signature": "S"}
    others = [crash(n, after=1, **{name: value}) for n, (name, value) in enumerate(changes.items(), start=2)]
    assert verdicts(world, crash(1), *others, crash(20, after=1, email="a@example.org")) == {20}
