"""`./stats watch`: the watcher with this installation's database, instance and services, once or for ever.

It starts nothing: that the database does not run is one of the things it has to tell.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import psycopg2

from stats_assets.configuration import StatsConfig
from stats_assets.local.databases import running_databases
from stats_assets.local.migrating import become
from stats_assets.local.surroundings import config_variables, environ_for, prepare_folders
from stats_assets.notifications.channels import send
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.notifications.database_away import DatabaseAway
from stats_assets.notifications.message import Links
from stats_assets.notifications.watch import Watcher
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase


def watch(environment: Environment, environ: MutableMapping[str, str], once: bool, say: Callable[[str], None]) -> bool:
    """Looks once, or until a signal ends it; whether the database answered the last time.

    Raises ConfigurationMistake, as for tables that are not migrated.
    """
    config = read_config(environment.config_file, StatsConfig, {**config_variables(environment), **environ})
    post = _Post(environment, config, say)
    if once:
        return post.look(datetime.now(UTC))
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    is_well = True
    while not ending.is_set():
        is_well = post.look(datetime.now(UTC))
        ending.wait(config.notifications.look_seconds)
    return is_well


@dataclass
class _Post:
    """Where the watcher stands: connects when it can, and keeps account of a database that is away."""

    environment: Environment
    stats: StatsConfig
    say: Callable[[str], None]
    _watcher: Watcher | None = None

    @property
    def config(self) -> NotificationsConfig:
        return self.stats.notifications

    def look(self, now: datetime) -> bool:
        from dagster_postgres.utils import DagsterPostgresException
        from sqlalchemy.exc import DBAPIError

        try:
            self._watcher = self._watcher or self._begin()
            self._watcher.look(now)
        except (
            *(SourceAway, DBAPIError, DagsterPostgresException),
            *(psycopg2.OperationalError, psycopg2.InterfaceError),
        ) as error:
            why = first_line(error.orig if isinstance(error, DBAPIError) else error)
            self.say(f"the database is away: {why}")
            self._away.seen(why, now)
            return False
        self._away.is_back(now)
        if self.config.alive_url is not None:
            with suppress(httpx.HTTPError):  # whoever waits there notices by itself
                httpx.get(self.config.alive_url, timeout=10)
        return True

    def _begin(self) -> Watcher:
        import dagster as dg  # takes a second

        from stats_assets.local.probes import probes_of

        databases = running_databases(self.environment)
        database = StatsDatabase(databases.dsn)
        with database.session():  # Dagster would try for half a minute before it says that nobody answers
            pass
        prepare_folders(self.environment)
        become(environ_for(self.environment, databases, os.environ))
        instance = dg.DagsterInstance.get()
        probes = tuple(probes_of(self.config, instance, self.environment.ui_url))
        return Watcher(self.config, database, instance, self._links, probes, say=self.say)

    @property
    def _links(self) -> Links:
        return Links(self.config.ui_url or self.environment.ui_url, self.stats.docs_url)

    @property
    def _away(self) -> DatabaseAway:
        after = timedelta(seconds=self.config.silent_after_seconds)
        file = self.environment.home / "database-away.json"
        return DatabaseAway(file, self.config.channels, self._links, after, send, self.say)
