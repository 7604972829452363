"""The collector of events as a part of the stack: whether there is one, and where it listens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stats_assets.local.surroundings import config_variables
from stats_assets.shared.environment import Environment

if TYPE_CHECKING:  # takes a second to import
    from stats_assets.configuration import StatsConfig


@dataclass(frozen=True)
class CollectorAddress:
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/apps/APP/events"

    @property
    def url_from_here(self) -> str:
        """Its root as programs on this machine reach it, also where it listens on every address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - named, not listened on
        return f"http://{host}:{self.port}"


def collector_address(environment: Environment) -> CollectorAddress | None:
    """Where events are posted to; None when stats.yaml has no section for them. Raises ConfigurationMistake."""
    from stats_assets.configuration import StatsConfig
    from stats_assets.shared.config import read_config

    variables = {**config_variables(environment), **os.environ}
    return address_in(read_config(environment.config_file, StatsConfig, variables), environment)


def address_in(config: StatsConfig, environment: Environment) -> CollectorAddress | None:
    """The same of a configuration that has been read."""
    events = config.events
    return None if events is None else CollectorAddress(events.host, events.port_or(environment.collector_port))
