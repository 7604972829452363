"""Checks an operator looks at, asked in the step of their asset: behind it they would be skipped when a day fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from stats_assets.crashes import check_sql
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.keys import ACTIVE_DAILY_INSTALLS, DUPLICATES, REPORTS
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import Cursor, StatsDatabase

# Fewer days of the same weekday before tell nothing of what is usual.
_LEAST_WEEKS = 2

Found = dict[str, str]  # what is unusual, by day


@dataclass(frozen=True)
class _Check:
    """One check: `ask` gives the unusual days of those given; `advice` says what to do, `good` that all is well."""

    name: str
    description: str
    advice: str
    good: str
    ask: Callable[[Cursor, CrashesConfig, Sequence[date]], Found]


@dataclass(frozen=True)
class Checks:
    """The checks of one asset."""

    asset: dg.AssetKey
    checks: tuple[_Check, ...]

    @property
    def specs(self) -> list[dg.AssetCheckSpec]:
        return [dg.AssetCheckSpec(each.name, asset=self.asset, description=each.description) for each in self.checks]

    def of(self, database: StatsDatabase, config: CrashesConfig, days: Sequence[date]) -> list[dg.AssetCheckResult]:
        """The results for the days that a run has done."""
        with database.transaction() as cursor:
            return [self._result(each, each.ask(cursor, config, days) if days else {}) for each in self.checks]

    def _result(self, check: _Check, found: Found) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            asset_key=self.asset,
            check_name=check.name,
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,  # the days are loaded as they were delivered
            description=f"{named(found)}; {check.advice}" if found else check.good,
            metadata={"unusual_days": found},
        )


def _usual_installs(cursor: Cursor, config: CrashesConfig, days: Sequence[date]) -> Found:
    return _unusual(cursor, check_sql.INSTALLS_BESIDE_WEEKDAY, config, days, "installs")


def _usual_crashes(cursor: Cursor, config: CrashesConfig, days: Sequence[date]) -> Found:
    return _unusual(cursor, check_sql.CRASHES_BESIDE_WEEKDAY, config, days, "crashes")


def _unusual(cursor: Cursor, statement: str, config: CrashesConfig, days: Sequence[date], unit: str) -> Found:
    cursor.execute(statement, {"days": list(days), "least_weeks": _LEAST_WEEKS, "change": config.usual_change})
    found: Found = {}
    for day, product, count, usual in cursor.fetchall():
        told = f"{product} has {count} {unit}, usual for the weekday are {usual:.0f}"
        found[str(day)] = f"{found[str(day)]}, {told}" if str(day) in found else told
    return found


def _shares(input_name: str, column: str, limit: str, told: str) -> Callable[..., Found]:
    def ask(cursor: Cursor, config: CrashesConfig, days: Sequence[date]) -> Found:
        cursor.execute(check_sql.INPUT_SHARES[column], {"input": input_name, "days": list(days)})
        rows: list[tuple[Any, int, int]] = cursor.fetchall()
        most = getattr(config, limit)
        return {str(day): f"{part} of {whole} {told}" for day, part, whole in rows if whole and part / whole > most}

    return ask


def _duplicates(cursor: Cursor, config: CrashesConfig, days: Sequence[date]) -> Found:
    cursor.execute(check_sql.DUPLICATES_OF_DAYS, {"days": list(days)})
    return {
        str(day): f"{duplicates} of {reports} reports are duplicates"
        for day, duplicates, reports in cursor.fetchall()
        if reports and duplicates / reports > config.max_duplicate_share
    }


INSTALLS_CHECKS = Checks(
    ACTIVE_DAILY_INSTALLS,
    (
        _Check(
            "installs_are_as_usual",
            "Each product's installs are near the median of the same weekday before, within crashes.usual_change.",
            "ask who makes the feed whether the day is whole; rerun it when it is mended",
            "installs are as on the same weekdays before",
            _usual_installs,
        ),
        _Check(
            "install_products_are_known",
            "Few lines of the feed are of products that product_productid_map.csv does not have.",
            "add their ids to product_productid_map.csv if they are to be counted, and rerun the days",
            "the products of the feed are known",
            _shares("active_daily_installs", "unknown_product", "max_unknown_product_share", "lines are of no product"),
        ),
        _Check(
            "install_lines_are_readable",
            "Few lines of the feed could not be used.",
            "samples and reasons are in crashes.quarantine",
            "the lines of the feed are readable",
            _shares("active_daily_installs", "quarantined", "max_quarantined_share", "lines could not be used"),
        ),
    ),
)
REPORTS_CHECKS = Checks(
    REPORTS,
    (
        _Check(
            "crashes_are_as_usual",
            "As many crashes as the median of the same weekday in the eight weeks before, within crashes.usual_change.",
            "a new crash, or a feed that is not whole: look at crashes/top_crashers",
            "there are as many crashes as on the same weekdays before",
            _usual_crashes,
        ),
        _Check(
            "report_products_are_known",
            "Few reports are of products that products.csv does not have.",
            "add them to products.csv if they are to be counted, and materialize crashes/product_versions",
            "the products of the reports are known",
            _shares("reports", "unknown_product", "max_unknown_product_share", "reports are of no known product"),
        ),
        _Check(
            "report_documents_are_readable",
            "Few documents could not be used.",
            "samples and reasons are in crashes.quarantine",
            "the documents are readable",
            _shares("reports", "quarantined", "max_quarantined_share", "documents could not be used"),
        ),
    ),
)
DUPLICATES_CHECKS = Checks(
    DUPLICATES,
    (
        _Check(
            "duplicates_are_few",
            "The share of duplicates among the reports of a day is not unusual.",
            "a client that sends again and again: group crashes.duplicates by duplicate_of",
            "there are few duplicates",
            _duplicates,
        ),
    ),
)
