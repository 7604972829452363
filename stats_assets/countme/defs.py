"""The room as Dagster definitions; resources `database` and `archive` come from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.countme.assets import build_assets
from stats_assets.countme.automation import build_automation
from stats_assets.countme.checks import build_checks
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.published_automation import build_published
from stats_assets.countme.retention_assets import build_retention
from stats_assets.countme.unique_hosts_asset import build_unique_hosts


def definitions(config: CountmeConfig, automation_is_running: bool) -> dg.Definitions:
    """`automation_is_running`: whether schedules and sensors run until an operator decides otherwise."""
    return dg.Definitions.merge(
        dg.Definitions(assets=build_assets(config), asset_checks=build_checks(config)),
        build_automation(config, automation_is_running),
        build_unique_hosts(config, automation_is_running),
        build_published(config, automation_is_running),
        build_retention(config, automation_is_running),
    )
