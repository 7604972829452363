"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.trends.api_automation import fetch_day_from
from stats_assets.trends.assets import FetchDay, build_logs
from stats_assets.trends.automation import build_automation
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.file_assets import build_imported_files, build_quarantine
from stats_assets.trends.gold_defs import gold_definitions


def definitions(config: TrendsConfig, automation_is_running: bool, fetch_day: FetchDay | None = None) -> dg.Definitions:
    """`fetch_day` brings a day; the API where none is given. `automation_is_running`: until an operator decides."""
    fetch_day = fetch_day or fetch_day_from(config)
    return dg.Definitions.merge(
        dg.Definitions(assets=[build_logs(config, fetch_day), build_imported_files(config), build_quarantine()]),
        build_automation(config, automation_is_running),
        gold_definitions(config, config.first_day, automation_is_running),
    )
