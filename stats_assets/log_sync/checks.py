"""Checks an operator looks at: what is missing, and what came but looks too small.

They belong to the asset's own step: as steps behind it they would be skipped just when something is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from stats_assets.log_sync import store
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.coverage import Coverage, coverage, unusually_small
from stats_assets.log_sync.expected import ExpectedFile, expected_files
from stats_assets.shared.charts import PREVIEW_DPI, Labels, as_markdown, draw_grid
from stats_assets.shared.days import days_between
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase

_HEAT_MAP = Labels("Log files by host and day", x="day in the file's name", y="host, site", empty="no file is expected")

FILES = dg.AssetKey(["log_sync", "files"])
SPECS = (
    dg.AssetCheckSpec(
        "every_expected_host_delivered",
        asset=FILES,
        description="Every host delivered its file of every day that was asked for.",
    ),
    dg.AssetCheckSpec(
        "no_file_is_unusually_small",
        asset=FILES,
        description="No file is much smaller than its host's files usually are.",
    ),
)


@dataclass(frozen=True)
class Findings:
    """The results of `SPECS` over the last `config.check_days` days anybody has asked for, and a picture of them."""

    results: list[dg.AssetCheckResult]
    heat_map: bytes

    @property
    def metadata(self) -> dict[str, dg.MetadataValue]:
        """The picture, for the materialization."""
        return {"coverage": dg.MetadataValue.md(as_markdown({"coverage": self.heat_map}))}


def evaluated(database: StatsDatabase, config: LogSyncConfig) -> Findings:
    expected, rows = _recent(database, config)
    found = coverage(expected, rows)
    results = [_delivered(found, len(expected)), _sizes(rows, config.small_file_share)]
    return Findings(results, draw_grid(_HEAT_MAP, found.cells, PREVIEW_DPI))


def _delivered(found: Coverage, expected_files: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=FILES,
        check_name="every_expected_host_delivered",
        passed=found.is_complete,
        # A gap in what we asked for is an error; a day in between that nobody asked for may still be to come.
        severity=dg.AssetCheckSeverity.ERROR if found.gaps else dg.AssetCheckSeverity.WARN,
        description=_told(found),
        metadata={
            "expected_files": expected_files,
            "gaps": found.gaps,
            "days_never_asked_for": [day.isoformat() for day in found.unasked],
            "coverage": dg.MetadataValue.md(f"```\n{found.chart}\n```"),
        },
    )


def _sizes(rows: store.Manifest, limit_share: float) -> dg.AssetCheckResult:
    small = unusually_small(rows.values(), limit_share)
    return dg.AssetCheckResult(
        asset_key=FILES,
        check_name="no_file_is_unusually_small",
        passed=not small,
        severity=dg.AssetCheckSeverity.WARN,
        description=named(small) or f"{len(rows)} files have the size they usually have",
        metadata={"small_files": small, "limit_share": limit_share},
    )


def _recent(database: StatsDatabase, config: LogSyncConfig) -> tuple[list[ExpectedFile], store.Manifest]:
    """Expected files and rows of the last days of the manifest, none before its first day."""
    with database.transaction() as cursor:
        newest, oldest = store.newest_day(cursor), store.oldest_day(cursor)
        if newest is None or oldest is None:
            return [], {}
        first = max(oldest, newest - timedelta(days=config.check_days - 1))
        rows = store.rows_of_days(cursor, first, newest)
    return [file for day in days_between(first, newest) for file in expected_files(config, day)], rows


def _told(found: Coverage) -> str:
    told = [named(found.gaps)] if found.gaps else []
    if found.unasked:
        told.append(f"{len(found.unasked)} days in between were never asked for, the first is {found.unasked[0]}")
    return "; ".join(told) or "every expected file is here"
