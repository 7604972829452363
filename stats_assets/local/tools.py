"""Verbs that hand over to another program: each its command line, run with the right surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stats_assets.local.collecting import collector_address
from stats_assets.local.console import say
from stats_assets.local.databases import using_databases
from stats_assets.local.migrating import become, migrate_stats
from stats_assets.local.needed_programs import get_needed_programs
from stats_assets.local.postgres_binaries import find_binaries, find_psql
from stats_assets.local.stack import is_free
from stats_assets.local.surroundings import config_variables, environ_for, prepare_folders
from stats_assets.shared.environment import PROJECT_FOLDER, Environment
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.libpq import libpq_variables

_CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("pyright",))
# The lock of uv itself comes from the one word given here: the launcher's only need before anything is installed.
_LOCKS = {"requirements.lock": None, "requirements-dev.lock": None, "requirements-uv.lock": "uv\n"}
_LOCK_OPTIONS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-annotate", "--no-header"),
    "--no-strip-extras",  # without the extras pip, unlike uv, refuses the file
)


# Whole files keep what their tests share; in the order of tests/conftest.py, which has the longest first.
_ALL_TESTS = ("--dist=loadfile", "--no-loadscope-reorder")
_MOST_WORKERS = 8


def test(arguments: Sequence[str]) -> int:
    """Runs pytest with the arguments; without any, every test, in parallel."""
    if arguments:
        return _python("pytest", *arguments)
    get_needed_programs()
    # One more than cores, because stacks wait a good part of their time; all share one database server.
    workers = min((os.cpu_count() or 1) + 1, _MOST_WORKERS)
    return _python("pytest", f"--numprocesses={workers}", *_ALL_TESTS)


def check() -> int:
    """Runs all, even after one has failed; the first bad code is the result."""
    codes = [_python(*command) for command in _CHECKS]
    return next((code for code in codes if code), 0)


def lock(arguments: Sequence[str]) -> int:
    """Writes every lock; versions stay as they are where the requirements allow it and --upgrade is not given."""
    for target, given in _LOCKS.items():
        source = "-" if given else target.replace(".lock", ".in")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", source, *_LOCK_OPTIONS, "-o", target]
        done = subprocess.run([*command, *arguments], cwd=PROJECT_FOLDER, input=given, text=True)
        if done.returncode:
            return done.returncode
        say(f"{target} is written")
    return 0


def bench(arguments: Sequence[str]) -> int:
    """Runs the benchmark of the room that the first argument names, of countme when it names none."""
    room, *rest = arguments if arguments and not arguments[0].startswith("-") else ["countme", *arguments]
    rooms = sorted(path.parent.name for path in (PROJECT_FOLDER / "benchmarks").glob("*/__main__.py"))
    if room not in rooms:
        raise ConfigurationMistake(f"{room!r} has no benchmark; there are: {', '.join(rooms) or 'none'}")
    return _python(f"benchmarks.{room}", *rest)


def sandbox(environment: Environment, arguments: Sequence[str]) -> int:
    become(config_variables(environment))
    return _python("stats_assets.sandbox", *arguments, folder=Path.cwd())


def collector(environment: Environment) -> int:
    """Runs the collector alone, until a signal ends it."""
    address = collector_address(environment)
    if address is None:
        raise ConfigurationMistake(f"{environment.config_file} has no section events: nothing is to be received")
    if not is_free(address.port):
        raise ConfigurationMistake(
            f"port {address.port} is taken; if ./stats up runs, so does a collector: ./stats status tells"
        )
    with using_databases(environment) as databases:
        say(migrate_stats(databases.dsn))
        become(environ_for(environment, databases, os.environ))
        say(f"events are posted to {address.url}; Ctrl-C ends it")
        return _python("stats_assets.events")


def psql(environment: Environment, arguments: Sequence[str]) -> int:
    program = find_psql(lambda: find_binaries(environment.pg_bin))
    with using_databases(environment) as databases:
        # By a service file or variables, not as an argument: a password in it would be seen by `ps`.
        return _wait_for([str(program), *arguments], Path.cwd(), {**os.environ, **libpq_variables(databases.dsn)})


def dagster(environment: Environment, arguments: Sequence[str]) -> int:
    with using_databases(environment) as databases:
        prepare_folders(environment)
        become(environ_for(environment, databases, os.environ))
        return _python("dagster", *arguments)


def _python(module: str, *arguments: str, folder: Path = PROJECT_FOLDER) -> int:
    return _wait_for([sys.executable, "-m", module, *arguments], folder, os.environ)


def _wait_for(command: Sequence[str], folder: Path, environ: os._Environ[str] | dict[str, str]) -> int:
    """The program's exit code. Ctrl-C is its to handle; we only wait for it to end."""
    with subprocess.Popen(command, cwd=folder, env=environ) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue
