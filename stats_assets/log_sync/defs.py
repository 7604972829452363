"""The room as Dagster definitions; resources `database` and `archive` come from the front desk."""

from __future__ import annotations

from datetime import date

import dagster as dg

from stats_assets.log_sync.assets import build_files
from stats_assets.log_sync.automation import build_automation
from stats_assets.log_sync.combined_logs_asset import build_combined_logs
from stats_assets.log_sync.config import LogSyncConfig


def definitions(config: LogSyncConfig, first_day: date, automation_is_running: bool) -> dg.Definitions:
    """`first_day` is the first Dagster partition; `automation_is_running` holds until an operator decides otherwise."""
    return dg.Definitions.merge(
        dg.Definitions(assets=[build_files(config, first_day)]),
        build_automation(config, first_day, automation_is_running),
        build_combined_logs(config, first_day, automation_is_running),
    )
