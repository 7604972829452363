"""The room as Dagster definitions; the resource `database` comes from the front desk."""

from __future__ import annotations

import dagster as dg

from stats_assets.events.assets import build_assets
from stats_assets.events.automation import build_automation
from stats_assets.events.config import EventsConfig
from stats_assets.events.declared import declared_schema


def definitions(config: EventsConfig | None, automation_is_running: bool) -> dg.Definitions:
    """`automation_is_running` holds until an operator decides otherwise. Without the section the room is empty.

    Raises ConfigurationMistake for a schema file that is wrong.
    """
    if config is None:
        return dg.Definitions()
    schema = declared_schema(config)
    return dg.Definitions.merge(
        dg.Definitions(assets=build_assets(config, schema)),
        build_automation(config, schema, automation_is_running),
    )
