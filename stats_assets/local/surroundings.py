"""What a process of the stack finds around it: environment variables and the instance folder. Decided in one place."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from stats_assets.local.databases import Databases
from stats_assets.local.private_postgres import make_socket_folder, socket_folder
from stats_assets.local.unprivileged import RunAs
from stats_assets.shared.environment import PROJECT_FOLDER, Environment

LOCATION = "stats_assets"
MODULE = "stats_assets.definitions"


def environ_for(environment: Environment, databases: Databases, base: Mapping[str, str]) -> dict[str, str]:
    """`base` with everything a process of the stack reads; paths are absolute, both connection strings set.

    Connection strings travel here only, never on a command line, where every user of the machine sees them.
    """
    return {
        **base,
        **config_variables(environment),
        "STATS_DSN": databases.dsn,
        "STATS_DAGSTER_DSN": for_sqlalchemy(databases.dagster_dsn),
        "STATS_CONFIG": str(environment.config_file),
        "STATS_PORT": str(environment.port),
        "DAGSTER_HOME": str(dagster_home(environment)),
        # One INSERT per 200 events instead of one each: a run over 365 days takes 19 s instead of 56.
        "DAGSTER_EVENT_BATCH_SIZE": "200",
        "PYTHONPATH": str(PROJECT_FOLDER),
        "PYTHONUNBUFFERED": "1",
    }


def config_variables(environment: Environment) -> dict[str, str]:
    """What stats.yaml may refer to as ${NAME} without the user having set it."""
    return {
        "STATS_HOME": str(environment.home),
        "STATS_SANDBOX_URL": environment.sandbox_url,
        "STATS_SANDBOX_DIR": str(sandbox_folder(environment)),
    }


def uses_sandbox(config_text: str) -> bool:
    return "${STATS_SANDBOX_" in config_text


def for_sqlalchemy(dsn: str) -> str:
    """The connection string with the driver named: SQLAlchemy 2.1 takes a bare postgresql:// to mean psycopg 3."""
    if "://" in dsn:
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg2://", dsn)
    from stats_assets.shared.sqlalchemy_url import sqlalchemy_url

    return sqlalchemy_url(dsn).render_as_string(hide_password=False)


def sandbox_folder(environment: Environment) -> Path:
    return environment.home / "sandbox"


def dagster_home(environment: Environment) -> Path:
    return environment.home / "dagster"


def workspace_file(environment: Environment) -> Path:
    return dagster_home(environment) / "workspace.yaml"


def code_socket(environment: Environment) -> Path:
    """Whoever can connect here runs code: a socket in a folder only we may enter, not a port."""
    return socket_folder(environment.home) / "code-server"


def prepare_folders(environment: Environment) -> None:
    """Makes the instance folder with its two files, and the folder of the code server's socket."""
    folder = dagster_home(environment)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_FOLDER / "dagster.yaml", folder / "dagster.yaml")
    # The location has a name of its own: it is part of what identifies schedules and sensors.
    workspace_file(environment).write_text(
        f"load_from:\n  - grpc_server: {{socket: {_quoted(code_socket(environment))}, location_name: {LOCATION}}}\n"
    )
    make_socket_folder(code_socket(environment).parent, RunAs())


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
