"""The page that people outside open first: links, states, pictures; nothing from elsewhere, nothing unescaped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser

from stats_assets.countme.index_page import ListedFile, ListedWeek, SitePage, index_page
from stats_assets.countme.publish_charts import publish_charts
from stats_assets.countme.publish_index import publish_index
from stats_assets.countme.publish_mirrors import publish_mirrors
from stats_assets.countme.publish_totals import PublishedRows, publish_csv, publish_databases, publish_parquet
from tests.countme.counted import SITE, Counted

MONDAY = date(2024, 3, 4)
_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page and refuses one whose elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.seen: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def listed(name: str = "totals.csv", rows: int = 1234) -> ListedFile:
    at = datetime(2024, 3, 19, 5, 30, tzinfo=UTC)
    return ListedFile(name, "hits", rows, 2_345_678, MONDAY, MONDAY, at)


def test_a_page_tells_files_states_and_pictures():
    weeks = [
        ListedWeek(date(2024, 3, 11), "partial", 0.9999, 1, "2024-03-12: proxy01 missing", 5, False),
        ListedWeek(MONDAY, "final", 1.0, 2, "", 77, True),
    ]
    text = index_page([SitePage("a.example.org", "strict", [listed()], weeks, {"Systems": "systems.png"})])
    page = Page(text)
    assert page.links == [
        "./a.example.org/totals.csv", "./a.example.org/systems.png", "./a.example.org/systems.png"
    ]  # fmt: skip
    for word in ("1,234", "2.3 MB", "2024-03-19 05:30", "2024-03-12: proxy01 missing", "99.9 %", "100 %", "not yet"):
        assert word in page.words
    assert "Newest published week: <strong>2024-03-04</strong>" in text


def test_texts_from_outside_are_escaped_and_links_quoted():
    evil = '<script>alert("1")</script>&'
    week = ListedWeek(MONDAY, evil, 1.0, 1, evil, 1, True)
    text = index_page([SitePage(evil, evil, [listed(name='a b"<c>.csv')], [week], {evil: "x.png"})])  # type: ignore[arg-type]
    page = Page(text)
    assert "script" not in page.seen
    assert evil in page.words
    assert page.links[0] == "./%3Cscript%3Ealert%28%221%22%29%3C/script%3E%26/a%20b%22%3Cc%3E.csv"


def test_a_page_of_nothing_says_so():
    assert "Nothing is counted yet." in Page(index_page([])).words
    assert (
        "No week is published yet. Counted by policy compat."
        in Page(index_page([SitePage("a", "compat", [], [], {})])).words
    )


def test_every_link_of_a_published_page_leads_to_a_file_beside_it(counted: Counted):
    counted.week(MONDAY, (5, "A", 1))
    counted.week(date(2024, 3, 11), (6, "A", 1), status="provisional")
    other = Counted(counted.database, counted.folder, "centos.example.org")
    other.week(MONDAY, (7, "C", 1))
    for site in (counted, other):
        for day in range(1, 10):
            site.hosts(date(2024, 3, day), f39=10 + day, epel9=5)
            site.loaded(date(2024, 3, day))
        rows = PublishedRows(site.site, "strict")
        publish_csv(site.publisher, rows)
        publish_parquet(site.publisher, rows)
        publish_databases(site.publisher, rows)
        publish_mirrors(site.publisher, rows)
        publish_charts(site.publisher, rows)
    sites = [PublishedRows(SITE, "strict"), PublishedRows("centos.example.org", "strict")]
    everywhere = Counted(counted.database, counted.folder, "")
    file = publish_index(everywhere.publisher, sites)
    page = Page(everywhere.text(file))
    folder = counted.folder / "published/countme"
    assert len(page.links) == 2 * (8 + 2 * 6)
    assert all(link.startswith("./") and (folder / link).is_file() for link in page.links)
    assert sorted(f"./{path.relative_to(folder)}" for path in folder.glob("*/*")) == sorted(set(page.links))
    assert "provisional" in page.words
    assert not publish_index(everywhere.publisher, sites).is_new
