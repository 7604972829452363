"""The services of a stack as values: the command of each. Starting and stopping them is `stack`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from stats_assets.local.surroundings import LOCATION, MODULE, code_socket, sandbox_folder, workspace_file
from stats_assets.shared.environment import Environment

SANDBOX, CODE_SERVER, WEBSERVER, DAEMON = "sandbox", "code-server", "webserver", "daemon"
# Nobody hands out work any more, then what works ends, then what it talks to.
STOPPING_ORDER = (DAEMON, CODE_SERVER, WEBSERVER, SANDBOX)


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]


def services_of(environment: Environment, with_sandbox: bool) -> dict[str, Service]:
    """Every service the stack consists of, by name, in the order they are started."""
    workspace = str(workspace_file(environment))
    modules = {
        SANDBOX: f"stats_assets.sandbox serve --folder {sandbox_folder(environment)}".split(maxsplit=3),
        CODE_SERVER: ["dagster", "api", "grpc", "--socket", str(code_socket(environment))],
        WEBSERVER: ["dagster_webserver", "--host", "127.0.0.1", "--port", str(environment.port), "-w", workspace],
        DAEMON: ["dagster._daemon", "run", "-w", workspace],
    }
    modules[SANDBOX] += ["--port", str(environment.sandbox_port)]
    modules[CODE_SERVER] += ["--module-name", MODULE, "--location-name", LOCATION]
    # Run workers, too, are started with this Python.
    modules[CODE_SERVER] += ["--use-python-environment-entry-point"]
    return {
        name: Service(name, (sys.executable, "-m", *command))
        for name, command in modules.items()
        if with_sandbox or name != SANDBOX
    }
