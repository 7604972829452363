from __future__ import annotations

from datetime import date, timedelta

from stats_assets.countme.publish_mirrors import held_back_days, publish_mirrors
from stats_assets.countme.publish_totals import PublishedRows
from tests.countme.counted import SITE, Counted

MONDAY = date(2024, 3, 4)
DAYS = [MONDAY + timedelta(days=n) for n in range(9)]


def test_a_day_is_published_when_the_file_that_holds_its_end_is_loaded(counted: Counted):
    for number, day in enumerate(DAYS, start=1):
        counted.hosts(day, f39=number, epel9=2, f77=1)
        counted.loaded(day)
    (daily, averages), report = publish_mirrors(counted.publisher, PublishedRows(SITE, "strict", covers="previous_day"))
    header, *rows = [line.split(",") for line in counted.text(daily).splitlines()]
    assert [row[0] for row in rows] == [f"{day}" for day in DAYS[:-1]]
    second = dict(zip(header, rows[1], strict=True))
    assert {name: count for name, count in second.items() if count != "0"} == {
        "01-date": "2024-03-05", "79-f39": "2", "36-fedora": "3", "73-epel9": "2", "35-epel": "2", "47-x86_64": "5",
        "50-x86_64_e": "2", "51-x86_64_f": "3",
    }  # fmt: skip
    means = [line.split(",") for line in counted.text(averages).splitlines()][1:]
    assert [(row[0], row[header.index("79-f39")]) for row in means] == [("2024-03-10", "4.0"), ("2024-03-11", "5.0")]
    assert (daily.contents.rows, daily.contents.oldest, daily.contents.newest) == (8, DAYS[0], DAYS[7])
    assert report.without_column == {"f77": 8}
    (daily, _), _ = publish_mirrors(counted.publisher, PublishedRows(SITE, "strict", covers="same_day"))
    assert daily.contents.newest == DAYS[8]


def test_the_file_ends_its_lines_as_the_established_report(counted: Counted):
    (daily, _), _ = publish_mirrors(counted.publisher, PublishedRows(SITE, "compat"))
    assert counted.text(daily).startswith("1970-01-01,02-epel4,")
    assert counted.text(daily).count("\n") == 1
    assert "\r" not in counted.text(daily)


_EXPECT = """
INSERT INTO log_sync.files (day, host, site, state, source_url, checked_at, attempts)
VALUES (%(day)s, %(host)s, %(site)s, 'missing', 'file:', now(), 1)
"""


def test_a_day_that_lacks_a_file_is_left_out_and_told_but_compat_takes_what_there_is(counted: Counted):
    strict, compat = PublishedRows(SITE, "strict"), PublishedRows(SITE, "compat")
    for day in DAYS[:4]:
        counted.hosts(day, f39=1)
    for day in (DAYS[0], DAYS[1], DAYS[3]):  # of the third nothing is loaded: its hosts are of its neighbours' files
        counted.loaded(day)
    with counted.database.transaction() as cursor:
        cursor.execute(_EXPECT, {"day": DAYS[1], "host": "proxy02", "site": SITE})
    assert days_of(counted, strict) == [f"{DAYS[0]}", f"{DAYS[3]}"]
    assert held_back_days(counted.database, strict) == [DAYS[1], DAYS[2]]
    assert days_of(counted, compat) == [f"{DAYS[0]}", f"{DAYS[1]}", f"{DAYS[3]}"]


def days_of(counted: Counted, rows: PublishedRows) -> list[str]:
    (daily, _), _ = publish_mirrors(counted.publisher, rows)
    return [line.split(",")[0] for line in counted.text(daily).splitlines()[1:]]
