"""Replacing what is loaded of one day: the day's verified files into countme.raw_hits and its ledgers.

One transaction per day: either all of the day's files, of every site, are exchanged or nothing has happened. What
loads share (clients, week keys, table partitions) is added in transactions of its own; added in vain it does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from stats_assets.countme import sql
from stats_assets.countme.config import CountedSite, CountmeConfig, Policy
from stats_assets.countme.parse import Window
from stats_assets.countme.repeats import HitSigns
from stats_assets.countme.reports import DayReport, SourceReport, Span
from stats_assets.countme.scan import HitBlock, LogScanner
from stats_assets.countme.store import (
    LogFile,
    SealedHits,
    client_ids,
    delete_day,
    delivered_files,
    find_repeats,
    finish_source,
    keep_extras,
    sealed_hits,
    take_over,
)
from stats_assets.countme.week_keys import WeekKeys
from stats_assets.countme.weeks import SECONDS_PER_DAY, monday_of, monday_of_day, week_window
from stats_assets.shared.archive import Archive
from stats_assets.shared.bulk_load import binary_rows, copy_binary, timestamptz
from stats_assets.shared.compression import DAMAGE, decompressed
from stats_assets.shared.days import midnight
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row
from stats_assets.shared.table_partitions import Leaf, ensure_leaf, leaf_of_days


def hits_window(policy: Policy, day: date) -> Window:
    """The times a file of this date may hold; hits outside are rejected.

    strict: two days before to a day after, whichever way the host rotates.
    compat: all the established tool would count, within what weekly table partitions may be made for.
    """
    if policy == "compat":
        return Window(_unix(date(2007, 1, 1)), _unix(day + timedelta(days=366)))
    return Window(_unix(day - timedelta(days=2)), _unix(day + timedelta(days=2)))


class DamagedCopy(OurMistake):
    """A file of the archive does not read to its end, or is gone. Its day stays as it was; other days can be loaded."""


class SealedWeekDiffers(OurMistake):
    """A file holds other hits of a week whose key is destroyed than were loaded of it, though it has not changed."""


@dataclass
class _SiteLoad:
    """What a day's load has to remember of a site until the repeats are looked for."""

    site: CountedSite
    signs: HitSigns | None  # for policy compat only
    spans: list[Span] = field(default_factory=list)
    sources: list[SourceReport] = field(default_factory=list)


class DayLoader:
    """Loads days of every site; keeps what is costly to learn (dictionaries, ids, keys) between them."""

    def __init__(self, database: StatsDatabase, archive: Archive, config: CountmeConfig) -> None:
        self._database = database
        self._archive = archive
        self._config = config
        self._keys = WeekKeys(database)
        self._readers: dict[Policy, _Reader] = {}
        self._leaves: set[date] = set()

    def replace_day(self, day: date) -> DayReport:
        """Exchanges the day's rows for those of its verified files; no files leaves no rows.

        Raises DamagedCopy when a file of the archive is damaged, SealedWeekDiffers when hits that must stay would
        be others now; then nothing has changed.
        """
        started = time.monotonic()
        with self._database.transaction() as cursor:
            loads = [self._load_site(cursor, site, day) for site in self._config.counted_sites]
            # Last, because loads of neighbouring days wait for each other here.
            repeats = sum(self._find_repeats(cursor, load, day) for load in loads)
        sources = [source for load in loads for source in load.sources]
        return DayReport(day, sources, repeats, time.monotonic() - started)

    def _load_site(self, cursor: Cursor, site: CountedSite, day: date) -> _SiteLoad:
        slice_ = {"site": site.name, "day": day, "policy": site.policy}
        lock_slice(cursor, "countme.raw_hits", f"{site.name} {day}")
        sealed = sealed_hits(cursor, slice_)
        load = _SiteLoad(site, HitSigns(hits_window("compat", day).oldest) if site.policy == "compat" else None)
        load.spans += delete_day(cursor, slice_, sealed)
        for file in delivered_files(cursor, slice_):
            kept = {each.week: each for each in sealed if each.host == file.host}
            load.sources.append(self._load_file(cursor, load, day, file, kept))
        return load

    def _find_repeats(self, cursor: Cursor, load: _SiteLoad, day: date) -> int:
        if load.signs is None:
            return 0
        spans = [*load.spans, *(span for source in load.sources for span in source.spans.values())]
        return find_repeats(cursor, {"site": load.site.name, "day": day}, spans, load.signs.suspicious_seconds())

    def _load_file(
        self, cursor: Cursor, load: _SiteLoad, day: date, file: LogFile, kept: Mapping[date, SealedHits]
    ) -> SourceReport:
        source = {
            "site": load.site.name,
            "day": day,
            "host": file.host,
            "sha256": file.sha256,
            "policy": load.site.policy,
        }
        cursor.execute(sql.ADD_SOURCE, source)
        (source_id,) = one_row(cursor)
        report = SourceReport(load.site.name, file.host)
        reader = self._reader(load.site.policy, day)
        for block in self._scan(reader, day, file):
            self._copy_hits(cursor, source_id, block, reader.ids_of(block), load.signs, kept)
            keep_extras(cursor, source_id, block)
            report.add(block)
        _take_over(cursor, source_id, day, report, list(kept.values()))
        finish_source(
            cursor,
            source_id,
            report,
            lambda week: kept[week].generation if week in kept else self._keys.generation(week),
        )
        return report

    def _reader(self, policy: Policy, day: date) -> _Reader:
        window = hits_window(policy, day)
        if policy not in self._readers:
            scanner = LogScanner(policy, window, self._keys.secret, self._config.keep_addresses)
            self._readers[policy] = _Reader(self._database, scanner)
        self._readers[policy].scanner.window = window
        return self._readers[policy]

    def _scan(self, reader: _Reader, day: date, file: LogFile) -> Iterator[HitBlock]:
        try:
            with self._archive.open_read(file.archive_name) as raw:
                yield from reader.scanner.scan(decompressed(raw, file.archive_name))
        except DAMAGE as error:
            raise DamagedCopy(
                f"countme/raw_hits {day}: the copy of {file.host}'s log is damaged or gone"
                f" ({self._archive.location(file.archive_name)}: {error or type(error).__name__});"
                f" rerun log_sync/files for {day}, then this day"
            ) from error

    def _copy_hits(
        self,
        cursor: Cursor,
        source_id: int,
        block: HitBlock,
        client_ids: np.ndarray,
        signs: HitSigns | None,
        kept: Mapping[date, SealedHits],
    ) -> None:
        """Copies straight into the table partition of each week: a block rarely has more than one."""
        if not len(block.hit_seconds):
            return
        if signs:
            signs.add(block.hit_seconds, block.address_key, client_ids, block.sys_age)
        for week, rows in _rows_by_week(block.hit_seconds):
            if week in kept:
                continue
            self._prepare(week)
            columns = {
                "hit_at": timestamptz(block.hit_seconds[rows]),
                "address_key": block.address_key[rows],
                "byte_offset": block.byte_offset[rows],
                "sys_age": block.sys_age[rows],
                "client_id": client_ids[rows],
                "source_id": np.full(len(client_ids[rows]), source_id, dtype=np.int32),
            }
            copy_binary(cursor, _leaf_of(week).qualified, list(columns), [binary_rows(columns)])

    def _prepare(self, week: date) -> None:
        """Before the first hits of a week are written: its table partition is there, and its key is kept."""
        if week not in self._leaves:
            self._keys.generation(week)
            ensure_leaf(self._database, _leaf_of(week))
            self._leaves.add(week)


class _Reader:
    """A scanner, and the database ids of the clients it has met."""

    def __init__(self, database: StatsDatabase, scanner: LogScanner) -> None:
        self.scanner = scanner
        self._database = database
        self._client_ids = np.empty(0, dtype=np.int32)
        self._generation = -1

    def ids_of(self, block: HitBlock) -> np.ndarray:
        """The database ids of the block's clients; the scanner numbers them by first appearance."""
        if self.scanner.generation != self._generation:
            self._client_ids = np.empty(0, dtype=np.int32)
            self._generation = self.scanner.generation
        new = self.scanner.clients[len(self._client_ids) :]
        if new:
            self._client_ids = np.append(self._client_ids, client_ids(self._database, new)).astype(np.int32)
        return self._client_ids[block.client]


def _take_over(cursor: Cursor, source_id: int, day: date, report: SourceReport, kept: Sequence[SealedHits]) -> None:
    for sealed in kept:
        found = sum(span.hits for hit_day, span in report.spans.items() if monday_of_day(hit_day) == sealed.week)
        if take_over(cursor, sealed, source_id) != found:
            raise SealedWeekDiffers(
                f"countme/raw_hits {day}: {report.host}'s file of {report.site} has {found} hits of week {sealed.week}"
                f" where {sealed.hits} were loaded, and the week's key is destroyed; nothing was changed. If the new"
                " reading is right, begin the week anew as docs/countme.md tells, then load this day again"
            )


def _leaf_of(week: date) -> Leaf:
    return leaf_of_days("countme", "raw_hits", "hit_at", week, 7)


def _rows_by_week(hit_seconds: np.ndarray) -> Iterator[tuple[date, slice | np.ndarray]]:
    first, last = monday_of(int(hit_seconds.min())), monday_of(int(hit_seconds.max()))
    if first == last:
        yield first, slice(None)
        return
    days = np.unique(hit_seconds // SECONDS_PER_DAY) * SECONDS_PER_DAY
    for week in sorted({monday_of(int(second)) for second in days}):
        start, end = week_window(week)
        yield week, (hit_seconds >= start) & (hit_seconds < end)


def _unix(day: date) -> int:
    return int(midnight(day).timestamp())
