"""Replacing what is loaded of one day: the day's verified files into countme.raw_hits and its ledgers.

One transaction per day: either all of the day's files are exchanged or nothing has happened. What loads share
(clients, week keys, table partitions) is added in transactions of its own; added in vain it does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import numpy as np

from stats_assets.countme import sql
from stats_assets.countme.config import CountmeConfig, Policy
from stats_assets.countme.parse import Window
from stats_assets.countme.repeats import HitSigns
from stats_assets.countme.reports import DayReport, SourceReport
from stats_assets.countme.scan import HitBlock, LogScanner
from stats_assets.countme.store import (
    LogFile,
    client_ids,
    delete_day,
    delivered_files,
    find_repeats,
    finish_source,
    keep_extras,
    week_key,
)
from stats_assets.countme.weeks import SECONDS_PER_DAY, monday_of, week_window
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


class DayLoader:
    """Loads days of one site; keeps what is costly to learn (the scanner's dictionaries, ids, keys) between them."""

    def __init__(self, database: StatsDatabase, archive: Archive, config: CountmeConfig) -> None:
        self._database = database
        self._archive = archive
        self._config = config
        self._scanner = LogScanner(
            policy=config.policy,
            window=hits_window(config.policy, config.first_day),
            key_of_week=partial(week_key, database),
            keep_addresses=config.keep_addresses,
        )
        self._client_ids = np.empty(0, dtype=np.int32)
        self._client_generation = -1
        self._leaves: set[date] = set()

    def replace_day(self, day: date) -> DayReport:
        """Exchanges the day's rows for those of its verified files; no files leaves no rows.

        Raises OurMistake when a file of the archive is damaged; then nothing has changed.
        """
        started = time.monotonic()
        slice_ = {"site": self._config.site, "day": day}
        with self._database.transaction() as cursor:
            lock_slice(cursor, "countme.raw_hits", f"{self._config.site} {day}")
            spans = delete_day(cursor, slice_)
            signs = HitSigns(hits_window(self._config.policy, day).oldest) if self._config.policy == "compat" else None
            sources = [self._load_file(cursor, day, file, signs) for file in delivered_files(cursor, slice_)]
            repeats = 0
            if signs:
                spans += [span for source in sources for span in source.spans.values()]
                repeats = find_repeats(cursor, slice_, spans, signs.suspicious_seconds())
        return DayReport(day, sources, repeats, time.monotonic() - started)

    def _load_file(self, cursor: Cursor, day: date, file: LogFile, signs: HitSigns | None) -> SourceReport:
        source = {
            "site": self._config.site,
            "day": day,
            "host": file.host,
            "sha256": file.sha256,
            "policy": self._config.policy,
        }
        cursor.execute(sql.ADD_SOURCE, source)
        (source_id,) = one_row(cursor)
        report = SourceReport(file.host)
        self._scanner.window = hits_window(self._config.policy, day)
        for block in self._scan(day, file):
            self._copy_hits(cursor, source_id, block, signs)
            keep_extras(cursor, source_id, block)
            report.add(block)
        finish_source(cursor, source_id, report)
        return report

    def _scan(self, day: date, file: LogFile) -> Iterator[HitBlock]:
        try:
            with self._archive.open_read(file.archive_name) as raw:
                yield from self._scanner.scan(decompressed(raw, file.archive_name))
        except DAMAGE as error:
            raise OurMistake(
                f"countme/raw_hits {day}: the copy of {file.host}'s log is damaged or gone"
                f" ({self._archive.location(file.archive_name)}: {error or type(error).__name__});"
                f" rerun log_sync/files for {day}, then this day"
            ) from error

    def _copy_hits(self, cursor: Cursor, source_id: int, block: HitBlock, signs: HitSigns | None) -> None:
        """Copies straight into the table partition of each week: a block rarely has more than one."""
        if not len(block.hit_seconds):
            return
        client_ids = self._ids_of(block)
        if signs:
            signs.add(block.hit_seconds, block.address_key, client_ids, block.sys_age)
        for week, rows in _rows_by_week(block.hit_seconds):
            if week not in self._leaves:
                ensure_leaf(self._database, _leaf_of(week))
                self._leaves.add(week)
            columns = {
                "hit_at": timestamptz(block.hit_seconds[rows]),
                "address_key": block.address_key[rows],
                "byte_offset": block.byte_offset[rows],
                "sys_age": block.sys_age[rows],
                "client_id": client_ids[rows],
                "source_id": np.full(len(client_ids[rows]), source_id, dtype=np.int32),
            }
            copy_binary(cursor, _leaf_of(week).qualified, list(columns), [binary_rows(columns)])

    def _ids_of(self, block: HitBlock) -> np.ndarray:
        """The database ids of the block's clients; the scanner numbers them by first appearance."""
        if self._scanner.generation != self._client_generation:
            self._client_ids = np.empty(0, dtype=np.int32)
            self._client_generation = self._scanner.generation
        new = self._scanner.clients[len(self._client_ids) :]
        if new:
            self._client_ids = np.append(self._client_ids, client_ids(self._database, new)).astype(np.int32)
        return self._client_ids[block.client]


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
