"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.upkeep.assets import build_assets
from stats_assets.upkeep.automation import build_automation
from stats_assets.upkeep.config import UpkeepConfig


def definitions(config: UpkeepConfig, automation_is_running: bool) -> dg.Definitions:
    """`automation_is_running` holds until an operator decides otherwise."""
    return dg.Definitions.merge(dg.Definitions(assets=build_assets(config)), build_automation(automation_is_running))
