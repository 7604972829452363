"""The collector as the service of a stack: `python -m stats_assets.events`. For people: `./stats collector`."""

from __future__ import annotations

import os
import sys

from stats_assets.configuration import StatsConfig
from stats_assets.events.serve import serve
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import read_environment
from stats_assets.shared.failures import ConfigurationMistake


def main() -> None:
    """Reads the STATS_* environment, as every process of the stack. Exit code 2 with a line per mistake."""
    try:
        environment = read_environment(os.environ)
        config = read_config(environment.config_file, StatsConfig, os.environ)
        if config.events is None:
            raise ConfigurationMistake(f"{environment.config_file} has no section events: nothing is to be received")
        if environment.dsn is None:
            raise ConfigurationMistake("STATS_DSN is not set; ./stats collector sets it to the private PostgreSQL")
        serve(config.events, environment.dsn, environment.collector_port)
    except ConfigurationMistake as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
