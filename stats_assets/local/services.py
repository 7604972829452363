"""The services of a stack as values: the command of each. Starting and stopping them is `stack`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from stats_assets.local.collecting import CollectorAddress
from stats_assets.local.surroundings import LOCATION, MODULE, code_socket, sandbox_folder, workspace_file
from stats_assets.shared.environment import INSTANT, Environment

SANDBOX, CODE_SERVER, WEBSERVER, DAEMON, WATCHER = "sandbox", "code-server", "webserver", "daemon", "watcher"
COLLECTOR = "collector"
# Nobody wonders that the others are silent, nobody hands out work any more, what works ends, then what it talks to.
STOPPING_ORDER = (WATCHER, DAEMON, CODE_SERVER, WEBSERVER, SANDBOX, COLLECTOR)


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]


# Under `up` one file's last lines come late, so that the sensor can be seen at work.
_LATE_SECONDS = 45


def sandbox_service(
    environment: Environment, late_seconds: int = 0, collector: CollectorAddress | None = None
) -> Service:
    """The simulated sources; `late_seconds` is how old their world must be for the late file to be whole.

    Its apps send events to the collector, if there is one.
    """
    options = ("--folder", str(sandbox_folder(environment)), "--port", str(environment.sandbox_port))
    options += ("--lines", str(environment.sandbox_lines), "--late-seconds", str(late_seconds))
    if collector is not None:
        options += ("--collector", collector.url_from_here)
    if environment.sandbox_at is not None:
        options += ("--at", environment.sandbox_at.strftime(INSTANT))
    command = ("-m", "stats_assets.sandbox", "serve", *options)
    return Service(SANDBOX, (sys.executable, *command))


def services_of(environment: Environment, with_sandbox: bool, collector: CollectorAddress | None) -> dict[str, Service]:
    """Every service the stack consists of, by name, in the order they are started."""
    workspace = str(workspace_file(environment))
    modules = {
        CODE_SERVER: ["dagster", "api", "grpc", "--socket", str(code_socket(environment))],
        WEBSERVER: ["dagster_webserver", "--host", "127.0.0.1", "--port", str(environment.port), "-w", workspace],
        DAEMON: ["dagster._daemon", "run", "-w", workspace],
        WATCHER: ["stats_assets.local", "watch"],
    }
    modules[CODE_SERVER] += ["--module-name", MODULE, "--location-name", LOCATION]
    # Run workers, too, are started with this Python.
    modules[CODE_SERVER] += ["--use-python-environment-entry-point"]
    sandbox = {SANDBOX: sandbox_service(environment, _LATE_SECONDS, collector)} if with_sandbox else {}
    if collector is not None:
        modules[COLLECTOR] = ["stats_assets.events"]
    return sandbox | {name: Service(name, (sys.executable, "-m", *command)) for name, command in modules.items()}
