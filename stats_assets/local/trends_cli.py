"""The verbs `./stats trends ...`: what each is called and takes. What it does is in the room."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stats_assets.local.console import say
from stats_assets.shared.environment import read_environment

if TYPE_CHECKING:
    from stats_assets.shared.postgres import StatsDatabase

app = typer.Typer(no_args_is_help=True, help="Game logs: import files, try quarantined ones again, bans.")


@app.command("import")
def trends_import(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="log_<id>.json, folders of such, batches like 22.sqlite3")
    ],
    force: Annotated[bool, typer.Option("--force", help="also logs that are imported already")] = False,
) -> None:
    """Import game logs from files. Exit code 1 when some went to quarantine; the others are imported."""
    from stats_assets.trends.cli import import_logs

    _with_database(lambda database: import_logs(database, paths, force, say))


@app.command("redrive")
def trends_redrive() -> None:
    """Try the game logs in quarantine again. Exit code 1 while some stay there."""
    from stats_assets.trends.cli import redrive_quarantine

    _with_database(lambda database: redrive_quarantine(database, say))


_Player = Annotated[str, typer.Argument(metavar="STEAMID", help="[U:1:N], STEAM_0:Y:Z or the long number")]


@app.command("ban")
def trends_ban(player: _Player, reason: Annotated[str, typer.Option(help="why, for those who ask later")]) -> None:
    """Count no log that this player uploads or uploaded; the logs are kept."""
    from stats_assets.trends.cli import set_ban

    _with_database(lambda database: set_ban(database, player, reason, say))


@app.command("unban")
def trends_unban(player: _Player) -> None:
    """Count the logs that this player uploads again."""
    from stats_assets.trends.cli import set_ban

    _with_database(lambda database: set_ban(database, player, None, say))


@app.command("dictionary")
def trends_dictionary() -> None:
    """Train a zstd dictionary on the newest logs; kept when it pays, and used by imports from then on."""
    from stats_assets.trends.cli import learn_dictionary

    _with_database(lambda database: learn_dictionary(database, say))


def _with_database(work: Callable[[StatsDatabase], int]) -> None:
    """Does the work on the migrated data database, and ends with the exit code it gives."""
    from stats_assets.local.databases import using_databases
    from stats_assets.local.migrating import migrate_stats
    from stats_assets.shared.postgres import StatsDatabase

    with using_databases(read_environment(os.environ)) as databases:
        migrate_stats(databases.dsn)
        code = work(StatsDatabase(dsn=databases.dsn))
    raise typer.Exit(code)
