"""Loading days of the three inputs: the day's feed into its table, in one transaction that replaces the day.

A feed that is away, empty or cut is asked again a few times; then FeedAway is raised and nothing has changed. A
document that cannot be used is counted and the first ones are kept in crashes.quarantine; the day goes on.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Protocol, TypeVar

from stats_assets.crashes import installs, sql
from stats_assets.crashes.annotations import COLUMNS as ANNOTATION_COLUMNS
from stats_assets.crashes.annotations import read_annotations
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.copy_rows import Batches
from stats_assets.crashes.documents import Unusable
from stats_assets.crashes.feeds import Feed, FeedAway, Line, patiently
from stats_assets.crashes.input_days import Input, InputReport, replacing
from stats_assets.crashes.maps import Maps
from stats_assets.crashes.quarantine import Rejects
from stats_assets.crashes.report_rows import PRIVATE_COLUMNS, REPORT_COLUMNS, DocumentReader
from stats_assets.crashes.windows import monday_of
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.compression import COMPRESSIONS
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.table_partitions import Leaf, ensure_leaf, leaf_of_days


class _HasUuid(Protocol):
    @property
    def uuid(self) -> str: ...


_Row = TypeVar("_Row", bound=_HasUuid)


class DayLoader:
    """Loads days; keeps what is costly to learn (translations, which table partitions there are) between them.

    `sleep` waits before a feed is asked again.
    """

    def __init__(
        self, database: StatsDatabase, config: CrashesConfig, maps: Maps, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._config = config
        self._maps = maps
        self._sleep = sleep
        self._reader = DocumentReader(maps, config.private_fields == "restricted")
        self._leaves: set[tuple[str, date]] = set()

    def load_installs(self, day: date) -> InputReport:
        return self._timed(self._load_installs, day)

    def load_reports(self, day: date) -> InputReport:
        return self._timed(self._load_reports, day)

    def load_raw_crashes(self, day: date) -> InputReport:
        """Without a feed of them the day is loaded as one of which nothing is known."""
        return self._timed(self._load_raw_crashes, day)

    def _timed(self, load: Callable[[date], InputReport], day: date) -> InputReport:
        started = time.monotonic()
        report = patiently(self._config, lambda: load(day), self._sleep)
        report.seconds = time.monotonic() - started
        return report

    def _load_installs(self, day: date) -> InputReport:
        feed = Feed(self._config, self._config.feed("adi_feed"))
        report = self._report("active_daily_installs", day, feed)
        found = installs.Installs(day)
        for file in report.files:
            installs.read_installs(found, io.StringIO(feed.text(file)), self._maps)
            for bad in found.bad:
                report.rejects.add(file.shown, bad.place, bad.reason, bad.sample)
            found.bad.clear()
        report.read, report.unknown_product = found.lines, found.unmapped
        if not found.counts:
            raise FeedAway(
                f"{report.files[0].shown}: holds no installs of {day} that can be counted: {found.lines} lines,"
                f" {report.quarantined} of them unreadable, {found.unmapped} of products that"
                " product_productid_map.csv does not have"
            )
        rows = list(installs.rows(found, self._maps))
        report.rows = len(rows)
        with replacing(self._database, report, [sql.DELETE_INSTALLS]) as cursor:
            copy_text(cursor, ("crashes", "active_daily_installs"), installs.COLUMNS, rows)
        return report

    def _load_reports(self, day: date) -> InputReport:
        feed = Feed(self._config, self._config.feed("reports_feed"))
        report = self._report("reports", day, feed)
        tables = (
            (self._leaf("reports", day), REPORT_COLUMNS),
            (self._leaf("reports_private", day), PRIVATE_COLUMNS),
        )
        self._reader.day(day)
        with replacing(self._database, report, [sql.DELETE_REPORTS, sql.DELETE_PRIVATE]) as cursor:
            batches = Batches(cursor, tables)
            for row in self._rows(report, feed, self._reader.read):
                report.unknown_product += not row.is_known_product
                batches.add(row.report, row.private)
            batches.flush()
        return report

    def _load_raw_crashes(self, day: date) -> InputReport:
        if self._config.raw_feed is None:
            report = InputReport("raw_crashes", day, [], Rejects(0))
            with replacing(self._database, report, [sql.DELETE_RAW_CRASHES]):
                return report
        feed = Feed(self._config, self._config.raw_feed)
        report = self._report("raw_crashes", day, feed)
        leaf = self._leaf("raw_crashes", day)
        with replacing(self._database, report, [sql.DELETE_RAW_CRASHES]) as cursor:
            batches = Batches(cursor, [(leaf, ANNOTATION_COLUMNS)])
            for row in self._rows(report, feed, lambda content: read_annotations(content, day)):
                batches.add(row.line)
            batches.flush()
        return report

    def _report(self, name: Input, day: date, feed: Feed) -> InputReport:
        return InputReport(name, day, feed.files(day), Rejects(self._config.max_samples))

    def _rows(self, report: InputReport, feed: Feed, read: Callable[[bytes], _Row]) -> Iterator[_Row]:
        """The day's documents that can be used. Raises FeedAway when there is no document at all."""
        seen: set[str] = set()
        for file in report.files:
            for line in _documents(feed.lines(file), file.path):
                report.read += 1
                try:
                    if line.is_cut:
                        raise Unusable(f"longer than {self._config.max_document_bytes} bytes")
                    row = read(line.content)
                    if row.uuid in seen:
                        raise Unusable("uuid was there before")
                except Unusable as reason:
                    report.rejects.add(file.shown, line.place, str(reason), line.content)
                    continue
                seen.add(row.uuid)
                report.rows += 1
                yield row
        if not report.read:
            raise FeedAway(f"{report.files[0].shown}: is empty")

    def _leaf(self, table: str, day: date) -> Leaf:
        leaf = leaf_of_days("crashes", table, "processed_at", monday_of(day), 7)
        if (table, monday_of(day)) not in self._leaves:
            ensure_leaf(self._database, leaf)
            self._leaves.add((table, monday_of(day)))
        return leaf


def _documents(lines: Iterator[Line], path: str) -> Iterator[Line]:
    """JSON lines; a file *.json whose first line is no whole document is one document."""
    filled = (line for line in lines if line.content.strip() or line.is_cut)
    first = next(filled, None)
    if first is None:
        return
    if not _plain_name(path).endswith(".json") or first.is_cut or first.content.rstrip().endswith(b"}"):
        yield first
        yield from filled
        return
    whole = [first, *filled]
    content = b"\n".join(line.content for line in whole)
    yield replace(first, content=content, is_cut=any(line.is_cut for line in whole))


def _plain_name(path: str) -> str:
    suffix = next((known for known in COMPRESSIONS if path.endswith(known)), "")
    return path.removesuffix(suffix)
