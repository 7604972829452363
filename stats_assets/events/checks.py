"""Checks of closed days per app: events that drop off or rise, quarantine, columns nobody knows.

They are asked in the step of daily_event_counts: as steps behind it they would be skipped just when a day failed. A day
under way is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from stats_assets.events import counts_sql
from stats_assets.events.config import EventsConfig
from stats_assets.events.keys import DAILY_EVENT_COUNTS
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import Cursor, StatsDatabase

# Fewer tell nothing of what is usual.
_LEAST_WEEKS, _LEAST_DAYS = 2, 3

Found = dict[str, str]  # what is unusual, by day and app, and column


@dataclass(frozen=True)
class _Check:
    """`ask` gives what is unusual of the days given; `advice` says what to do, `good` that all is well."""

    name: str
    description: str
    advice: str
    good: str
    ask: Callable[[Cursor, EventsConfig, Sequence[date]], Found]


def _beside_usual(statement: str) -> Callable[[Cursor, EventsConfig, Sequence[date]], Found]:
    def ask(cursor: Cursor, config: EventsConfig, days: Sequence[date]) -> Found:
        values = {"least_weeks": _LEAST_WEEKS, "least_days": _LEAST_DAYS, "change": config.usual_change}
        cursor.execute(statement, {**values, "days": list(days)})
        return {
            f"{day} {app}": f"{events} events, usual are {usual:.0f}" for day, app, events, usual in cursor.fetchall()
        }

    return ask


def _quarantine(cursor: Cursor, config: EventsConfig, days: Sequence[date]) -> Found:
    cursor.execute(counts_sql.QUARANTINE_SHARES, {"days": list(days)})
    return {
        f"{day} {app}": f"{bad} of {events} events refused or of no use"
        for day, app, bad, events in cursor.fetchall()
        if events and bad / events > config.max_quarantined_share
    }


def _unknown_columns(cursor: Cursor, _config: EventsConfig, days: Sequence[date]) -> Found:
    cursor.execute(counts_sql.UNKNOWN_COLUMNS, {"days": list(days)})
    rows = cursor.fetchall()
    return {f"{day} {app} {table}.{column}": f"in {events} events" for day, app, table, column, events in rows}


_CHECKS = (
    _Check(
        "apps_have_not_dropped_off",
        "No app sends far fewer events than is usual for it, by events.usual_change.",
        "look whether a release of the app has lost its events, or the collector refuses them (events.quarantine)",
        "no app sends fewer events than usual",
        _beside_usual(counts_sql.DROPPED),
    ),
    _Check(
        "apps_send_no_more_than_usual",
        "No app sends far more events than is usual for it, by events.usual_change.",
        "a new release, or a client that sends again and again: give events an event_id, or limit events_per_second",
        "no app sends more events than usual",
        _beside_usual(counts_sql.RISEN),
    ),
    _Check(
        "quarantined_events_are_few",
        "Few of an app's events are refused or of no use, by events.max_quarantined_share.",
        "reasons and columns are in events.quarantine; mend the app or the schema file, then rerun the days",
        "few events are in quarantine",
        _quarantine,
    ),
    _Check(
        "columns_are_known",
        "The stored events have nothing but what the schema file declares.",
        "declare the columns in the schema file, or leave them in extra; events.unknown_columns counts them",
        "every column is declared",
        _unknown_columns,
    ),
)

SPECS = [dg.AssetCheckSpec(each.name, asset=DAILY_EVENT_COUNTS, description=each.description) for each in _CHECKS]


def evaluated(database: StatsDatabase, config: EventsConfig, days: Sequence[date]) -> list[dg.AssetCheckResult]:
    """The results for days that are over."""
    with database.transaction() as cursor:
        return [_result(each, each.ask(cursor, config, days) if days else {}) for each in _CHECKS]


def _result(check: _Check, found: Found) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=DAILY_EVENT_COUNTS,
        check_name=check.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,  # the days are counted as they were received
        description=f"{named(found)}; {check.advice}" if found else check.good,
        metadata={"unusual": found},
    )
