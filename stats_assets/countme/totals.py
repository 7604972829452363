"""Counting a week of a site: countme.raw_hits into countme.weekly_totals, and its state into countme.weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stats_assets.countme import weeks_sql as sql
from stats_assets.countme.completeness import Completeness, WeekFile, completeness, is_over, status_of, summary
from stats_assets.countme.config import CountedSite, CountmeConfig
from stats_assets.countme.first_appearance import address_positions, countme_positions
from stats_assets.countme.reports import WeekReport
from stats_assets.countme.tally import WeekTally
from stats_assets.countme.verdicts import REJECTIONS
from stats_assets.countme.weeks import FILE_OFFSETS, FIRST_COUNTME_WEEK, JITTER_SECONDS, files_needed
from stats_assets.shared.days import midnight
from stats_assets.shared.failures import OurMistake, SourceAway
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row

_TRIES = 3


class UncountableWeek(OurMistake):
    """The hits of a week are not as they were loaded, or do not compare. Its totals stay; others can be counted."""


@dataclass(frozen=True)
class _Slice:
    """A week of a site, as statements want it and as messages call it."""

    site: CountedSite
    week: date

    @property
    def parameters(self) -> dict[str, object]:
        start = midnight(self.week)
        end = start + timedelta(weeks=1)
        closing = end + timedelta(seconds=JITTER_SECONDS)
        return {"site": self.site.name, "week": self.week, "start": start, "end": end, "closing": closing}

    def __str__(self) -> str:
        return f"countme/weekly_totals {self.site.name} {self.week}"


@dataclass(frozen=True)
class _WeekSource:
    """A loaded file with hits of the week; `generation`: which of the week's keys their address keys are of."""

    source_id: int
    day: date
    generation: int
    hits: int


@dataclass(frozen=True)
class _Counts:
    """A week's counts by client and countme value (-1: addresses), and where they stand in the published file.

    `is_closed`: the week may be told to be over.
    """

    hits: Mapping[tuple[int, int], int]
    positions: Mapping[tuple[int, int], int]
    is_closed: bool


def replace_week(
    database: StatsDatabase, config: CountmeConfig, site: CountedSite, week: date, now: datetime
) -> WeekReport:
    """Counts the week that begins on this Monday anew, in one transaction; running it twice changes nothing.

    `now` tells whether the week is over. Raises UncountableWeek when the week's hits are not there as they were loaded,
    or do not compare: then the totals stay as they are.
    """
    slice_ = _Slice(site, week)
    with database.transaction() as cursor:
        lock_slice(cursor, "countme.weekly_totals", f"{site.name} {week}")
        # Read before the hits: a load that commits in between makes the week look outdated, never up to date.
        inputs = week_inputs(cursor, site, week, week + timedelta(weeks=1), now).get(week, "")
        files = week_files(cursor, site, week)
        found = completeness(week, site.covers, files, config.max_rejected_share, config.first_day)
        counts = _counts(cursor, config, slice_, now)
        return _keep_week(cursor, slice_, found, counts, inputs)


def week_files(cursor: Cursor, site: CountedSite, week: date) -> list[WeekFile]:
    """What became of each expected file the week needs."""
    days = files_needed(week, site.covers)
    parameters = {
        "site": site.name,
        "policy": site.policy,
        "rejections": sorted(REJECTIONS),
        "first_file": days[0],
        "last_file": days[-1],
    }
    cursor.execute(sql.WEEK_FILES, parameters)
    return [WeekFile(*row) for row in cursor.fetchall()]


def changed_weeks(cursor: Cursor, config: CountmeConfig, site: CountedSite, now: datetime) -> list[date]:
    """Weeks that have ended and whose totals were made from other inputs than there are now, oldest first."""
    today = now.date()
    start, end = config.first_day - timedelta(days=7), today - timedelta(days=today.weekday())
    inputs = week_inputs(cursor, site, start, end, now)
    span = {"site": site.name, "monday": start, "end": end}
    cursor.execute(sql.COUNTED_INPUTS, span)
    counted = dict(cursor.fetchall())
    cursor.execute(sql.EMPTIED_WEEKS, span)
    emptied = [week for (week,) in cursor.fetchall()]
    return sorted([week for week, digest in inputs.items() if counted.get(week) != digest] + emptied)


def week_inputs(cursor: Cursor, site: CountedSite, start: date, end: date, now: datetime) -> dict[date, str]:
    """A digest of what each week in [start, end) is to be counted from; weeks without a hit have none."""
    first_offset, last_offset = FILE_OFFSETS[site.covers]
    parameters = {
        "site": site.name,
        "policy": site.policy,
        "jitter": timedelta(seconds=JITTER_SECONDS),
        "monday": start,
        "end": end,
        "first_offset": first_offset,
        "last_offset": last_offset,
    }
    cursor.execute(sql.WEEK_INPUTS, parameters)
    return {
        week: f"{digest} {site.covers} {'over' if is_over(week, site.covers, now) else 'running'}"
        for week, digest in cursor.fetchall()
    }


def _counts(cursor: Cursor, config: CountmeConfig, slice_: _Slice, now: datetime) -> _Counts:
    tally = _tally(cursor, slice_)
    if slice_.site.policy == "strict":
        is_closed = is_over(slice_.week, slice_.site.covers, now)
        return _Counts(tally.countme_hits() | tally.addresses(), {}, is_closed)
    countme_is_closed, addresses_are_closed = _closed_passes(cursor, slice_)
    hits: dict[tuple[int, int], int] = {}
    positions: dict[tuple[int, int], int] = {}
    if countme_is_closed:
        hits |= tally.countme_hits()
        positions |= countme_positions(cursor, slice_.parameters, tally.first_hits())
    if addresses_are_closed:
        hits |= tally.addresses()
        if config.keep_addresses:
            positions |= address_positions(cursor, slice_.parameters, tally.first_days())
    return _Counts(hits, positions, countme_is_closed or addresses_are_closed)


def _closed_passes(cursor: Cursor, slice_: _Slice) -> tuple[bool, bool]:
    """The passes the established tool would have made over this week by now: each looks at its own kind of row."""
    cursor.execute(sql.IS_CLOSED, slice_.parameters)
    countme_is_closed, addresses_are_closed = one_row(cursor)
    return countme_is_closed and slice_.week >= FIRST_COUNTME_WEEK, addresses_are_closed


def _tally(cursor: Cursor, slice_: _Slice) -> WeekTally:
    """The week's hits, all that were loaded. A load may commit between two of our statements: then once more."""
    for _ in range(_TRIES):
        sources = _week_sources(cursor, slice_)
        _must_compare(slice_, sources)
        tally = _read_tally(cursor, slice_, [source.source_id for source in sources])
        loaded = sum(source.hits for source in sources)
        if tally.rows == loaded:
            return tally
        if sources == _week_sources(cursor, slice_):
            raise UncountableWeek(
                f"{slice_}: of {loaded} hits that were loaded {tally.rows} are"
                " in countme.raw_hits; if the rest was retired, the totals stay as they are; else materialize"
                " countme/raw_hits for the days of the week, then this week"
            )
    raise SourceAway(f"{slice_}: its days are being loaded; try again later")


def _week_sources(cursor: Cursor, slice_: _Slice) -> list[_WeekSource]:
    cursor.execute(sql.WEEK_SOURCES, slice_.parameters)
    return [_WeekSource(*row) for row in cursor.fetchall()]


def _must_compare(slice_: _Slice, sources: Sequence[_WeekSource]) -> None:
    newest = max((source.generation for source in sources), default=1)
    outdated = sorted({str(source.day) for source in sources if source.generation < newest})
    if outdated:
        raise UncountableWeek(
            f"{slice_}: a file was loaded anew after the week's key had been"
            f" destroyed, so the others' addresses do not compare to its; materialize countme/raw_hits for"
            f" {', '.join(outdated)} (countme_changed_days asks for them), then this week; until then the totals stay"
        )


def _read_tally(cursor: Cursor, slice_: _Slice, source_ids: list[int]) -> WeekTally:
    tally = WeekTally()
    parameters = {**slice_.parameters, "source_ids": source_ids}
    cursor.execute(sql.ONE_HASH_TABLE)
    cursor.execute(sql.WEEK_HITS, parameters)
    for row in cursor:
        tally.add(*row)
    cursor.execute(sql.WEEK_REPEATS, parameters)
    for row in cursor:
        tally.drop(*row)
    return tally


def _keep_week(
    cursor: Cursor,
    slice_: _Slice,
    found: Completeness,
    counts: _Counts,
    inputs: str,
) -> WeekReport:
    differ = _replace_totals(cursor, slice_, counts)
    hits = sum(count for (_, sys_age), count in counts.hits.items() if sys_age >= 0)
    status, missing = status_of(counts.is_closed, found.gaps), summary(found.gaps)
    state = {
        "policy": slice_.site.policy,
        "status": status,
        "coverage": found.coverage,
        "missing": missing,
        "inputs": inputs,
        "hits": hits,
        "differ": differ,
    }
    cursor.execute(sql.KEEP_WEEK, slice_.parameters | state)
    (revision,) = one_row(cursor)
    return WeekReport(slice_.site.name, slice_.week, len(counts.hits), hits, status, found.coverage, missing, revision)


def _replace_totals(cursor: Cursor, slice_: _Slice, counts: _Counts) -> bool:
    """Writes the totals unless they are there already; says whether they differ from those before."""
    columns = {
        "client_ids": [client_id for client_id, _ in counts.hits],
        "ages": [sys_age for _, sys_age in counts.hits],
        "hits": list(counts.hits.values()),
        "positions": [counts.positions.get(row) for row in counts.hits],
    }
    cursor.execute(sql.COUNTED_TOTALS, columns)
    cursor.execute(sql.TOTALS_DIFFER, slice_.parameters)
    (differ,) = one_row(cursor)
    if differ:
        cursor.execute(sql.DELETE_WEEK, slice_.parameters)
        cursor.execute(sql.ADD_WEEK, slice_.parameters)
    return differ
