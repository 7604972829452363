"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from stats_assets.backups.assets import build_assets
from stats_assets.backups.automation import build_automation
from stats_assets.backups.checks import build_checks
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.shelf import Shelf
from stats_assets.shared.archive import Archive


def definitions(config: BackupsConfig, url: str, pg_bin: Path | None, automation_is_running: bool) -> dg.Definitions:
    """`url` is where backups are kept; `automation_is_running` holds until an operator decides otherwise."""
    shelf = Shelf(Archive(url))
    checks = build_checks(config, shelf)
    return dg.Definitions.merge(
        dg.Definitions(assets=build_assets(config, shelf, pg_bin), asset_checks=checks),
        build_automation(config, checks, automation_is_running),
    )
