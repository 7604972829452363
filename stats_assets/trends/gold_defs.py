"""Listing, aggregates, demos and leagues as Dagster definitions: the half of the room above the tables of games."""

from __future__ import annotations

from datetime import date

import dagster as dg

from stats_assets.trends.api_automation import build_fetch_automation, build_fetch_checks
from stats_assets.trends.gold_assets import build_aggregate_automation, build_aggregate_checks, build_aggregates
from stats_assets.trends.league_assets import build_league_assets, build_league_automation
from stats_assets.trends.sources_config import SourceOptions


def gold_definitions(options: SourceOptions, first_day: date, automation_is_running: bool) -> dg.Definitions:
    """`automation_is_running`: whether schedules and sensors run until an operator decides otherwise."""
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[*build_aggregates(), *build_league_assets(options)],
            asset_checks=[*build_fetch_checks(options), *build_aggregate_checks()],
        ),
        build_fetch_automation(options, first_day, automation_is_running),
        build_aggregate_automation(automation_is_running),
        build_league_automation(automation_is_running),
    )
