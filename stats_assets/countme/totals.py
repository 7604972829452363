"""Counting a week: countme.raw_hits into countme.weekly_totals, and the week's state into countme.weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stats_assets.countme import sql
from stats_assets.countme.completeness import WeekFile, gaps, summary
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.verdicts import REJECTIONS
from stats_assets.countme.weeks import FIRST_COUNTME_WEEK, JITTER_SECONDS
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row, plan_for_bulk


@dataclass(frozen=True)
class WeekReport:
    """One counted week. `missing` is for people and empty when nothing is; `hits` are those with countme."""

    week: date
    rows: int
    hits: int
    is_complete: bool
    missing: str


def replace_week(database: StatsDatabase, config: CountmeConfig, week: date) -> WeekReport:
    """Counts the week that begins on this Monday anew, in one transaction; running it twice changes nothing."""
    window = _window(config, week)
    with database.transaction() as cursor:
        lock_slice(cursor, "countme.weekly_totals", f"{config.site} {week}")
        # Read before the hits: a load that commits in between makes the week look outdated, never up to date.
        inputs = week_inputs(cursor, config, week, week + timedelta(weeks=1)).get(week, "")
        found = gaps(week, week_files(cursor, config, week), config.max_rejected_share)
        passes = _passes(cursor, config, window) if config.policy == "compat" else _ALL_PASSES
        cursor.execute(sql.DELETE_WEEK, window)
        plan_for_bulk(cursor)
        for statement in passes:
            cursor.execute(statement, window)
        is_complete = bool(passes) if config.policy == "compat" else not found
        cursor.execute(sql.WEEK_SIZE, window)
        rows, hits = one_row(cursor)
        report = WeekReport(week, rows, int(hits), is_complete, summary(found))
        _keep_week(cursor, config, report, inputs)
    return report


def week_files(cursor: Cursor, config: CountmeConfig, week: date) -> list[WeekFile]:
    """What became of each expected file of the week."""
    parameters = {
        "site": config.site,
        "policy": config.policy,
        "rejections": sorted(REJECTIONS),
        "monday": week,
        "next_monday": week + timedelta(weeks=1),
    }
    cursor.execute(sql.WEEK_FILES, parameters)
    return [WeekFile(*row) for row in cursor.fetchall()]


def changed_weeks(cursor: Cursor, config: CountmeConfig, today: date) -> list[date]:
    """Weeks that have ended and whose totals were made from other inputs than there are now, oldest first."""
    inputs = week_inputs(cursor, config, config.first_day - timedelta(days=7), today - timedelta(days=today.weekday()))
    cursor.execute(sql.COUNTED_INPUTS)
    counted = dict(cursor.fetchall())
    return [week for week, digest in inputs.items() if counted.get(week) != digest]


def week_inputs(cursor: Cursor, config: CountmeConfig, start: date, end: date) -> dict[date, str]:
    """A digest of what each week in [start, end) is to be counted from; weeks without a hit have none."""
    parameters = {
        "site": config.site,
        "policy": config.policy,
        "jitter": timedelta(seconds=JITTER_SECONDS),
        "monday": start,
        "end": end,
    }
    cursor.execute(sql.WEEK_INPUTS, parameters)
    return dict(cursor.fetchall())


_ALL_PASSES: Sequence[str] = (sql.ADD_COUNTME_TOTALS, sql.ADD_ADDRESS_TOTALS)


def _passes(cursor: Cursor, config: CountmeConfig, window: dict[str, object]) -> list[str]:
    """The passes the established tool would have made over this week by now: each looks at its own kind of row."""
    cursor.execute(sql.IS_CLOSED, window)
    countme_is_closed, addresses_are_closed = one_row(cursor)
    passes = []
    if countme_is_closed and window["week"] >= FIRST_COUNTME_WEEK:  # type: ignore[operator]
        passes.append(sql.ADD_COUNTME_TOTALS)
    if addresses_are_closed:
        passes.append(sql.ADD_ADDRESS_TOTALS)
    return passes


def _keep_week(cursor: Cursor, config: CountmeConfig, report: WeekReport, inputs: str) -> None:
    state = {
        "week": report.week,
        "policy": config.policy,
        "is_complete": report.is_complete,
        "missing": report.missing,
        "inputs": inputs,
        "hits": report.hits,
    }
    cursor.execute(sql.KEEP_WEEK, state)


def _window(config: CountmeConfig, week: date) -> dict[str, object]:
    start = midnight(week)
    end = start + timedelta(weeks=1)
    return {
        "site": config.site,
        "week": week,
        "start": start,
        "end": end,
        "closing": end + timedelta(seconds=JITTER_SECONDS),
    }
