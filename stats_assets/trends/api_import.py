"""Keeps our logs level with what the site lists: lists days, fetches what is due of them, imports it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import orjson

from stats_assets.shared.days import days_between, midnight
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase, lock_slice, one_row
from stats_assets.trends import api_sql
from stats_assets.trends.api_client import GameLogApi
from stats_assets.trends.api_pages import list_between
from stats_assets.trends.listing import ListedLog
from stats_assets.trends.load import Importer, ImportReport
from stats_assets.trends.raw import MissingLog, RawLog

# Fetched logs are committed this many at a time: what a killed run has to fetch again.
_LOGS_PER_COMMIT = 100
# So many failures one after the other are not the logs' fault.
_FAILURES_IN_A_ROW = 5
_TRIES_AT_BROKEN_JSON = 3


@dataclass(frozen=True)
class FetchedDay:
    """What fetching a day did, and how the day stands."""

    day: date
    listed: int
    have: int
    missing: int
    quarantined: int
    asked: int
    oldest: datetime | None
    newest: datetime | None
    seconds: float
    report: ImportReport = field(default_factory=ImportReport)

    def __str__(self) -> str:
        return f"{self.day}: {self.listed} listed, {self.asked} asked for, {self.missing} missing; {self.report}"


@dataclass
class ApiImporter:
    """One site into one database. `now` gives aware UTC times."""

    database: StatsDatabase
    api: GameLogApi
    page_size: int = 1000
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self._importer = Importer(self.database, batch_logs=_LOGS_PER_COMMIT)
        self._unanswered: list[MissingLog] = []  # in a row, until now

    def list_days(self, first: date, last: date) -> int:
        """Notes every log the site lists for these days; gives how many. All or nothing."""
        listed_at = self.now()
        listing = list_between(self.api, midnight(first), midnight(last + timedelta(days=1)), self.page_size)
        values = {
            "listed_at": listed_at,
            "logids": [log.logid for log in listing.logs],
            "uploaded_at": [log.uploaded_at for log in listing.logs],
            "days": days_between(first, last),
            "pages": listing.pages,
        }
        with self.database.transaction() as cursor:
            lock_slice(cursor, "trends.listed_logs", "listing")
            cursor.execute(api_sql.SET_LISTED, values)
            cursor.execute(api_sql.SET_LISTED_DAYS, values)
        return len(listing.logs)

    def fetch_day(self, day: date, again: bool = False) -> FetchedDay:
        """Fetches and imports what is due of a day; `again` asks for missing logs that would not be due yet.

        Raises SourceAway when the site is away; what was fetched until then is imported.
        """
        began, report = time.monotonic(), ImportReport()
        due = self._due(day, again)
        for start in range(0, len(due), _LOGS_PER_COMMIT):
            self._fetch(due[start : start + _LOGS_PER_COMMIT], report)
        self._import(self._taken_unanswered(), report)
        with self.database.transaction() as cursor:
            cursor.execute(api_sql.DAY_STATE, {"day": day})
            listed, have, missing, quarantined, oldest, newest = one_row(cursor)
        seconds = round(time.monotonic() - began, 3)
        return FetchedDay(day, listed, have, missing, quarantined, len(due), oldest, newest, seconds, report)

    def _due(self, day: date, again: bool) -> list[ListedLog]:
        with self.database.transaction() as cursor:
            cursor.execute(api_sql.DUE_LOGS, {"day": day, "again": again})
            return [ListedLog(*row) for row in cursor.fetchall()]

    def _fetch(self, logs: Sequence[ListedLog], report: ImportReport) -> None:
        fetched: list[RawLog | MissingLog] = []
        try:
            for log in logs:
                fetched += self._asked(log)
        finally:
            # Also when the site went away in the middle: what has come is kept.
            self._import(fetched, report)

    def _import(self, logs: Sequence[RawLog | MissingLog], report: ImportReport) -> None:
        report.add(self._importer.import_logs(logs))
        with self.database.transaction() as cursor:
            cursor.execute(api_sql.SET_ASKED_FOR, {"logids": [log.logid for log in logs]})

    def _asked(self, log: ListedLog) -> list[RawLog | MissingLog]:
        """What the site gives for the log, after those before it that it gave no answer for.

        One failure is its log's, several in a row are the site's: then nothing is said of their logs, and the next
        run asks for them at once.
        """
        try:
            answer = self._answer(log)
        except SourceAway as error:
            self._unanswered.append(MissingLog(log.logid, self.api.source, f"no_answer: {error}", log.uploaded_at))
            if len(self._unanswered) < _FAILURES_IN_A_ROW:
                return []
            failures = len(self._taken_unanswered())
            raise SourceAway(f"{error}; {failures} logs in a row: the site is away, rerun later") from error
        return [*self._taken_unanswered(), answer]

    def _taken_unanswered(self) -> list[MissingLog]:
        unanswered, self._unanswered = self._unanswered, []
        return unanswered

    def _answer(self, log: ListedLog) -> RawLog | MissingLog:
        """The log, or that there is none. What stays broken JSON is handed on as it is, for quarantine."""
        body: bytes | None = None
        for _ in range(_TRIES_AT_BROKEN_JSON):
            body = self.api.log(log.logid)
            if body is None:
                told = "not_found: the site lists it but has none"
                return MissingLog(log.logid, self.api.source, told, log.uploaded_at)
            try:
                answer = orjson.loads(body)
            except orjson.JSONDecodeError:
                continue
            if isinstance(answer, dict) and answer.get("success") is False:
                told = str(answer.get("error", "without a reason"))
                return MissingLog(log.logid, self.api.source, f"refused: {told[:200]}", log.uploaded_at)
            break
        assert body is not None
        return RawLog(log.logid, body, self.api.source, self.now(), log.uploaded_at)
