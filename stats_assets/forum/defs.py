"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.forum.assets import build_assets
from stats_assets.forum.automation import build_automation
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.count_assets import build_count_assets


def definitions(config: ForumConfig, automation_is_running: bool) -> dg.Definitions:
    """Nothing when stats.yaml names no forum. `automation_is_running` holds until an operator decides otherwise."""
    if not config.base_url:
        return dg.Definitions()
    return dg.Definitions.merge(
        dg.Definitions(assets=[*build_assets(config), *build_count_assets(config)]),
        build_automation(config, automation_is_running),
    )
