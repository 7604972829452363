"""Fetches the files of a day: asks, fetches, verifies, keeps, and writes down what became of each.

Decisions are in `plan.py`, rows in `manifest.py`, the network in `transports`, words for people in `reports.py`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from stats_assets.log_sync import manifest, store
from stats_assets.log_sync.combine import SCRATCH
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.expected import ExpectedFile, expected_files, lanes
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.log_sync.plan import Fetch, KeepCopy, Missing, Present, UpToDate, decide, good_copy
from stats_assets.log_sync.reports import DayReport, Outcome
from stats_assets.log_sync.transports import Transports, open_transports
from stats_assets.log_sync.transports.limits import OurDiskTrouble, SourceRefused, limits_of, writing
from stats_assets.log_sync.verify import DamagedFile, Verified, verify
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase

# A host that stayed silent on so many files in a row is not asked again in this run: with its time-outs, a
# year's backfill would take days.
_SILENT_FILES = 2
_PART_KEPT_SECONDS = 7 * 86_400


class DaySync:
    """Brings days up to date, several files at once. `now` gives aware UTC times."""

    def __init__(
        self,
        database: StatsDatabase,
        archive: Archive,
        config: LogSyncConfig,
        transports: Transports,
        pool: ThreadPoolExecutor,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._database = database
        self._archive = archive
        self._config = config
        self._transports = transports
        self._pool = pool
        self._now = now
        self._sleep = sleep
        self._silent: Counter[str] = Counter()  # files in a row a host did not answer for

    def sync(self, day: date) -> DayReport:
        """Settles every expected file of the day and writes their rows in one transaction.

        The advisory lock is held while files come in: a backfill and the schedule must not write one file at once.
        """
        started = self._now()
        expected = expected_files(self._config, day)
        with self._database.transaction() as cursor:
            store.hold_day(cursor, day)
            rows = store.rows_of_days(cursor, day, day)
            outcomes = self._settle_all(expected, rows)
            store.replace_day(cursor, day, expected, [outcome.row for outcome in outcomes])
        return DayReport(day, outcomes, (self._now() - started).total_seconds())

    def _settle_all(self, expected: Sequence[ExpectedFile], rows: store.Manifest) -> list[Outcome]:
        """Lanes side by side, each file after file: a host has as many lanes as it bears connections."""

        def settle(lane: Sequence[ExpectedFile]) -> list[Outcome]:
            return [self._settle(file, rows.get(file.key)) for file in lane]

        settled = {outcome.file.key: outcome for done in self._pool.map(settle, lanes(expected)) for outcome in done}
        return [settled[file.key] for file in expected]

    def _settle(self, file: ExpectedFile, row: ManifestRow | None) -> Outcome:
        """What becomes of one file, whatever its source does."""
        outcome = self._outcome(file, good_copy(row, file.archive_name, self._archive.size_bytes))
        return replace(outcome, row=manifest.numbered(outcome.row, row))

    def _outcome(self, file: ExpectedFile, copy: ManifestRow | None) -> Outcome:
        if file.waived is not None:
            return self._waived(file, copy, file.waived)
        if copy is None and self._now() < file.over_at:
            told = f"its day ends there at {file.over_at:%Y-%m-%d %H:%M} UTC; not asked before"
            return Outcome(file, "missing", manifest.without_copy(file, "missing", self._now(), told))
        if self._silent[file.host] >= _SILENT_FILES:
            return self._unanswered(file, copy, "was silent for the files before; not asked again in this run")
        retrying = self._retrying()
        try:
            outcome = retrying(self._one_try, file, copy)
            self._silent[file.host] = 0
        except SourceAway as error:
            self._silent[file.host] += 1
            outcome = self._unanswered(file, copy, str(error))
        except SourceRefused as error:
            outcome = self._unanswered(file, copy, str(error))
        except OurDiskTrouble as error:
            outcome = self._failed(file, copy, str(error))
        attempts = retrying.statistics.get("attempt_number", 1)
        return replace(outcome, row=replace(outcome.row, attempts=attempts))

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(self._config.attempts) | stop_after_delay(self._config.total_timeout_seconds),
            wait=wait_exponential_jitter(initial=1, max=60),
            retry=retry_if_exception_type(SourceAway),
            sleep=self._sleep,
            reraise=True,
        )

    def _one_try(self, file: ExpectedFile, copy: ManifestRow | None) -> Outcome:
        """Raises SourceAway or SourceRefused when the source does not tell or give what it should."""
        probe = self._transports.of(file.source).probe(file.source)
        match decide(copy, probe):
            case Fetch(version):
                return self._fetch(file, copy, version)
            case UpToDate(copy):
                return Outcome(file, "up_to_date", manifest.still_good(copy, self._now()))
            case KeepCopy(copy, found):
                note = f"no longer at the source ({found}); our copy stands"
                return Outcome(file, "kept", manifest.still_good(copy, self._now(), note))
            case Missing(found):
                return Outcome(file, "missing", manifest.without_copy(file, "missing", self._now(), found))

    def _fetch(self, file: ExpectedFile, copy: ManifestRow | None, version: Present) -> Outcome:
        part = self._part(file, version)
        is_resumed = part.exists()
        try:
            self._transports.of(file.source).fetch(file.source, version, part)
            verified = self._verified(part, file)
        except SourceAway as error:
            raise SourceAway(f"{error}{_resumable(part, version)}") from error
        except DamagedFile as error:
            part.unlink()
            if is_resumed:
                raise SourceAway(f"the resumed {file.file_name} {error}; the next try begins anew") from error
            return self._damaged(file, copy, version, str(error))
        name = file.archive_name
        with writing(self._archive.location(name)), part.open("rb") as reader, self._archive.replacing(name) as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        part.unlink()
        return Outcome(file, "fetched", manifest.fetched(file, version.version, verified, self._now()))

    def _verified(self, part: Path, file: ExpectedFile) -> Verified:
        with part.open("rb") as stored:
            return verify(stored, file.archive_name, self._config.max_content_bytes)

    def _damaged(self, file: ExpectedFile, copy: ManifestRow | None, version: Present, damage: str) -> Outcome:
        """A newer damaged version does not touch the copy, but somebody should look at the host."""
        newer = "" if copy is None else "the newer "
        return self._failed(file, copy, f"{newer}{file.file_name} {damage} ({file.source.shown})", version.version)

    def _failed(self, file: ExpectedFile, copy: ManifestRow | None, error: str, damaged: str | None = None) -> Outcome:
        """Somebody has to look, even where a copy stands."""
        if copy is None:
            row = manifest.without_copy(file, "failed", self._now(), error, damaged)
        else:
            note = f"{error}; our copy of {copy.fetched_at:%Y-%m-%d %H:%M} UTC stands"
            row = manifest.still_good(copy, self._now(), note)
        return Outcome(file, "failed", row)

    def _unanswered(self, file: ExpectedFile, copy: ManifestRow | None, error: str) -> Outcome:
        """The source was of no help: a copy we have stands, otherwise the day has a gap."""
        if copy is None:
            return Outcome(file, "failed", manifest.without_copy(file, "failed", self._now(), error))
        return Outcome(file, "kept", manifest.still_good(copy, self._now(), f"{error}; our copy stands"))

    def _waived(self, file: ExpectedFile, copy: ManifestRow | None, reason: str) -> Outcome:
        if copy is None:
            return Outcome(file, "waived", manifest.without_copy(file, "waived", self._now(), reason))
        return Outcome(file, "kept", manifest.still_good(copy, self._now(), f"waived: {reason}; our copy stands"))

    def _part(self, file: ExpectedFile, version: Present) -> Path:
        """Where this version of this file is received; another version never goes on from it."""
        name = hashlib.sha256(f"{file.key} {file.source.shown} {version.version}".encode()).hexdigest()[:32]
        return Path(self._config.spool) / f"{name}.part"


@contextmanager
def day_sync(
    database: StatsDatabase,
    archive: Archive,
    config: LogSyncConfig,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Iterator[DaySync]:
    """A DaySync with its connections and threads, closed when the block ends."""
    spool = Path(config.spool)
    spool.mkdir(parents=True, exist_ok=True)
    _forget_old_parts(spool, now())
    with (
        open_transports(limits_of(config)) as transports,
        ThreadPoolExecutor(config.parallel_downloads, thread_name_prefix="log_sync") as pool,
    ):
        yield DaySync(database, archive, config, transports, pool, now, sleep)


def _forget_old_parts(spool: Path, now: datetime) -> None:
    """Broken transfers nobody has resumed, and what a killed run has left of sorting."""
    for part in spool.glob("*.part"):
        with suppress(FileNotFoundError):  # another run may have resumed it
            if now.timestamp() - part.stat().st_mtime > _PART_KEPT_SECONDS:
                part.unlink()
    for folder in spool.glob(f"{SCRATCH}*"):
        if now.timestamp() - folder.stat().st_mtime > _PART_KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _resumable(part: Path, version: Present) -> str:
    if not part.exists():
        return ""
    of = f" of {version.size_bytes}" if version.size_bytes is not None else ""
    return f"; got {part.stat().st_size}{of} bytes, which are kept: the next try goes on from there"
