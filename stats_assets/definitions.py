"""The front desk: the rooms and the resources they share, nothing else.

Everything here is built from stats.yaml and the STATS_* environment when the code location loads; a mistake
in either stops the loading with one line per problem.
"""

from __future__ import annotations

import os

import dagster as dg

from stats_assets.backups import defs as backups
from stats_assets.configuration import StatsConfig
from stats_assets.countme import defs as countme
from stats_assets.crashes import defs as crashes
from stats_assets.events import defs as events
from stats_assets.forum import defs as forum
from stats_assets.labels import labelled
from stats_assets.log_sync import defs as log_sync
from stats_assets.room_policies import room_policies
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import read_environment
from stats_assets.shared.resources import ArchiveResource, DatabaseResource
from stats_assets.table_partitions import defs as table_partitions
from stats_assets.trends import defs as trends
from stats_assets.upkeep import defs as upkeep


@dg.definitions
def stats_assets() -> dg.Definitions:
    environment = read_environment(os.environ)
    config = read_config(environment.config_file, StatsConfig, os.environ)
    automation_is_running = os.environ.get("STATS_AUTOMATION", "stopped") == "running"
    resources = {
        # Given by name, so that the connection string stays out of everything Dagster stores or shows.
        "database": DatabaseResource(dsn=dg.EnvVar("STATS_DSN")),
        "archive": ArchiveResource(url=config.archive),
    }
    rooms = dg.Definitions.merge(
        dg.Definitions(resources=resources, executor=dg.in_process_executor),
        backups.definitions(config.backups_config, config.backups_url, environment.pg_bin, automation_is_running),
        log_sync.definitions(config.log_sync, config.first_day, automation_is_running),
        countme.definitions(config.countme, automation_is_running),
        crashes.definitions(config.crashes, automation_is_running),
        events.definitions(config.events, automation_is_running),
        forum.definitions(config.forum, automation_is_running),
        table_partitions.definitions(config.table_partitions, room_policies(config), automation_is_running),
        trends.definitions(config.trends, automation_is_running),
        upkeep.definitions(config.upkeep, automation_is_running),
    )
    return labelled(rooms, config.docs_url)
