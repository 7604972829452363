"""Policy compat against what the established tool made of the same 24 day files, row for row."""

from __future__ import annotations

import csv
import gzip
from datetime import date, timedelta
from pathlib import Path

import pytest

from stats_assets.countme.export import export
from stats_assets.countme.publications import Publisher, archive_name
from stats_assets.countme.publish_totals import publish_csv
from stats_assets.countme.published_assets import published_rows
from tests.countme.world import World

WEEKS = [date(2024, 2, 26) + timedelta(weeks=n) for n in range(4)]


@pytest.fixture
def compat(world: World, reference_data: Path) -> World:
    """The reference logs, delivered; the two days they lack are marked as missing."""
    logs = {date.fromisoformat(path.name[:10]): path for path in (reference_data / "countme/logs").iterdir()}
    first, last = min(logs), max(logs)
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        if day in logs:
            world.deliver(day, [gzip.decompress(logs[day].read_bytes())])
        else:
            world.fail_to_deliver(day)
    return world.with_config(policy="compat", keep_addresses=True)


def rows_of(path: Path) -> list[list[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_hits_and_totals_are_those_of_the_established_tool(compat: World, reference_data: Path, tmp_path: Path):
    days = [row[0] for row in compat.rows("SELECT DISTINCT day FROM log_sync.files ORDER BY day DESC")]
    compat.load(*days)  # newest first: the order must not matter
    for week in WEEKS:
        compat.count(week)
    hits, totals, _ = export(compat.database, tmp_path / "out")
    expected = reference_data / "countme/expected"
    assert hits.read_bytes() == gzip.decompress((expected / "raw_sorted.csv.gz").read_bytes()).replace(b"\r\n", b"\n")
    assert rows_of(totals) == rows_of(expected / "totals_sorted.csv.gz")


def test_the_gap_of_two_days_is_told_though_compat_publishes_the_week(compat: World):
    compat.load(*[row[0] for row in compat.rows("SELECT DISTINCT day FROM log_sync.files")])
    report = compat.count(date(2024, 3, 4))
    assert report.status == "partial"
    assert compat.rows("SELECT count(*) FROM countme.published_weeks") == [(1,)]
    assert report.missing == "2024-03-08: proxy01 missing; 2024-03-09: proxy01 missing"


def test_totals_csv_is_the_file_of_the_established_tool_byte_for_byte(compat: World, reference_data: Path):
    days = [row[0] for row in compat.rows("SELECT DISTINCT day FROM log_sync.files ORDER BY day DESC")]
    compat.load(*days)
    for week in reversed(WEEKS):  # the order of first appearance is that of the logs, not of our work
        compat.count(week)
    (rows,) = published_rows(compat.config)
    plain, _ = publish_csv(Publisher(compat.database, compat.archive, rows.site, ""), rows)
    published = (compat.folder / archive_name(rows.site, plain.name)).read_bytes()
    assert published == gzip.decompress((reference_data / "countme/expected/totals.csv.gz").read_bytes())
    assert plain.contents.rows == 4436
