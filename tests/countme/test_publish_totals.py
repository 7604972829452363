"""The totals as CSV, Parquet and SQLite: same rows, right order, small counts, files that did not change."""

from __future__ import annotations

import csv
import gzip
import io
import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stats_assets.countme.publish_totals import PublishedRows, publish_csv, publish_databases, publish_parquet
from tests.countme.counted import SITE, Counted

MONDAY, NEXT = date(2024, 3, 4), date(2024, 3, 11)
STRICT = PublishedRows(SITE, "strict")
COMPAT = PublishedRows(SITE, "compat")


def lines(counted: Counted, rows: PublishedRows) -> list[list[str]]:
    """totals.csv without its header."""
    plain, _ = publish_csv(counted.publisher, rows)
    return list(csv.reader(io.StringIO(counted.text(plain), newline="")))[1:]


def names(counted: Counted, rows: PublishedRows) -> list[tuple[str, str, str]]:
    """Week, os_name and sys_age of each line."""
    return [(line[0], line[3], line[7]) for line in lines(counted, rows)]


@pytest.fixture
def two_weeks(counted: Counted) -> Counted:
    """Newest first, as nothing promises an order; positions are against the alphabet."""
    for week in (NEXT, MONDAY):
        totals = [(5, "A", 1, "r", 2), (6, "B", 1, "r", 1), (7, "A", -1, "r", 2), (8, "B", -1, "r", 1)]
        counted.week(week, *totals)
    return counted


def test_strict_has_the_state_of_the_week_and_is_ordered_by_its_columns(two_weeks: Counted):
    plain, _ = publish_csv(two_weeks.publisher, STRICT)
    assert two_weeks.text(plain).split("\r\n")[:2] == [
        "week_start,week_end,hits,os_name,os_version,os_variant,os_arch,sys_age,repo_tag,repo_arch,status,coverage,revision",
        "2024-03-04,2024-03-10,5,A,39,workstation,x86_64,1,r,x86_64,final,1.0000,1",
    ]
    assert names(two_weeks, STRICT) == [
        (week, os_name, sys_age) for week in (f"{MONDAY}", f"{NEXT}") for sys_age in ("1", "-1") for os_name in "AB"
    ]


def test_compat_has_all_weeks_of_countme_before_those_of_addresses_in_the_order_of_first_appearance(
    two_weeks: Counted,
):
    plain, _ = publish_csv(two_weeks.publisher, COMPAT)
    assert two_weeks.text(plain).startswith(
        "week_start,week_end,hits,os_name,os_version,os_variant,os_arch,sys_age,repo_tag,repo_arch\r\n"
        "2024-03-04,2024-03-10,6,B,39,workstation,x86_64,1,r,x86_64\r\n"
    )
    assert names(two_weeks, COMPAT) == [
        (week, os_name, sys_age) for sys_age in ("1", "-1") for week in (f"{MONDAY}", f"{NEXT}") for os_name in "BA"
    ]


def test_texts_from_outside_are_quoted_as_the_established_tool_does(counted: Counted):
    odd = ["", 'say "no"', "a,b", "line\nfeed", "return\rcarriage", " blank ", "\\.", "ünï"]
    counted.week(MONDAY, *[(9 - n, os_name, 1, "r", n + 1) for n, os_name in enumerate(odd)])
    expected = io.StringIO(newline="")
    for n, os_name in enumerate(odd):
        csv.writer(expected).writerow(
            [MONDAY, "2024-03-10", 9 - n, os_name, "39", "workstation", "x86_64", "1", "r", "x86_64"]
        )
    plain, _ = publish_csv(counted.publisher, COMPAT)
    assert counted.text(plain).split("\r\n", 1)[1] == expected.getvalue()


def test_only_final_weeks_are_published_unless_the_others_are_asked_for(counted: Counted):
    counted.week(MONDAY, (5, "A", 1))
    counted.week(NEXT, (6, "A", 1), status="partial", coverage=0.9, missing="2024-03-12: proxy01 missing")
    assert [line[0] for line in lines(counted, STRICT)] == ["2024-03-04"]
    with_all = lines(counted, PublishedRows(SITE, "strict", unfinished=True))
    assert [(line[0], *line[10:]) for line in with_all] == [
        ("2024-03-04", "final", "1.0000", "1"),
        ("2024-03-11", "partial", "0.9000", "1"),
    ]


def test_sites_do_not_mix(counted: Counted):
    counted.week(MONDAY, (5, "A", 1))
    Counted(counted.database, counted.folder, "centos.example.org").week(MONDAY, (7, "C", 1))
    assert names(counted, STRICT) == [("2024-03-04", "A", "1")]


def test_small_counts_become_other_and_sums_stay(counted: Counted):
    totals = [(90, "A", 1, "r", 4), (3, "odd", 1, "r", 3), (2, "odder", 1, "s", 2), (4, "odd", -1, "r", 1), (1, "x", 2)]
    counted.week(MONDAY, *totals)
    counted.week(NEXT, (2, "odd", 1), (60, "A", 1))
    few = PublishedRows(SITE, "strict", suppress_below=5)
    shown = [(line[0], line[2], line[3], line[7], line[8]) for line in lines(counted, few)]
    assert shown == [
        ("2024-03-04", "90", "A", "1", "r"),
        ("2024-03-04", "5", "other", "1", "other"),
        ("2024-03-04", "1", "other", "2", "other"),
        ("2024-03-04", "4", "other", "-1", "other"),
        ("2024-03-11", "60", "A", "1", "fedora-39"),
        ("2024-03-11", "2", "other", "1", "other"),
    ]
    assert sums(lines(counted, few)) == sums(lines(counted, STRICT))
    in_compat = [line[3] for line in lines(counted, PublishedRows(SITE, "compat", suppress_below=5))]
    assert in_compat == ["A", "other", "other", "A", "other", "other"]


def sums(rows: list[list[str]]) -> Counter[tuple[str, str]]:
    """Hits by week and sys_age."""
    total: Counter[tuple[str, str]] = Counter()
    for row in rows:
        total[row[0], row[7]] += int(row[2])
    return total


def test_parquet_has_the_rows_of_the_csv_in_its_order(two_weeks: Counted):
    file = publish_parquet(two_weeks.publisher, STRICT)
    table = pq.read_table(io.BytesIO(two_weeks.bytes(file)))
    assert table.column_names == [
        "week", "hits", "os_name", "os_version", "os_variant", "os_arch", "sys_age", "repo_tag", "repo_arch",
        "status", "coverage", "revision",
    ]  # fmt: skip
    rows = [(f"{row['week']}", row["os_name"], f"{row['sys_age']}") for row in table.to_pylist()]
    assert rows == names(two_weeks, STRICT)
    assert table.column("hits").to_pylist() == [5, 6, 7, 8, 5, 6, 7, 8]
    assert (file.contents.rows, file.contents.oldest, file.contents.newest) == (8, MONDAY, NEXT)


def test_databases_are_those_that_readers_of_the_established_tool_know(two_weeks: Counted):
    whole, countme, unique = publish_databases(two_weeks.publisher, COMPAT)
    assert [file.contents.rows for file in (whole, countme, unique)] == [8, 4, 4]
    rows = database_rows(two_weeks, whole.name)
    assert rows[0] == (6, "2826", "B", "39", "workstation", "x86_64", "1", "r", "x86_64")
    assert rows[:4] == database_rows(two_weeks, countme.name)
    assert rows[4:] == database_rows(two_weeks, unique.name)
    with sqlite3.connect(two_weeks.folder / "published/countme" / SITE / whole.name) as database:
        columns = database.execute("SELECT name, type, \"notnull\" FROM pragma_table_info('countme_totals')").fetchall()
        indexes = database.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
    texts = ["weeknum", "os_name", "os_version", "os_variant", "os_arch", "sys_age", "repo_tag", "repo_arch"]
    assert columns == [("hits", "INTEGER", 1), *((name, "TEXT", 1) for name in texts)]
    assert indexes == [("weeknum_idx",)]


def database_rows(counted: Counted, name: str) -> list[tuple]:
    with sqlite3.connect(counted.folder / "published/countme" / SITE / name) as database:
        return database.execute("SELECT * FROM countme_totals ORDER BY rowid").fetchall()


def test_nothing_counted_gives_files_without_rows(counted: Counted):
    assert lines(counted, COMPAT) == []
    for file in (publish_parquet(counted.publisher, COMPAT), *publish_databases(counted.publisher, COMPAT)):
        assert (file.contents.rows, file.contents.oldest) == (0, None)


def test_what_did_not_change_is_not_written_again_and_what_is_gone_is(two_weeks: Counted):
    def publish() -> list[bool]:
        files = [*publish_csv(two_weeks.publisher, STRICT), publish_parquet(two_weeks.publisher, STRICT)]
        return [file.is_new for file in [*files, *publish_databases(two_weeks.publisher, STRICT)]]

    assert publish() == [True] * 6
    assert publish() == [False] * 6
    (two_weeks.folder / "published/countme" / SITE / "totals.db").unlink()
    assert publish() == [False, False, False, True, False, False]
    two_weeks.week(date(2024, 3, 18), (1, "new", 1))
    assert publish() == [True, True, True, True, True, False]


def test_the_compressed_file_is_the_plain_one(two_weeks: Counted):
    plain, compressed = publish_csv(two_weeks.publisher, STRICT)
    assert gzip.decompress(two_weeks.bytes(compressed)) == two_weeks.bytes(plain)
    assert compressed.contents == plain.contents


def test_a_reader_never_sees_a_half(two_weeks: Counted, monkeypatch: pytest.MonkeyPatch):
    plain, _ = publish_csv(two_weeks.publisher, STRICT)
    before = two_weeks.bytes(plain)
    two_weeks.week(date(2024, 3, 18), (1, "new", 1))
    monkeypatch.setattr("shutil.copyfileobj", fail_in_the_middle)
    with pytest.raises(OSError, match="No space left"):
        publish_csv(two_weeks.publisher, STRICT)
    assert two_weeks.bytes(plain) == before
    assert list((two_weeks.folder / "published/countme" / SITE).glob("*.part")) == []
    monkeypatch.undo()
    assert publish_csv(two_weeks.publisher, STRICT)[0].is_new


def fail_in_the_middle(source: io.BufferedReader, target: io.BufferedWriter, *_: object) -> None:
    target.write(source.read(10))
    raise OSError(28, "No space left on device")


def test_a_published_file_is_found_where_it_is_said_to_be(two_weeks: Counted):
    plain, _ = publish_csv(two_weeks.publisher, STRICT)
    assert Path(two_weeks.publisher.location(plain.name).removeprefix("file://")).is_file()
