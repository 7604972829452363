"""Both schemas brought to what this code needs: the rooms' by `migrations`, Dagster's by Dagster itself."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import ConfigurationMistake, OurMistake, SourceAway, first_line

_LOCK_SECONDS = 10  # for a lock that is not to be had; the asset events/schema tries again

if TYPE_CHECKING:
    from dagster import DagsterInstance


def migrate_stats(dsn: str) -> str:
    """What was done, as a line. Raises OurMistake, one line, when a statement fails; then nothing was changed."""
    from sqlalchemy.exc import DBAPIError

    from stats_assets.migrations import migrate

    try:
        before, after = migrate(dsn)
    except DBAPIError as error:
        raise OurMistake(
            f"migrating the tables failed and changed nothing: {first_line(error.orig)};"
            " ./stats doctor checks the rights"
        ) from error
    if before == after:
        return f"tables are at revision {after}"
    return f"tables migrated from {'nothing' if before is None else f'revision {before}'} to revision {after}"


def follow_schema_file(environment: Environment, dsn: str) -> str | None:
    """Lets the typed tables of events follow their schema file, when there is one; what was done, as a line.

    What is refused is told, and stops nothing here: the asset events/schema fails for it. Variables that the
    configuration refers to are in the environment. Raises ConfigurationMistake.
    """
    from stats_assets.configuration import StatsConfig
    from stats_assets.events.declared import declared_schema
    from stats_assets.events.evolve import evolve
    from stats_assets.shared.config import read_config
    from stats_assets.shared.postgres import StatsDatabase

    events = read_config(environment.config_file, StatsConfig, os.environ).events
    if events is None:
        return None
    evolution = evolve(StatsDatabase(dsn), declared_schema(events), budget_seconds=_LOCK_SECONDS)
    left = [*evolution.deferred, *map(str, evolution.left.refusals)]
    told = f"typed tables of events: {len(evolution.statements)} statements"
    return "\n".join([told if evolution.statements else "typed tables of events are as the schema file says", *left])


def migrate_dagster() -> None:
    """Makes or upgrades the tables of the instance in DAGSTER_HOME. Raises SourceAway, ConfigurationMistake."""
    import dagster as dg
    from sqlalchemy.exc import DBAPIError

    # Under `up` the code server may be making the same tables: Dagster then warns on the terminal and tries again.
    logging.disable(logging.WARNING)
    try:
        with dg.DagsterInstance.get() as instance:  # makes the tables where there are none
            if not _is_current(instance):
                instance.upgrade()
    except DBAPIError as error:
        raise SourceAway(
            f"Dagster's tables (STATS_DAGSTER_DSN) cannot be made ready: {first_line(error.orig)}"
        ) from error
    finally:
        logging.disable(logging.NOTSET)


def _is_current(instance: DagsterInstance) -> bool:
    """False when one of the storages was made by an older Dagster. Raises ConfigurationMistake for a newer one."""
    from alembic.util import CommandError

    try:
        versions = [instance.run_storage.alembic_version(), instance.event_log_storage.alembic_version()]
    except CommandError as error:
        raise ConfigurationMistake(f"Dagster's database was made by a newer Dagster: {error}") from error
    return all(version is None or version[0] == version[1] for version in versions)


def become(environ: dict[str, str]) -> None:
    """This process reads the same variables as the processes it starts."""
    os.environ.update(environ)


def check_configuration(environment: Environment, variables: dict[str, str]) -> str:
    """The text of stats.yaml, which was found to be right. Raises ConfigurationMistake, one line per problem."""
    from stats_assets.configuration import StatsConfig
    from stats_assets.shared.config import read_config

    read_config(environment.config_file, StatsConfig, {**variables, **os.environ})
    return environment.config_file.read_text(encoding="utf-8")
