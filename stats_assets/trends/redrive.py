"""Logs we have, parsed once more: all of a day, or those in quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import sql
from stats_assets.trends.load import Importer, ImportReport
from stats_assets.trends.raw import RawLog
from stats_assets.trends.raw_content import Dictionaries, decompress

_LOGS_AT_ONCE = 500


def rederive(database: StatsDatabase, importer: Importer, day: date) -> ImportReport:
    """Makes the rows of the day's logs anew from their bytes."""
    window = {"start": midnight(day), "end": midnight(day + timedelta(days=1))}
    logids = _logids(database, sql.LOGIDS_OF_DAY, window)
    return importer.import_logs(stored_logs(database, logids), force=True)


def redrive(database: StatsDatabase) -> ImportReport:
    """Tries every log in quarantine again, from the bytes we have: what a mended parser can read leaves it."""
    logids = _logids(database, sql.QUARANTINED_LOGIDS, {})
    return Importer(database).import_logs(stored_logs(database, logids), force=True)


def stored_logs(database: StatsDatabase, logids: Iterable[int]) -> Iterator[RawLog]:
    """The logs as they came, by rising logid, some hundreds at a time; those we have no bytes of are left out."""
    dictionaries = Dictionaries(database)
    rest = sorted(logids)
    for start in range(0, len(rest), _LOGS_AT_ONCE):
        with database.transaction() as cursor:
            cursor.execute(sql.RAW_LOGS, {"logids": rest[start : start + _LOGS_AT_ONCE]})
            rows = cursor.fetchall()
        for logid, uploaded_at, fetched_at, source, is_complete, dictionary_id, content in rows:
            data = decompress(bytes(content), dictionaries.get(dictionary_id))
            yield RawLog(logid, data, source, fetched_at, uploaded_at, is_complete)


def _logids(database: StatsDatabase, statement: str, values: Mapping[str, object]) -> list[int]:
    with database.transaction() as cursor:
        cursor.execute(statement, values)
        return [logid for (logid,) in cursor.fetchall()]
