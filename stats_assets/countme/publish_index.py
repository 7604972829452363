"""index.html over all sites: gathers what is published and in which state. How it looks is in `index_page`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stats_assets.countme import published_sql as sql
from stats_assets.countme.charts import CHARTS
from stats_assets.countme.index_page import ListedFile, ListedWeek, SitePage, index_page
from stats_assets.countme.publications import Contents, PublishedFile, Publisher
from stats_assets.countme.publish_charts import file_of
from stats_assets.countme.publish_mirrors import MIRRORS_AVERAGES, MIRRORS_CSV
from stats_assets.countme.publish_totals import TOTALS_CSV, TOTALS_CSV_GZ, TOTALS_PARQUET, PublishedRows
from stats_assets.shared.postgres import Cursor

INDEX = "index.html"
# The page belongs to no site: in publications its site is empty.
ALL_SITES = ""

_EXPLAINED = {
    TOTALS_CSV: "hits per week and system; sys_age -1: addresses, distinct per day, summed over the week",
    TOTALS_CSV_GZ: "the same, compressed",
    TOTALS_PARQUET: "the same rows with their state, for data tools",
    "totals.db": "the same rows as SQLite",
    "totals-countme.db": "only the rows with countme",
    "totals-unique.db": "only the rows that count addresses",
    MIRRORS_CSV: "hosts per day, by repository and by architecture",
    MIRRORS_AVERAGES: "their means over the seven days that end with each",
}


def publish_index(publisher: Publisher, sites: Sequence[PublishedRows]) -> PublishedFile:
    """Puts the page in place of the last one; it shows the sites in the given order."""
    with publisher.database.transaction() as cursor:
        pages = [site_page(cursor, rows) for rows in sites]

    def write(path: Path) -> Contents:
        path.write_text(index_page(pages), encoding="utf-8")
        weeks = [week.week for page in pages for week in page.weeks if week.is_published]
        files = sum(len(page.files) for page in pages)
        return Contents(files, min(weeks, default=None), max(weeks, default=None))

    return publisher.put(INDEX, write)


def site_page(cursor: Cursor, rows: PublishedRows) -> SitePage:
    """A site as the page shows it, files in the order a reader looks for them."""
    cursor.execute(sql.PUBLICATIONS, {"site": rows.site})
    published = {name: numbers for name, *numbers in cursor.fetchall()}
    files = []
    for name in filter(published.__contains__, _EXPLAINED):
        size_bytes, count, oldest, newest, changed_at = published[name]
        files.append(ListedFile(name, _EXPLAINED[name], count, size_bytes, oldest, newest, changed_at))
    cursor.execute(sql.NEWEST_WEEKS, rows.parameters)
    weeks = [ListedWeek(*row) for row in cursor.fetchall()]
    pictures = {chart.title: file_of(chart) for chart in CHARTS if file_of(chart) in published}
    return SitePage(rows.site, rows.policy, files, weeks, pictures)
