"""Logs into the database: bytes, rows, ledger, quarantine, duplicates, in transactions of many logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.raw import MissingLog, RawLog


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
    duplicates: int = 0  # logs marked or unmarked as duplicate
    rows: int = 0
    content_bytes: int = 0
    seconds: float = 0.0
    days: set[date] = field(default_factory=set)  # upload days whose rows changed
    reasons: dict[str, int] = field(default_factory=dict)  # of quarantine, by code


class Importer:
    """Imports logs; safe to run several at once, to kill and to run again."""

    def __init__(self, database: StatsDatabase, batch_logs: int = 1000) -> None:
        self._database = database
        self._batch_logs = batch_logs

    def import_logs(self, logs: Iterable[RawLog | MissingLog], force: bool = False) -> ImportReport:
        """Imports in transactions of `batch_logs` logs; a log already imported from the same bytes is left alone.

        `force` parses it again all the same. A log that cannot be read goes to quarantine and harms no other.
        Raises SourceAway when PostgreSQL is away; what was committed stays, and importing again is safe.
        """
        raise NotImplementedError
