"""Files and folders into the database: what `./stats trends import` and the watched folder do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import store
from stats_assets.trends.batches import printable
from stats_assets.trends.files import NoLog, read_path
from stats_assets.trends.load import Importer, ImportReport
from stats_assets.trends.raw import RawLog

_SAMPLE_BYTES = 500


def import_paths(
    database: StatsDatabase, paths: Iterable[Path], tell: Callable[[str], None], force: bool = False
) -> ImportReport:
    """Imports files, folders and SQLite batches, one after the other; tells the numbers of each.

    Files that are no logs go to quarantine. Raises ConfigurationMistake for a path that is not there.
    """
    importer, total = Importer(database), ImportReport()
    for path in paths:
        report = import_files(database, importer, read_path(path), force)
        tell(f"{path}: {report}")
        total.add(report)
    return total


def import_files(
    database: StatsDatabase, importer: Importer, found: Iterable[RawLog | NoLog], force: bool = False
) -> ImportReport:
    """Imports what `files` has read; `NoLog`s go to quarantine."""
    no_logs: list[NoLog] = []
    report = importer.import_logs(_only_logs(found, no_logs), force)
    for no_log in no_logs:
        store.quarantine_file(
            database,
            no_log.source,
            no_log.reason,
            no_log.detail,
            printable(no_log.data[:_SAMPLE_BYTES]),
            no_log.sha256,
        )
        report.quarantined += 1
        report.reasons[no_log.reason] = report.reasons.get(no_log.reason, 0) + 1
    return report


def _only_logs(found: Iterable[RawLog | NoLog], aside: list[NoLog]) -> Iterator[RawLog]:
    for item in found:
        if isinstance(item, RawLog):
            yield item
        else:
            aside.append(item)
