"""The room as Dagster definitions; resources `database` and `archive` come from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.crashes.assets import build_assets
from stats_assets.crashes.automation import build_automation
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.publishing import build_publishing


def definitions(config: CrashesConfig, automation_is_running: bool) -> dg.Definitions:
    """`automation_is_running` holds until an operator decides otherwise. Without feeds the room is empty."""
    if not config.is_configured:
        return dg.Definitions()
    return dg.Definitions.merge(
        dg.Definitions(assets=[*build_assets(config), *build_publishing()]),
        build_automation(config, automation_is_running),
    )
