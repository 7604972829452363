"""Raw logs and every table made from them: one step, one Dagster partition per UTC day of upload.

One step, because rows and bytes of a log are committed together. What is selected says what is done: with
`raw_logs` the day is fetched from the API, if there is one; without, the rows are made anew from the bytes we have.
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as an object, not as a text.
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from datetime import date, timedelta
from typing import Any

import dagster as dg

from stats_assets.shared.failures import SourceAway
from stats_assets.shared.partitions import daily_with_today
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, told_to_dagster
from stats_assets.trends.checks import GAMES, RAW_LOGS, SPECS, evaluated
from stats_assets.trends.columns import RAW_LOGS_SCHEMA, SILVER_SCHEMAS
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.load import Importer
from stats_assets.trends.redrive import rederive
from stats_assets.trends.reports import block_report, charts, raw_days, row_counts
from stats_assets.trends.tables import SILVER

GROUP = "trends"
CODE_VERSION = "1"
OWNERS = ["team:stats"]
TABLES = [dg.AssetKey([GROUP, table.name]) for table in SILVER]
_DAYS_PER_RUN = 92
# Runs that may ask the site at the same time: see docs/trends.md.
SITE_POOL = "trends_site"

# Fetches and imports what a source has of a day; gives what it wants told of it. Raises SourceAway.
FetchDay = Callable[[StatsDatabase, date], Mapping[str, Any]]
Events = Iterator[dg.AssetMaterialization | dg.MaterializeResult]

_DESCRIPTIONS = {
    "games": "Game logs, one row each: when, where, how long, by whom, which format, whose duplicate.",
    "rounds": "Rounds with a length: winner, score, kills, damage and ubers of both teams.",
    "player_stats": "What each player did in a game.",
    "player_stats_extra": "Less usual numbers of each player, where the log has any.",
    "class_stats": "What each player did as each class.",
    "weapon_stats": "What each player did as each class with each weapon.",
    "heal_stats": "Who healed whom.",
    "medic_stats": "Ubers and their circumstances, for players who were medic.",
    "event_stats": "Kills, deaths and assists by the other player's class.",
    "killstreaks": "Kill streaks.",
    "chat": "What was said.",
}


def build_logs(config: TrendsConfig, fetch_day: FetchDay | None) -> dg.AssetsDefinition:
    """The assets trends/raw_logs, trends/games and the tables beside it; `fetch_day` is the API, if there is one."""

    @dg.multi_asset(
        name="trends_logs",
        group_name=GROUP,
        specs=[_raw_spec(), *(_spec(table.name) for table in SILVER)],
        partitions_def=daily_with_today(config.first_day),
        check_specs=SPECS,
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=_DAYS_PER_RUN),
        retry_policy=DATABASE_RETRY,
        pool=SITE_POOL,
    )
    def trends_logs(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        selected = context.selected_asset_keys
        work = _Days(config, database, fetch_day if RAW_LOGS in selected else None, RAW_LOGS in selected)
        with told_to_dagster():
            for day in days:
                context.log.info("%s: %s", day, work.make(day))
            metadata = day_metadata(database, work.done, work.told)
        if work.failed:
            yield from done_days(metadata, selected)
            raise _incomplete(work.failed, len(days))
        for key in selected:
            for day, told in metadata[key].items():
                context.add_asset_metadata(told, asset_key=key, partition_key=str(day))
        wanted = {check.name for check in context.selected_asset_check_keys}
        checks = list(evaluated(database, config, days, wanted))
        for key in _upstream_first(selected):
            own = [check for check in checks if check.asset_key == key]
            yield dg.MaterializeResult(asset_key=key, metadata=_of_all_days(key, database, config), check_results=own)

    return trends_logs


def _raw_spec() -> dg.AssetSpec:
    return dg.AssetSpec(
        RAW_LOGS,
        description="Game logs exactly as they came, compressed, with where and when they came from.",
        owners=OWNERS,
        kinds={"json", "postgres"},
        tags={"layer": "raw"},
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": RAW_LOGS_SCHEMA, "dagster/table_name": "trends.raw_logs"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=48), warn_window=timedelta(hours=30)
        ),
    )


def _spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        [GROUP, table],
        deps=[RAW_LOGS],
        description=_DESCRIPTIONS[table],
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "clean"},
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": SILVER_SCHEMAS[table], "dagster/table_name": f"trends.{table}"},
    )


class _Days:
    """Makes days one after the other; a day whose source is away does not stop the others."""

    def __init__(
        self, config: TrendsConfig, database: StatsDatabase, fetch_day: FetchDay | None, is_raw_selected: bool
    ) -> None:
        self._database = database
        self._fetch_day = fetch_day
        self._rederives = not is_raw_selected
        self._importer = Importer(database)
        self.done: list[date] = []
        self.told: dict[date, Mapping[str, Any]] = {}
        self.failed: dict[date, str] = {}

    def make(self, day: date) -> str:
        started = time.monotonic()
        try:
            found = self._made(day)
        except SourceAway as error:
            self.failed[day] = str(error)
            return str(error)
        self.done.append(day)
        self.told[day] = {**found, "seconds": round(time.monotonic() - started, 3)}
        return ", ".join(f"{value} {name}" for name, value in self.told[day].items())

    def _made(self, day: date) -> Mapping[str, Any]:
        if self._fetch_day:
            return self._fetch_day(self._database, day)
        if self._rederives:
            report = rederive(self._database, self._importer, day)
            return {"parsed": report.parsed, "quarantined": report.quarantined, "rows": report.rows}
        return {}  # files bring the logs; what has come is told


def day_metadata(
    database: StatsDatabase, days: list[date], told: Mapping[date, Mapping[str, Any]]
) -> dict[dg.AssetKey, dict[date, dict[str, Any]]]:
    """Numbers of the days by asset, as the tables have them now; `told` goes with all."""
    if not days:
        return {key: {} for key in (RAW_LOGS, *TABLES)}
    with database.transaction() as cursor:
        raw, rows = raw_days(cursor, days), row_counts(cursor, days)
    found = {RAW_LOGS: {day: {**(raw[day].metadata if day in raw else {"logs": 0}), **told[day]} for day in days}}
    for key, table in zip(TABLES, SILVER, strict=True):
        found[key] = {day: {"dagster/partition_row_count": rows[table.name].get(day, 0), **told[day]} for day in days}
    return found


def done_days(
    metadata: Mapping[dg.AssetKey, Mapping[date, Mapping[str, Any]]], selected: Set[dg.AssetKey]
) -> Iterator[dg.AssetMaterialization]:
    """Events for days whose rows are there."""
    for key in _upstream_first(selected):
        by_key = {str(day): told for day, told in metadata[key].items()}
        yield from done_partitions(key, CODE_VERSION, by_key)


def _upstream_first(selected: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    """As Dagster wants the results of one step: an asset before those made of it."""
    return sorted(selected, key=lambda key: (key != RAW_LOGS, key))


def _of_all_days(key: dg.AssetKey, database: StatsDatabase, config: TrendsConfig) -> dict[str, Any]:
    if key == RAW_LOGS:
        return {"blocks": dg.MetadataValue.md(block_report(database))}
    if key == GAMES:
        return {"charts": dg.MetadataValue.md(charts(database, config.check_days))}
    return {}


def _incomplete(failed: Mapping[date, str], days: int) -> dg.Failure:
    first = next(iter(failed))
    return dg.Failure(
        description=f"{len(failed)} of {days} days incomplete: {first}: {failed[first]}; rerun the days named",
        metadata={"incomplete_days": {str(day): why for day, why in failed.items()}},
        allow_retries=False,  # the source was asked several times; the others are done
    )
