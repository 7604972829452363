"""The stack of `./stats up`: PostgreSQL, sandbox, code server, webserver, daemon; brought up, kept, taken down.

Decisions about single parts are elsewhere: commands in `services`, variables in `surroundings`, processes of the
operating system in `processes`, the database server in `private_postgres`.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from stats_assets.local import processes
from stats_assets.local.collecting import CollectorAddress, collector_address
from stats_assets.local.databases import open_databases, private_server
from stats_assets.local.graphql import Graphql, Refused
from stats_assets.local.migrating import become, check_configuration, follow_schema_file, migrate_dagster, migrate_stats
from stats_assets.local.probes import location_states
from stats_assets.local.processes import Process
from stats_assets.local.run_record import RunRecord, forget_record, read_record, write_record
from stats_assets.local.services import (
    CODE_SERVER,
    COLLECTOR,
    DAEMON,
    SANDBOX,
    STOPPING_ORDER,
    WATCHER,
    WEBSERVER,
    Service,
    services_of,
)
from stats_assets.local.surroundings import (
    code_socket,
    config_variables,
    environ_for,
    prepare_folders,
    uses_sandbox,
)
from stats_assets.shared.environment import PROJECT_FOLDER, Environment
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

START_TIMEOUT_SECONDS = 180
GRACE_SECONDS = 15
# A service that dies again so soon after it was started again has a reason that a third start would not change.
_CRASH_LOOP_SECONDS = 60

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_RELOAD = "mutation { reloadWorkspace { __typename } }"


@dataclass
class Stack:
    """One installation's stack. `say` gets a line per step."""

    environment: Environment
    say: Callable[[str], None]
    _started_now: dict[str, Process] = field(default_factory=dict)
    _started_postgres: bool = False
    _collector: CollectorAddress | None = None

    @property
    def home(self) -> Path:
        return self.environment.home

    def running_at(self) -> str | None:
        """The URL of a stack all of whose services live; None when there is none or only a part of one."""
        record = read_record(self.home)
        return record.url if record is not None and self._is_complete(record) else None

    def needs_nobody(self) -> bool:
        """False for a complete stack that was in the foreground of an `up` which is gone: somebody should keep it."""
        record = read_record(self.home)
        return record is None or record.keeper is None or record.is_kept()

    def describe(self) -> tuple[list[str], bool]:
        """A line per part of the stack, and whether all of it runs."""
        record = read_record(self.home)
        server = private_server(self.environment)
        lines = [f"private PostgreSQL: {'runs' if server.is_running() else 'stopped'}"] if server else []
        if record is None:
            return [*lines, "Dagster: stopped; ./stats up starts it"], False
        living = record.living()
        lines += [
            f"{name}: {f'runs (process {living[name].pid})' if name in living else 'dead'}" for name in record.services
        ]
        if not self._is_complete(record):
            return [*lines, "not complete; ./stats up starts what is missing, ./stats down stops the rest"], False
        if COLLECTOR in record.services and (collector := collector_address(self.environment)):
            lines.append(f"events are posted to {collector.url}")
        return [*lines, f"UI: {record.url}"], server is None or server.is_running()

    def _is_complete(self, record: RunRecord) -> bool:
        return WEBSERVER in record.services and set(record.living()) == set(record.services)

    def bring_up(self, with_sandbox: bool, is_kept: bool) -> RunRecord:
        """Starts what is not running yet; the UI answers and has loaded every asset when this returns.

        Raises ConfigurationMistake or SourceAway and leaves nothing running that it started.
        """
        with self._alone():
            try:
                return self._bring_up(with_sandbox, is_kept)
            except BaseException:
                self._undo()
                raise

    def take_down(self) -> bool:
        """Stops every process of the stack, the database server last; False when there was nothing to stop."""
        record = read_record(self.home)
        forget_record(self.home)  # first: who keeps the stack sees by this that its end is meant
        left = {} if record is None else {name: p for name, p in record.services.items() if processes.group_of(p)}
        for name in sorted(left, key=_stopping_order):
            processes.stop_group(left[name], GRACE_SECONDS)
        server = private_server(self.environment)
        has_stopped_server = server.stop() if server is not None else False
        return bool(left) or has_stopped_server

    def keep(self) -> None:
        """Watches until another process has taken the stack down, or an exception ends it; starts again what died.

        Raises SourceAway when a service dies twice within a minute.
        """
        died_at: dict[str, float] = {}
        lost_before: datetime | None = None  # runs from before are without a worker and are not reported yet
        while (record := read_record(self.home)) is not None:
            self._revive_postgres()
            # One at a time: the record of the next round knows what this one has started.
            for name in sorted(set(record.services) - set(record.living()))[:1]:
                if time.monotonic() - died_at.get(name, -_CRASH_LOOP_SECONDS) < _CRASH_LOOP_SECONDS:
                    raise SourceAway(f"{name} died again.\n{self._last_words(name)}")
                died_at[name] = time.monotonic()
                self.say(f"{name} died and is started again.\n{self._last_words(name)}")
                lost_before = datetime.now(UTC) if name == CODE_SERVER else lost_before
                self._revive(record, name)
            if lost_before is not None and self._could_fail_abandoned_runs(lost_before):
                lost_before = None
            time.sleep(1)

    def _bring_up(self, with_sandbox: bool, is_kept: bool) -> RunRecord:
        found = read_record(self.home)
        living = found.living() if found else {}
        if found and living and found.url != self.environment.ui_url:
            raise ConfigurationMistake(f"a part of the stack still runs at {found.url}; end it first: ./stats down")
        text = check_configuration(self.environment, config_variables(self.environment))
        collector = self._collector = collector_address(self.environment)
        services = services_of(self.environment, with_sandbox and uses_sandbox(text), collector)
        self._check_ports(living, services, collector)
        environ = self._open_databases()
        record = RunRecord(self.environment.ui_url, living, processes.ourselves() if is_kept else None)
        self._clear_remains(found, living)
        write_record(self.home, record)
        began = datetime.now(UTC)
        for name in (SANDBOX, CODE_SERVER):
            record = self._start(record, services, name, environ)
        self.say(migrate_stats(environ["STATS_DSN"]))
        if told := follow_schema_file(self.environment, environ["STATS_DSN"]):
            self.say(told)
        record = self._start(record, services, COLLECTOR, environ)
        migrate_dagster()
        if CODE_SERVER in self._started_now:
            self._fail_abandoned_runs(began)
        record = self._start(record, services, WEBSERVER, environ)
        self._wait_for("the code server", lambda: _accepts(code_socket(self.environment)))
        record = self._start(record, services, DAEMON, environ)
        if collector is not None:
            self._wait_for("the collector", lambda: not is_free(collector.port))
        self._wait_for("the UI", self._has_loaded)
        # Last: what is still starting would only be noted as silent.
        return self._start(record, services, WATCHER, environ)

    def _open_databases(self) -> Mapping[str, str]:
        server = private_server(self.environment)
        self._started_postgres = server is not None and not server.is_running()
        databases = open_databases(self.environment)
        if databases.private is not None:
            version = databases.private.binaries.version
            self.say(f"private PostgreSQL {version} in {databases.private.data}")
            for old in databases.private.older_data():
                self.say(f"note: {old} was made by another PostgreSQL version; it is left alone and not read")
        prepare_folders(self.environment)
        environ = environ_for(self.environment, databases, os.environ)
        # Schedules and sensors work when a whole stack runs; a code location loaded by hand keeps still.
        environ["STATS_AUTOMATION"] = "running"
        become(environ)
        return environ

    def _start(
        self, record: RunRecord, services: Mapping[str, Service], name: str, environ: Mapping[str, str]
    ) -> RunRecord:
        if name not in services or name in record.living():
            return record
        if name == CODE_SERVER:
            code_socket(self.environment).unlink(missing_ok=True)
        process = processes.start(services[name].command, environ, PROJECT_FOLDER, self._log_file(name))
        self._started_now[name] = process
        record = record.with_service(name, process)
        write_record(self.home, record)
        return record

    def _revive(self, record: RunRecord, name: str) -> None:
        processes.stop_group(record.services[name], GRACE_SECONDS)  # what it had started goes with it
        services = services_of(self.environment, with_sandbox=True, collector=self._collector)
        others = {other: process for other, process in record.services.items() if other != name}
        self._start(replace(record, services=others), services, name, os.environ)

    def _fail_abandoned_runs(self, before: datetime) -> None:
        from stats_assets.local.abandoned import fail_abandoned_runs  # Dagster takes a second to import

        fail_abandoned_runs(str(code_socket(self.environment)), before, self.say)

    def _could_fail_abandoned_runs(self, before: datetime) -> bool:
        """False when the database went away meanwhile."""
        from dagster_postgres.utils import DagsterPostgresException
        from sqlalchemy.exc import DBAPIError

        try:
            self._fail_abandoned_runs(before)
        except (DBAPIError, DagsterPostgresException):
            return False
        return True

    def _revive_postgres(self) -> None:
        server = private_server(self.environment)
        if server is not None and not server.is_running():
            self.say("private PostgreSQL died and is started again; nothing committed is lost")
            server.start()

    def _clear_remains(self, found: RunRecord | None, living: Mapping[str, Process]) -> None:
        """Ends run workers whose code server was killed: nobody listens to them any more."""
        for name, process in (found.services if found else {}).items():
            if name not in living:
                processes.stop_group(process, GRACE_SECONDS)

    def _undo(self) -> None:
        for name in sorted(self._started_now, key=_stopping_order):
            processes.stop_group(self._started_now[name], GRACE_SECONDS)
        record = read_record(self.home)
        if record is not None and not record.living():
            forget_record(self.home)
        if self._started_postgres and (server := private_server(self.environment)):
            server.stop()

    def _wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not is_there():
            for name, process in self._started_now.items():
                if not processes.is_alive(process):
                    raise SourceAway(f"{name} ended right after its start.\n{self._last_words(name)}")
            if time.monotonic() > deadline:
                raise SourceAway(
                    f"{what} did not answer within {START_TIMEOUT_SECONDS} s; logs are in {self.home}/logs"
                )
            time.sleep(0.1)

    def _has_loaded(self) -> bool:
        """True once every asset is there; a location that the webserver saw too early is loaded again."""
        ui = Graphql(self.environment.ui_url)
        try:
            states = location_states(ui)
            if any(state and state["__typename"] == "PythonError" for state in states):
                if not _accepts(code_socket(self.environment)):
                    return False
                ui.ask(_RELOAD)
                return False
            return bool(states) and all(state and state["__typename"] == "RepositoryLocation" for state in states)
        except (SourceAway, Refused, KeyError):
            return False

    def _check_ports(
        self, living: Mapping[str, Process], services: Mapping[str, Service], collector: CollectorAddress | None
    ) -> None:
        ports = {WEBSERVER: self.environment.port, SANDBOX: self.environment.sandbox_port}
        if collector is not None:
            ports[COLLECTOR] = collector.port
        for name, port in ports.items():
            if name in services and name not in living and not is_free(port):
                raise ConfigurationMistake(
                    f"port {port} of 127.0.0.1, wanted for the {name}, is taken by another program;"
                    f" choose another one: STATS_PORT={port + 10} ./stats up"
                )

    def _log_file(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _last_words(self, name: str) -> str:
        log = self._log_file(name)
        lines = _COLOURS.sub("", log.read_text(errors="replace")).splitlines()[-12:]
        return (
            "\n".join(f"    {line}" for line in lines) + f"\n    (before that: {log}, after a new start {log.name}.old)"
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two `up` at once: the second waits, then finds everything running."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "up.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_free(port: int) -> bool:
    """True when a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closing connection is no server
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _stopping_order(name: str) -> int:
    return STOPPING_ORDER.index(name) if name in STOPPING_ORDER else len(STOPPING_ORDER)
