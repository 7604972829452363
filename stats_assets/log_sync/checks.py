"""Checks an operator looks at: what is missing, and what came but looks too small."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg

from stats_assets.log_sync import store
from stats_assets.log_sync.assets import FILES
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.coverage import Coverage, coverage, unusually_small
from stats_assets.log_sync.expected import ExpectedFile, expected_files
from stats_assets.shared.postgres import StatsDatabase

_NAMED = 5


def build_checks(config: LogSyncConfig) -> list[dg.AssetChecksDefinition]:
    """The checks over the last `config.check_days` days anybody has asked for."""

    @dg.asset_check(asset=FILES, description="Every host delivered its file of every day that was asked for.")
    def every_expected_host_delivered(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        expected, rows = _recent(database, config)
        found = coverage(expected, rows)
        return dg.AssetCheckResult(
            passed=found.is_complete,
            # A gap in what we asked for is an error; a day in between that nobody asked for may still be to come.
            severity=dg.AssetCheckSeverity.ERROR if found.gaps else dg.AssetCheckSeverity.WARN,
            description=_told(found),
            metadata={
                "expected_files": len(expected),
                "gaps": found.gaps,
                "days_never_asked_for": [day.isoformat() for day in found.unasked],
                "coverage": dg.MetadataValue.md(f"```\n{found.chart}\n```"),
            },
        )

    @dg.asset_check(asset=FILES, description="No file is much smaller than its host's files usually are.")
    def no_file_is_unusually_small(database: dg.ResourceParam[StatsDatabase]) -> dg.AssetCheckResult:
        _, rows = _recent(database, config)
        small = unusually_small(rows.values(), config.small_file_share)
        return dg.AssetCheckResult(
            passed=not small,
            severity=dg.AssetCheckSeverity.WARN,
            description=_list(small) or f"{len(rows)} files have the size they usually have",
            metadata={"small_files": small, "limit_share": config.small_file_share},
        )

    return [every_expected_host_delivered, no_file_is_unusually_small]


def _recent(database: StatsDatabase, config: LogSyncConfig) -> tuple[list[ExpectedFile], store.Manifest]:
    """Expected files and rows of the last days of the manifest, none before its first day."""
    with database.transaction() as cursor:
        newest, oldest = store.newest_day(cursor), store.oldest_day(cursor)
        if newest is None or oldest is None:
            return [], {}
        first = max(oldest, newest - timedelta(days=config.check_days - 1))
        rows = store.rows_of_days(cursor, first, newest)
    return [file for day in _days(first, newest) for file in expected_files(config, day)], rows


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _told(found: Coverage) -> str:
    told = [_list(found.gaps)] if found.gaps else []
    if found.unasked:
        told.append(f"{len(found.unasked)} days in between were never asked for, the first is {found.unasked[0]}")
    return "; ".join(told) or "every expected file is here"


def _list(problems: dict[str, str]) -> str:
    named = "; ".join(f"{what}: {why}" for what, why in list(problems.items())[:_NAMED])
    return named + (f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else "")
