"""Replacing what is loaded of one day of one input, in one transaction: the day's feed into its table.

A feed that is away, empty or cut raises FeedAway and changes nothing. A document that cannot be used is counted,
the first ones are kept in crashes.quarantine, and the day goes on.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from psycopg2 import sql as pg

from stats_assets.crashes import installs, sql
from stats_assets.crashes.annotations import COLUMNS as ANNOTATION_COLUMNS
from stats_assets.crashes.annotations import Row as AnnotationRow
from stats_assets.crashes.annotations import read_annotations
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.documents import (
    DELIMITER,
    PRIVATE_COLUMNS,
    QUOTE,
    REPORT_COLUMNS,
    DocumentReader,
    Unusable,
)
from stats_assets.crashes.feeds import Feed, FeedAway, FeedFile, Line, version_of
from stats_assets.crashes.maps import Maps
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.compression import COMPRESSIONS
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row
from stats_assets.shared.table_partitions import Leaf, ensure_leaf, leaf_of_days

Input = Literal["active_daily_installs", "reports", "raw_crashes"]

_ROWS_PER_COPY = 10_000
_SAMPLE_CHARACTERS = 400
_MAIL = re.compile(r"[^\s@\"':,]+@[^\s@\"',]+\.[^\s@\"',]+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'\\]+", re.IGNORECASE)


@dataclass
class InputReport:
    """One loaded day of one input, in numbers."""

    input: Input
    day: date
    files: int = 0
    feed_bytes: int = 0
    read: int = 0
    rows: int = 0
    unknown_product: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    seconds: float = 0.0

    @property
    def quarantined(self) -> int:
        return sum(self.reasons.values())

    @property
    def metadata(self) -> dict[str, object]:
        return {
            "dagster/row_count": self.rows,
            "read": self.read,
            "quarantined": self.quarantined,
            "quarantined_by_reason": self.reasons,
            "unknown_product": self.unknown_product,
            "files": self.files,
            "feed_bytes": self.feed_bytes,
            "oldest": self.oldest_at.isoformat() if self.oldest_at else "none",
            "newest": self.newest_at.isoformat() if self.newest_at else "none",
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return f"{self.day}: {self.rows} rows of {self.read} read, {self.quarantined} quarantined"


class DayLoader:
    """Loads days; keeps what is costly to learn (translations, which table partitions there are) between them."""

    def __init__(self, database: StatsDatabase, config: CrashesConfig, maps: Maps) -> None:
        self._database = database
        self._config = config
        self._maps = maps
        self._reader = DocumentReader(maps, config.private_fields == "restricted")
        self._leaves: set[tuple[str, date]] = set()

    def load_installs(self, day: date) -> InputReport:
        started = time.monotonic()
        feed = Feed(self._config, self._config.feed("adi_feed"))
        files = feed.files(day)
        report = InputReport("active_daily_installs", day, len(files), sum(f.size_bytes for f in files))
        samples = _Samples(report, self._config.max_samples)
        found = installs.Installs(day)
        for file in files:
            text = io.StringIO(feed.text(file))
            part = installs.read_installs(text, day, self._maps)
            for bad in part.bad:
                samples.add(file, bad.place, bad.reason, bad.sample)
            found.counts.update(part.counts)
            found.lines += part.lines
            found.unmapped += part.unmapped
        report.read, report.unknown_product = found.lines, found.unmapped
        if not found.counts:
            raise FeedAway(f"{files[0].shown}: holds no installs of {day} of a product of the maps")
        rows = list(installs.rows(found, self._maps))
        report.rows = len(rows)
        with self._replacing(report, files, samples, [sql.DELETE_INSTALLS]) as cursor:
            copy_text(cursor, ("crashes", "active_daily_installs"), installs.COLUMNS, rows)
        report.seconds = time.monotonic() - started
        return report

    def load_reports(self, day: date) -> InputReport:
        started = time.monotonic()
        feed = Feed(self._config, self._config.feed("reports_feed"))
        files = feed.files(day)
        report = InputReport("reports", day, len(files), sum(f.size_bytes for f in files))
        samples = _Samples(report, self._config.max_samples)
        tables = [self._leaf("reports", day), self._leaf("reports_private", day)]
        self._reader.day(day)
        with self._replacing(report, files, samples, [sql.DELETE_REPORTS, sql.DELETE_PRIVATE]) as cursor:
            seen: set[str] = set()
            batch = _Batch(cursor, tables)
            for file in files:
                for line in _documents(feed, file):
                    report.read += 1
                    self._add_report(report, samples, batch, seen, file, line)
            batch.flush()
            _refuse_nothing(report, files)
        report.seconds = time.monotonic() - started
        return report

    def _add_report(
        self, report: InputReport, samples: _Samples, batch: _Batch, seen: set[str], file: FeedFile, line: Line
    ) -> None:
        try:
            if line.is_cut:
                raise Unusable(f"longer than {self._config.max_document_bytes} bytes")
            row = self._reader.read(line.content)
            if row.uuid in seen:
                raise Unusable("uuid was there before")
        except Unusable as reason:
            samples.add(file, line.place, str(reason), line.content[:_SAMPLE_CHARACTERS].decode("utf-8", "replace"))
            return
        seen.add(row.uuid)
        report.rows += 1
        report.unknown_product += not row.is_known_product
        batch.add(row.report, row.private)

    def load_raw_crashes(self, day: date) -> InputReport:
        started = time.monotonic()
        report = InputReport("raw_crashes", day)
        samples = _Samples(report, self._config.max_samples)
        if self._config.raw_feed is None:
            with self._replacing(report, [], samples, [sql.DELETE_RAW_CRASHES]):
                return report
        feed = Feed(self._config, self._config.raw_feed)
        files = feed.files(day)
        report.files, report.feed_bytes = len(files), sum(f.size_bytes for f in files)
        leaf = self._leaf("raw_crashes", day)
        with self._replacing(report, files, samples, [sql.DELETE_RAW_CRASHES]) as cursor:
            rows = self._annotation_rows(report, samples, feed, files)
            copy_text(cursor, leaf.qualified, ANNOTATION_COLUMNS, rows)
            _refuse_nothing(report, files)
        report.seconds = time.monotonic() - started
        return report

    def _annotation_rows(
        self, report: InputReport, samples: _Samples, feed: Feed, files: Sequence[FeedFile]
    ) -> Iterator[AnnotationRow]:
        seen: set[str | None] = set()
        for file in files:
            for line in _documents(feed, file):
                report.read += 1
                try:
                    if line.is_cut:
                        raise Unusable(f"longer than {self._config.max_document_bytes} bytes")
                    row = read_annotations(line.content, report.day)
                    if row[1] in seen:
                        raise Unusable("uuid was there before")
                except Unusable as reason:
                    sample = line.content[:_SAMPLE_CHARACTERS].decode("utf-8", "replace")
                    samples.add(file, line.place, str(reason), sample)
                    continue
                seen.add(row[1])
                report.rows += 1
                yield row

    def _replacing(
        self, report: InputReport, files: Sequence[FeedFile], samples: _Samples, deletes: Sequence[str]
    ) -> _Replacement:
        return _Replacement(self._database, report, files, samples, deletes)

    def _leaf(self, table: str, day: date) -> Leaf:
        monday = day - timedelta(days=day.weekday())
        leaf = leaf_of_days("crashes", table, "processed_at", monday, 7)
        if (table, monday) not in self._leaves:
            ensure_leaf(self._database, leaf)
            self._leaves.add((table, monday))
        return leaf


class _Replacement:
    """A transaction that begins by deleting the day's rows and ends by writing what became of the day."""

    def __init__(
        self,
        database: StatsDatabase,
        report: InputReport,
        files: Sequence[FeedFile],
        samples: _Samples,
        deletes: Sequence[str],
    ) -> None:
        self._transaction = database.transaction()
        self._report = report
        self._files = files
        self._samples = samples
        self._deletes = deletes

    def __enter__(self) -> Cursor:
        self._cursor = cursor = self._transaction.__enter__()
        report = self._report
        lock_slice(cursor, f"crashes.{report.input}", f"{report.day}")
        window = day_window(report.day) | {"input": report.input}
        for statement in (*self._deletes, sql.DELETE_QUARANTINE):
            cursor.execute(statement, window)
        return cursor

    def __exit__(self, kind, error, trace) -> bool | None:
        if kind is None:
            self._finish()
        return self._transaction.__exit__(kind, error, trace)

    def _finish(self) -> None:
        report = self._report
        columns = ("input", "day", "source", "place", "reason", "sample")
        rows = ((report.input, report.day, *sample) for sample in self._samples.kept)
        copy_text(self._cursor, ("crashes", "quarantine"), columns, rows)
        self._cursor.execute(sql.SPANS[report.input], day_window(report.day))
        report.oldest_at, report.newest_at = one_row(self._cursor)
        state = {
            "input": report.input,
            "day": report.day,
            "read_count": report.read,
            "row_count": report.rows,
            "quarantined": report.quarantined,
            "unknown_product": report.unknown_product,
            "oldest_at": report.oldest_at,
            "newest_at": report.newest_at,
            "feed_bytes": report.feed_bytes,
            "feed_version": version_of(self._files),
        }
        self._cursor.execute(sql.KEEP_INPUT_DAY, state)


class _Samples:
    """Counts what could not be used by the kind of reason, and keeps the first ones, blotted."""

    def __init__(self, report: InputReport, at_most: int) -> None:
        self._report = report
        self._at_most = at_most
        self.kept: list[tuple[str, int, str, str]] = []

    def add(self, file: FeedFile, place: int, reason: str, sample: str) -> None:
        kind = reason.partition(":")[0]
        self._report.reasons[kind] = self._report.reasons.get(kind, 0) + 1
        if len(self.kept) < self._at_most:
            self.kept.append((file.shown, place, reason[:_SAMPLE_CHARACTERS], _blotted(sample[:_SAMPLE_CHARACTERS])))


class _Batch:
    """Rows of two tables, copied one after the other whenever there are enough: memory stays flat."""

    def __init__(self, cursor: Cursor, leaves: Sequence[Leaf]) -> None:
        self._cursor = cursor
        reports, private = leaves
        self._reports: list[str] = []
        self._private: list[str] = []
        self._copies = (
            (_copy_statement(reports, REPORT_COLUMNS), self._reports),
            (_copy_statement(private, PRIVATE_COLUMNS), self._private),
        )

    def add(self, report: str, private: str) -> None:
        self._reports.append(report)
        self._private.append(private)
        if len(self._reports) >= _ROWS_PER_COPY:
            self.flush()

    def flush(self) -> None:
        for statement, rows in self._copies:
            if rows:
                rows.append("")  # the last row ends with a line feed, too
                self._cursor.copy_expert(statement, io.BytesIO("\n".join(rows).encode()), size=1 << 18)
                rows.clear()


def day_window(day: date) -> dict[str, object]:
    """The UTC day, half-open."""
    return {"day": day, "start": midnight(day), "end": midnight(day) + timedelta(days=1)}


def _copy_statement(leaf: Leaf, columns: Iterable[str]) -> pg.Composed:
    return pg.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, DELIMITER {}, QUOTE {})").format(
        pg.Identifier(*leaf.qualified),
        pg.SQL(", ").join(map(pg.Identifier, columns)),
        pg.Literal(DELIMITER),
        pg.Literal(QUOTE),
    )


def _documents(feed: Feed, file: FeedFile) -> Iterator[Line]:
    """JSON lines; a file *.json whose first line is no whole document is one document."""
    lines = (line for line in feed.lines(file) if line.content.strip() or line.is_cut)
    if not _plain_name(file.path).endswith(".json"):
        yield from lines
        return
    first = next(lines, None)
    if first is None:
        return
    if first.is_cut or first.content.rstrip().endswith(b"}"):
        yield first
        yield from lines
        return
    rest = [first, *lines]
    content = b"\n".join(line.content for line in rest)
    yield Line(1, content, is_cut=any(line.is_cut for line in rest))


def _plain_name(path: str) -> str:
    suffix = next((known for known in COMPRESSIONS if path.endswith(known)), "")
    return path.removesuffix(suffix)


def _refuse_nothing(report: InputReport, files: Sequence[FeedFile]) -> None:
    if not report.read:
        raise FeedAway(f"{files[0].shown}: is empty")


def _blotted(sample: str) -> str:
    """Without what a person could be found by."""
    text = _MAIL.sub("EMAILREMOVED", _URL.sub("URLREMOVED", sample))
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
