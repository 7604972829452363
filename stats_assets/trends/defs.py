"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.trends.assets import FetchDay, build_logs
from stats_assets.trends.automation import build_automation
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.file_assets import build_imported_files, build_quarantine


def definitions(config: TrendsConfig, automation_is_running: bool, fetch_day: FetchDay | None = None) -> dg.Definitions:
    """`fetch_day` brings a day from the API. `automation_is_running`: until an operator decides otherwise."""
    return dg.Definitions.merge(
        dg.Definitions(assets=[build_logs(config, fetch_day), build_imported_files(config), build_quarantine()]),
        build_automation(config, automation_is_running),
    )
