"""Demos, league matches and names of weapons as assets, the links of logs to them, their job and schedule."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster
from stats_assets.trends.api_client import Site
from stats_assets.trends.league_columns import SCHEMAS
from stats_assets.trends.league_import import Answers, Brought, FolderOfAnswers, LeagueImporter
from stats_assets.trends.sources_config import SourceOptions
from stats_assets.trends.weapons import name_weapons

LEAGUES_JOB = "trends_leagues"
SCHEDULE = "trends_leagues_hourly"

_CODE_VERSION = "1"
_SHOWN = 10

Bring = Callable[[LeagueImporter, Answers, datetime | None], Brought]


class BringConfig(dg.Config):
    """How far back a run goes, and where the answers are."""

    since_days: int | None = Field(
        default=None, ge=0, description="days back; when absent from six hours before the newest we have"
    )
    folder: str | None = Field(
        default=None, description="a folder of the site's answers, to be read in place of the site"
    )


class LinkConfig(dg.Config):
    """Which logs are looked at."""

    since_days: int = Field(default=8, ge=0, description="upload days back; links that are there stay as they are")


def build_league_assets(options: SourceOptions) -> list[dg.AssetsDefinition]:
    return [
        _brought("demos", "Demos of the demo site.", {"demos": options.demos_url}, options),
        _brought(
            "league_matches",
            "Matches of the leagues, with their teams and rosters.",
            {"etf2l": options.etf2l_url, "rgl": options.rgl_url},
            options,
        ),
        _linked("demo_links", "The demo of each log that has one.", "demos"),
        _linked("match_links", "The league match of each log that is of one.", "league_matches"),
        _named(options),
    ]


def build_league_automation(is_running: bool) -> dg.Definitions:
    keys = [_key(name) for name in ("demos", "league_matches", "demo_links", "match_links", "weapons")]
    job = dg.define_asset_job(
        LEAGUES_JOB,
        selection=dg.AssetSelection.assets(*keys),
        description="Fetch new demos and matches, link logs to them, name new weapons.",
    )
    schedule = dg.ScheduleDefinition(
        name=SCHEDULE,
        job=job,
        cron_schedule="7 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Every hour: matches get results and demos come after their logs.",
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])


_BRINGERS: dict[str, Bring] = {
    "demos": LeagueImporter.bring_demos,
    "etf2l": LeagueImporter.bring_etf2l,
    "rgl": LeagueImporter.bring_rgl,
}


def _brought(table: str, description: str, urls: dict[str, str | None], options: SourceOptions) -> dg.AssetsDefinition:
    @_asset(table, description, (), {"python", "postgres"}, "raw")
    def bring(
        context: dg.AssetExecutionContext, config: BringConfig, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        importer, told = LeagueImporter(database), dict[str, Any]()
        since = datetime.now(UTC) - timedelta(days=config.since_days) if config.since_days is not None else None
        with told_to_dagster():
            for name, url in urls.items():
                if config.folder:
                    brought = _BRINGERS[name](importer, FolderOfAnswers(Path(config.folder) / name), since)
                elif url:
                    with closing(Site(url, options.patience)) as site:
                        brought = _BRINGERS[name](importer, site, since)
                else:
                    context.log.info("trends.%s_url is not set: nothing to ask", name)
                    continue
                context.log.info("%s: %d found, %d new", name, brought.found, brought.new)
                told |= _numbers(name, brought)
        return dg.MaterializeResult(metadata=told)

    return bring


def _linked(table: str, description: str, upstream: str) -> dg.AssetsDefinition:
    @_asset(table, description, (_key("games"), _key("player_stats"), _key(upstream)), {"postgres"}, "clean")
    def link(config: LinkConfig, database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        importer = LeagueImporter(database)
        since = datetime.now(UTC).date() - timedelta(days=config.since_days)
        with told_to_dagster():
            linked = importer.link_demos(since) if table == "demo_links" else importer.link_matches(since)
        return dg.MaterializeResult(metadata={"newly_linked": linked, "since": str(since)})

    return link


def _named(options: SourceOptions) -> dg.AssetsDefinition:
    description = "Every weapon the logs name, with its name for people."

    @_asset("weapons", description, (_key("weapon_stats"),), {"postgres"}, "state")
    def name(database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        with told_to_dagster():
            done = name_weapons(database, options.items_game)
        return dg.MaterializeResult(
            metadata={"newly_named": done.named, "without_name": len(done.unnamed), "examples": done.unnamed[:_SHOWN]}
        )

    return name


def _asset(
    table: str, description: str, deps: tuple[dg.AssetKey, ...], kinds: set[str], layer: str
) -> Callable[..., dg.AssetsDefinition]:
    return dg.asset(
        key=_key(table),
        group_name="trends",
        owners=["team:stats"],
        kinds=kinds,
        tags={"layer": layer},
        description=description,
        deps=list(deps),
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
        metadata={"dagster/column_schema": SCHEMAS[table], "dagster/table_name": f"trends.{table}"},
    )


def _key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["trends", table])


def _numbers(name: str, brought: Brought) -> dict[str, Any]:
    return {
        f"{name}_found": brought.found,
        f"{name}_new": brought.new,
        f"{name}_left_out": brought.unreadable.total(),
        f"{name}_left_out_reasons": dict(brought.unreadable.most_common(_SHOWN)),
    }
