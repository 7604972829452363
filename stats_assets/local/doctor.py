"""`./stats doctor`: looks at everything that has to be right, changes nothing, says what to do.

What is asked of the database is in `database_checks`, of a running Dagster in `running_checks`, of a room's sources in
`room_checks`, of what is installed in `installed`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stats_assets.backups.staging import abandoned_servers
from stats_assets.configuration import StatsConfig
from stats_assets.local import database_checks, running_checks
from stats_assets.local.collecting import CollectorAddress, address_in
from stats_assets.local.databases import using_databases
from stats_assets.local.findings import Finding, note, ok, wrong
from stats_assets.local.graphql import Graphql
from stats_assets.local.installed import packages
from stats_assets.local.migrating import check_configuration
from stats_assets.local.room_checks import ROOM_CHECKS
from stats_assets.local.run_record import read_record
from stats_assets.local.services import SANDBOX
from stats_assets.local.stack import is_free
from stats_assets.local.surroundings import config_variables, uses_sandbox
from stats_assets.shared.config import parse_config
from stats_assets.shared.environment import PROJECT_FOLDER, Environment
from stats_assets.shared.failures import OurMistake, SourceAway

_GB = 1 << 30
_LEAST_FREE_BYTES, _LITTLE_FREE_BYTES = 1 * _GB, 5 * _GB


def examine(environment: Environment, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    yield from packages(PROJECT_FOLDER / "requirements.lock")
    yield from _folders(environment)
    try:
        text = check_configuration(environment, config_variables(environment))
    except OurMistake as error:
        for line in str(error).splitlines():
            yield wrong(line)
        yield from _ports(environment, None)
        yield from _databases(environment, None)
        return
    yield ok(f"{environment.config_file} is right")
    variables = {**config_variables(environment), **environ}
    config = parse_config(text, StatsConfig, variables, str(environment.config_file))
    yield from _ports(environment, address_in(config, environment))
    yield from _archive(config.archive)
    yield from left_by_drills(Path(config.backups_config.staging))
    yield from _databases(environment, config)
    record = read_record(environment.home)
    if record is not None and record.living():
        yield from running_checks.dagster(Graphql(record.url), datetime.now(UTC))
    yield from _sources(environment, config, needs_sandbox=uses_sandbox(text))


def _folders(environment: Environment) -> Iterator[Finding]:
    place = next(path for path in (environment.home, *environment.home.parents) if path.exists())
    if not os.access(place, os.W_OK):
        yield wrong(f"{place} cannot be written to", "set STATS_HOME to a folder of yours")
    yield disk_space(place, shutil.disk_usage(place).free)


def _archive(url: str) -> Iterator[Finding]:
    """Where the archive is a folder: may we write there, and is there room."""
    if "://" in url and not url.startswith("file://"):
        return
    folder = Path(url.removeprefix("file://"))
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(place, os.W_OK):
        yield wrong(f"archive: {place} cannot be written to", "choose another folder, or let us write there")
    yield disk_space(place, shutil.disk_usage(place).free)


def disk_space(place: Path, free_bytes: int) -> Finding:
    """Less than 1 GB does not take a year of logs and their tables; under 5 GB is worth knowing."""
    told = f"{place}: {free_bytes / _GB:.1f} GB free"
    if free_bytes < _LEAST_FREE_BYTES:
        return wrong(told, "make room, or set STATS_HOME to another disk")
    return note(told, "little for years of logs") if free_bytes < _LITTLE_FREE_BYTES else ok(told)


def left_by_drills(staging: Path) -> Iterator[Finding]:
    """Database servers that go on though the drill or restore that started them was killed."""
    for server in abandoned_servers(staging):
        told = f"a killed drill or restore has left a database server in {staging}, process {server}"
        yield note(told, f"the next backup or drill ends it; now: kill -QUIT {server}")


def _ports(environment: Environment, collector: CollectorAddress | None) -> Iterator[Finding]:
    """Of a stack that does not run; None where no collector is to listen."""
    record = read_record(environment.home)
    if record is not None and record.living():
        yield ok(f"the stack is running, its UI at {record.url}")
        return
    own = () if collector is None else (collector.port,)
    for port in (environment.port, environment.sandbox_port, *own):
        if is_free(port):
            yield ok(f"port {port} is free")
        else:
            yield wrong(f"port {port} is taken by another program", f"choose another: STATS_PORT={port + 10}")


def _databases(environment: Environment, config: StatsConfig | None) -> Iterator[Finding]:
    try:
        with using_databases(environment) as databases:
            server = databases.private
            if server is not None:
                yield ok(f"private PostgreSQL {server.binaries.version}: {server.binaries.folder} on {server.data}")
            yield from database_checks.questions(databases.dsn, config)
    except (OurMistake, SourceAway) as error:
        yield wrong(str(error))


def _sources(environment: Environment, config: StatsConfig, needs_sandbox: bool) -> Iterator[Finding]:
    record = read_record(environment.home)
    if needs_sandbox and (record is None or SANDBOX not in record.living()):
        yield note("stats.yaml names sandbox sources, which are not running", "./stats up starts them")
        return
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for check in ROOM_CHECKS:
        yield from check(config, yesterday)
