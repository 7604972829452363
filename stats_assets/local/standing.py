"""The second half of `./stats status`: how the rooms stand, where there is a database to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import psycopg2
from rich.console import RenderableType
from rich.markup import escape

from stats_assets.configuration import StatsConfig
from stats_assets.local.databases import running_databases
from stats_assets.local.overview import read_overview
from stats_assets.local.overview_tables import rendered
from stats_assets.local.surroundings import config_variables
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import OurMistake, SourceAway, first_line


def standing(environment: Environment, environ: Mapping[str, str]) -> Iterator[RenderableType]:
    """Tables and lines; one line when the database does not run or cannot be read. Starts nothing."""
    try:
        config = read_config(environment.config_file, StatsConfig, {**config_variables(environment), **environ})
        databases = running_databases(environment)
        yield from rendered(read_overview(environment, databases, config.archive), datetime.now(UTC))
    except SourceAway as error:
        yield escape(str(error))
    except (psycopg2.Error, OurMistake) as error:
        yield escape(f"how the rooms stand cannot be read: {first_line(error)}; ./stats doctor says more")
