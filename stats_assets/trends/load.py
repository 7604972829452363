"""Logs into the database: bytes, rows, ledger, quarantine, duplicates, in transactions of many logs.

A transaction replaces its logs as a whole. Two locks keep importers side by side apart:
first that of its logids, against others with the same logs; then that of duplicates, held to the end, so that of two
logs imported at once the later sees the other. Who changes rows that are there takes the second before it does,
otherwise a search for duplicates and a reimport could wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import psycopg2
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from stats_assets.shared.failures import SourceAway, first_line
from stats_assets.shared.garbage_collection import without_garbage_collection
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice
from stats_assets.trends import store
from stats_assets.trends.batches import (
    BadCopy,
    Batch,
    KnownLog,
    batches,
    quarantine_misfits,
    sorted_out,
)
from stats_assets.trends.blocks import BAD_BLOCK, Block
from stats_assets.trends.dimensions import Dimensions
from stats_assets.trends.raw import MissingLog, RawLog
from stats_assets.trends.raw_content import Compressor
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.table_leaves import Leaves

_ATTEMPTS = 8  # at a batch, over about two minutes: a server that restarts is back by then
_STRIPES = 64
_STRIPE_LOGS = 1000
_DUPLICATE_DAYS = 7

# Of the values, not of the connection; too long a key counts as an operational error to the driver.
_REFUSALS = (psycopg2.DataError, psycopg2.IntegrityError, psycopg2.errors.ProgramLimitExceeded)

Log = RawLog | MissingLog


@dataclass
class ImportReport:
    """What became of the logs of one call; a log that came twice counts twice."""

    parsed: int = 0  # whose rows are new or renewed, bogus and banned ones included
    unchanged: int = 0  # same bytes as before, already imported
    kept: int = 0  # not taken, because we have a fuller copy
    quarantined: int = 0
    bogus: int = 0
    banned: int = 0
    missing: int = 0
    duplicates: int = 0  # logs whose list of older logs with the same rounds changed
    rows: int = 0
    content_bytes: int = 0
    seconds: float = 0.0
    days: set[date] = field(default_factory=set)  # upload days whose rows changed
    reasons: dict[str, int] = field(default_factory=dict)  # of quarantine, by code

    @property
    def logs(self) -> int:
        return self.parsed + self.unchanged + self.kept + self.quarantined + self.missing

    def __str__(self) -> str:
        told = f"{self.logs} logs: {self.parsed} parsed, {self.unchanged} unchanged, {self.quarantined} quarantined"
        extra = {"kept": self.kept, "missing": self.missing, "bogus": self.bogus, "banned": self.banned}
        more = "".join(f", {count} {name}" for name, count in extra.items() if count)
        return f"{told}{more}; {self.rows} rows, {len(self.days)} days, {self.seconds:.1f} s"

    def add(self, other: ImportReport) -> None:
        """Counts another call's logs in."""
        for name, value in vars(other).items():
            if isinstance(value, int | float):
                setattr(self, name, getattr(self, name) + value)
        self.days |= other.days
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


class Importer:
    """Imports logs; safe to run several at once, to kill and to run again.

    Keeps between calls what is costly to learn: weapon ids, table partitions seen, the compression dictionary.
    """

    def __init__(
        self, database: StatsDatabase, batch_logs: int = 1000, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._batch_logs = batch_logs
        self._sleep = sleep
        self._leaves = Leaves(database)
        self._dimensions = Dimensions(database)
        self._compressor: Compressor | None = None

    def import_logs(self, logs: Iterable[Log], force: bool = False) -> ImportReport:
        """Imports in transactions of `batch_logs` logs; a log already imported from the same bytes is left alone.

        `force` parses it again all the same. A log that cannot be read goes to quarantine and harms no other.
        Raises SourceAway when PostgreSQL stays away; what was committed stays, and importing again is safe.
        """
        started = time.monotonic()
        report = ImportReport()
        with without_garbage_collection():
            for batch in batches(logs, self._batch_logs):
                report.add(self._import_patiently(batch, force))
        report.seconds = time.monotonic() - started
        return report

    def _import_patiently(self, logs: Sequence[Log], force: bool) -> ImportReport:
        """The batch, tried again when the server went away in the middle: nothing of it is there then."""
        patiently = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.5, max=30),
            sleep=self._sleep,
            retry_error_callback=_give_up,
        )
        return patiently(self._import_separately, logs, force)

    def _import_separately(self, logs: Sequence[Log], force: bool) -> ImportReport:
        """The batch; when the database refuses its rows, its halves, down to the log that is refused."""
        try:
            return self._import_batch(logs, force)
        except _REFUSALS as error:
            if len(logs) == 1:
                return self._import_batch(logs, force, refused=first_line(error))
            report = ImportReport()
            for half in (logs[: len(logs) // 2], logs[len(logs) // 2 :]):
                report.add(self._import_separately(half, force))
            return report

    def _import_batch(self, logs: Sequence[Log], force: bool, refused: str | None = None) -> ImportReport:
        with self._database.transaction() as cursor:
            for stripe in sorted({log.logid // _STRIPE_LOGS % _STRIPES for log in logs}):
                lock_slice(cursor, "trends.import_ledger", f"stripe {stripe}")
            known = store.known_logs(cursor, [log.logid for log in logs])
            batch = sorted_out(logs, known, store.banned_uploaders(cursor), force)
            if refused:
                _refuse_all(batch, refused)
            report = _counted(batch)
            self._replace(cursor, batch, known, report)
        return report

    def _replace(self, cursor: Cursor, batch: Batch, known: dict[int, KnownLog], report: ImportReport) -> None:
        """Exchanges what the database has of the batch's logs; the order is the same in every importer."""
        blocks = self._streams(batch)
        _count_bad(batch, report)
        raws = [(raw, sha256, game.uploaded_at) for raw, sha256, game in batch.games if _is_news(sha256, raw, known)]
        raws += [(bad.raw, bad.sha256, None) for bad in batch.bad if _is_worth_keeping(bad, known)]
        self._leaves.ensure((game.day for game in batch.logs), (raw.logid for raw, _, _ in raws))
        old_days = {day for game in batch.logs if (have := known.get(game.logid)) and (day := have.day)}
        if old_days:
            _hold_duplicates(cursor)
            store.delete_rows(cursor, [game.logid for game in batch.logs if game.logid in known], sorted(old_days))
        store.replace_raw_logs(cursor, raws, known, self._compress())
        for table, (columns, rows, stream) in blocks.items():
            store.copy_rows(cursor, table, columns, stream)
            report.rows += rows
        store.write_ledger(cursor, batch, known)
        store.write_quarantine(cursor, batch)
        report.days = {game.day for game in batch.logs} | old_days
        if batch.games:
            _hold_duplicates(cursor)
            report.days |= self._mark_duplicates(cursor, batch, report)
            store.upsert_players(cursor, batch.logs)
            store.touch_days(cursor, report.days)

    def _streams(self, batch: Batch) -> dict[str, tuple[list[str], int, bytes]]:
        try:
            return self._streams_of_fitting(batch)
        except BAD_BLOCK:
            quarantine_misfits(batch)
            return self._streams_of_fitting(batch)

    def _streams_of_fitting(self, batch: Batch) -> dict[str, tuple[list[str], int, bytes]]:
        self._dimensions.learn(batch.block.weapons, {game.map for game in batch.logs})
        return batch.block.streams(self._dimensions.weaponids)

    def _mark_duplicates(self, cursor: Cursor, batch: Batch, report: ImportReport) -> set[date]:
        days = report.days
        window = {day + timedelta(days=n) for day in days for n in range(-_DUPLICATE_DAYS, _DUPLICATE_DAYS + 1)}
        changed = store.mark_duplicates(cursor, [game.logid for game in batch.logs], sorted(days), sorted(window))
        report.duplicates += len(changed)
        return set(changed.values())

    def _compress(self) -> Compressor:
        if self._compressor is None:
            self._compressor = store.newest_compressor(self._database)
        return self._compressor


def _hold_duplicates(cursor: Cursor) -> None:
    lock_slice(cursor, "trends.rounds", "duplicates")


def _is_news(sha256: bytes, raw: RawLog, known: dict[int, KnownLog]) -> bool:
    """Bytes that are kept already are not written again, when only their rows are made anew."""
    have = known.get(raw.logid)
    return not (have and have.sha256 == sha256)


def _is_worth_keeping(bad: BadCopy, known: dict[int, KnownLog]) -> bool:
    """Bytes nobody can read are kept, but never in place of a log we have."""
    have = known.get(bad.raw.logid)
    return bad.error.reason != "too_large" and not (have and have.day)


def _refuse_all(batch: Batch, told: str) -> None:
    batch.bad += [BadCopy(raw, sha256, BadLog("refused_by_database", told)) for raw, sha256, _ in batch.games]
    batch.games, batch.block = [], Block()


def _counted(batch: Batch) -> ImportReport:
    return ImportReport(unchanged=batch.unchanged, kept=batch.kept, missing=len(batch.missing))


def _count_bad(batch: Batch, report: ImportReport) -> None:
    report.parsed, report.quarantined = len(batch.games), len(batch.bad)
    report.content_bytes = sum(len(raw.data) for raw, _, _ in batch.games)
    report.bogus = sum(game.is_bogus for game in batch.logs)
    report.banned = sum(not game.is_bogus and not game.is_counted for game in batch.logs)
    for bad in batch.bad:
        report.reasons[bad.error.reason] = report.reasons.get(bad.error.reason, 0) + 1


def _may_pass(error: BaseException) -> bool:
    """Whether the server went away or sent us away: a session that breaks while it commits has no code at all."""
    if isinstance(error, SourceAway | psycopg2.OperationalError | psycopg2.InterfaceError):
        return True
    return isinstance(error, psycopg2.Error) and error.pgcode is None


def _give_up(state: RetryCallState) -> ImportReport:
    error = state.outcome and state.outcome.exception()
    raise SourceAway(
        f"trends: importing logs: PostgreSQL went away {_ATTEMPTS} times ({first_line(error)});"
        " what was committed stays, import the same again"
    ) from error
