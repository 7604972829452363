"""The verbs of ./stats: what each is called, takes and prints. What it does is in the module it calls.

Modules are imported by the verb that needs them: Dagster takes a second, `./stats -h` need not.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stats_assets.local import partitions_cli, trends_cli
from stats_assets.local.console import complain, results, say, tables
from stats_assets.local.run_plan import Days
from stats_assets.shared.environment import Environment, read_environment
from stats_assets.shared.failures import ConfigurationMistake, OurMistake, SourceAway

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Statistics pipelines on Dagster and PostgreSQL. [bold]./stats up[/bold] starts everything;"
    " README.md tells the rest. Settings of pipelines are in stats.yaml; STATS_DSN, STATS_DAGSTER_DSN, STATS_CONFIG,"
    " STATS_HOME, STATS_PORT and STATS_PG_BIN say where things are.",
)
app.add_typer(partitions_cli.app, name="partitions", rich_help_panel="Run")
app.add_typer(trends_cli.app, name="trends", rich_help_panel="Run")
_HANDS_OVER = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_DAY = ["%Y-%m-%d"]
_RUNNING, _DEVELOPING = "Run", "Develop"


def main() -> None:
    """Runs the verb of the command line; what an operator can mend ends in one line, never in a traceback."""
    try:
        _take_paths_from_here()
        app(prog_name="./stats")
    except (OurMistake, SourceAway) as error:
        complain(str(error))
        sys.exit(1)


@app.command(rich_help_panel=_RUNNING)
def up(
    detach: Annotated[bool, typer.Option("--detach", help="return when the first materializations have ended")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox/--no-sandbox", help="start the simulated sources")] = True,
) -> None:
    """Start everything: database, sandbox sources, Dagster. Prints the UI's URL, fills the last four weeks.

    Ctrl-C stops what it started. With --detach the exit code is 1 when something failed that was not planned to.
    """
    from stats_assets.local.up import up as bring_up

    raise typer.Exit(bring_up(_environment(), detach=detach, with_sandbox=sandbox))


@app.command(rich_help_panel=_RUNNING)
def down() -> None:
    """Stop everything, also what a killed `up` has left behind."""
    from stats_assets.local.stack import Stack

    say("stopped" if Stack(_environment(), say).take_down() else "nothing was running")


@app.command(rich_help_panel=_RUNNING)
def status() -> None:
    """Tell what is running, how each room stands, and what is wrong. Exit code 1 unless everything runs."""
    from stats_assets.local.stack import Stack
    from stats_assets.local.standing import standing

    environment = _environment()
    lines, is_complete = Stack(environment, say).describe()
    for line in lines:
        results.print(line, markup=False)
    for part in standing(environment, os.environ):
        tables.print(part)
    raise typer.Exit(0 if is_complete else 1)


@app.command(rich_help_panel=_RUNNING)
def watch(
    once: Annotated[bool, typer.Option("--once", help="one look, for a timer of systemd or cron")] = False,
) -> None:
    """Look for what has failed, is stale or silent, and tell the people named in stats.yaml; `up` runs it, too.

    Needs no daemon. Without --once it looks on until it is ended. Exit code 1 when the database is away.
    """
    from stats_assets.local.watching import watch as look

    raise typer.Exit(0 if look(_environment(), os.environ, once=once, say=say) else 1)


@app.command(rich_help_panel=_RUNNING)
def doctor() -> None:
    """Check configuration, database, rights, machine and sources; say what to do. Exit code 1 if something is wrong."""
    from stats_assets.local.doctor import examine

    colours = {"ok": "green", "note": "yellow", "wrong": "red"}
    is_well = True
    for finding in examine(_environment(), os.environ):
        results.print(finding.line(), style=colours[finding.state], markup=False)
        is_well = is_well and finding.state != "wrong"
    raise typer.Exit(0 if is_well else 1)


@app.command(rich_help_panel=_RUNNING)
def materialize(
    selection: Annotated[
        str, typer.Argument(help="an asset (countme/raw_hits) or a selection: 'group:log_sync or ...'")
    ],
    first: Annotated[datetime | None, typer.Option("--from", formats=_DAY, metavar="DAY", help="first day")] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, metavar="DAY", help="last day, included")
    ] = None,
    partition: Annotated[str | None, typer.Option(metavar="KEY", help="this one partition")] = None,
) -> None:
    """Make every partition of the selected assets inside the days, upstream first; without days, the latest.

    Through the daemon when `up` is running, else in this process. Lists what failed and then ends with exit code 1.
    """
    from stats_assets.local.materialize import Request, failure_lines
    from stats_assets.local.stack import Stack
    from stats_assets.local.workshop import materialize as make

    environment = _environment()
    request = Request(_days(first, last, partition), partition)
    outcome = make(environment, selection, request, Stack(environment, say).running_at())
    for line in failure_lines(outcome):
        complain(line)
    done, not_done = outcome.count_done(), outcome.count_not_done()
    if not done and not not_done:
        raise ConfigurationMistake(f"{selection!r} has no partition there: nothing was made")
    say(f"{done} made" + (f", {not_done} not" if not_done else ""))
    raise typer.Exit(1 if not_done else 0)


@app.command(rich_help_panel=_RUNNING)
def export(
    room: Annotated[str, typer.Argument(help="e.g. countme")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="made when it is not there")],
) -> None:
    """Write each published table of a room as one sorted CSV file with natural keys."""
    from stats_assets.local.export import export_room

    for path in export_room(_environment(), room, folder):
        results.print(path, markup=False)


@app.command(rich_help_panel=_RUNNING)
def restore(
    backup: Annotated[str | None, typer.Argument(help="its name; the newest when absent")] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="FOLDER|DSN",
            help="a new folder, which becomes a STATS_HOME with a database server, or an empty database",
        ),
    ] = None,
) -> None:
    """Bring a backup back and compare every table with its manifest. Without --into, list what backups there are."""
    from stats_assets.local import restore as backups

    if into is None:
        for line in backups.listed(_environment()):
            results.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    problems = backups.restored(_environment(), backup, into, say)
    for table, problem in problems.items():
        complain(f"{table}: {problem}")
    raise typer.Exit(1 if problems else 0)


@app.command(rich_help_panel=_RUNNING)
def roles(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the SQL, change nothing")] = False,
) -> None:
    """Make or mend the database roles stats_loader, stats_reader and stats_dagster, with the least rights each needs.

    Run it after every migration; as the owner of the tables, who may create roles. Passwords are set by \\password.
    """
    from stats_assets.local.databases import using_databases
    from stats_assets.local.roles import give_roles

    with using_databases(_environment()) as databases:
        statements = give_roles(databases.dsn, databases.dagster_dsn, dry_run)
    for statement in statements:
        results.print(f"{statement};", markup=False, highlight=False, soft_wrap=True)
    say("nothing was changed" if dry_run else f"{len(statements)} statements are done")


@app.command(rich_help_panel=_RUNNING)
def migrate() -> None:
    """Bring the tables to what this version of the code needs, Dagster's own tables as well."""
    from stats_assets.local.databases import using_databases
    from stats_assets.local.migrating import become, follow_schema_file, migrate_dagster, migrate_stats
    from stats_assets.local.surroundings import environ_for, prepare_folders

    environment = _environment()
    with using_databases(environment) as databases:
        say(migrate_stats(databases.dsn))
        prepare_folders(environment)
        become(environ_for(environment, databases, os.environ))
        if told := follow_schema_file(environment, databases.dsn):
            say(told)
        migrate_dagster()


@app.command(rich_help_panel=_RUNNING, context_settings=_HANDS_OVER, add_help_option=False)
def psql(context: typer.Context) -> None:
    """Open psql on the data database; arguments go to psql."""
    from stats_assets.local import tools

    raise typer.Exit(tools.psql(_environment(), context.args))


@app.command(rich_help_panel=_RUNNING, context_settings=_HANDS_OVER, add_help_option=False)
def dagster(context: typer.Context) -> None:
    """Run Dagster's own command line on this instance, e.g. ./stats dagster run list."""
    from stats_assets.local import tools

    raise typer.Exit(tools.dagster(_environment(), context.args))


@app.command(rich_help_panel=_RUNNING, context_settings=_HANDS_OVER, add_help_option=False)
def sandbox(context: typer.Context) -> None:
    """Run the simulated sources alone, or write their files, e.g. ./stats sandbox write --help."""
    from stats_assets.local import tools

    raise typer.Exit(tools.sandbox(_environment(), context.args))


@app.command(rich_help_panel=_RUNNING)
def collector() -> None:
    """Receive events over HTTP, without the rest of the stack; `up` runs a collector, too."""
    from stats_assets.local import tools

    raise typer.Exit(tools.collector(_environment()))


@app.command(rich_help_panel=_DEVELOPING, context_settings=_HANDS_OVER, add_help_option=False)
def test(context: typer.Context) -> None:
    """Run the tests; arguments go to pytest."""
    from stats_assets.local import tools

    raise typer.Exit(tools.test(context.args))


@app.command(rich_help_panel=_DEVELOPING)
def check() -> None:
    """Lint, formatting and types."""
    from stats_assets.local import tools

    raise typer.Exit(tools.check())


@app.command(rich_help_panel=_DEVELOPING, context_settings=_HANDS_OVER, add_help_option=False)
def lock(context: typer.Context) -> None:
    """Write the locks from the requirements, with hashes; --upgrade takes the newest versions."""
    from stats_assets.local import tools

    raise typer.Exit(tools.lock(context.args))


@app.command(rich_help_panel=_DEVELOPING, context_settings=_HANDS_OVER, add_help_option=False)
def bench(context: typer.Context) -> None:
    """Measure a room's speed and memory: [ROOM] [--peer], which compares with the established tool."""
    from stats_assets.local import tools

    raise typer.Exit(tools.bench(context.args))


def _environment() -> Environment:
    return read_environment(os.environ)


def _take_paths_from_here() -> None:
    """A relative path in a variable is meant from where the user stands, and our processes run elsewhere."""
    for name in ("STATS_CONFIG", "STATS_HOME", "STATS_PG_BIN"):
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).expanduser().absolute())


def _days(first: datetime | None, last: datetime | None, partition: str | None) -> Days | None:
    if partition is not None and (first or last):
        raise typer.BadParameter("--partition names one partition; it does not go with --from and --to")
    if last is not None and first is None:
        raise typer.BadParameter("--to needs --from")
    if first is None:
        return None
    end = last or datetime.now(UTC)
    if end.date() < first.date():
        raise typer.BadParameter(f"--from {first.date()} is after --to {end.date()}")
    return Days(first.date(), end.date())
