"""The commands of the sandbox: `serve` runs the simulated sources, `write` only writes log files."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stats_assets.sandbox.crash_site import crash_site
from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.event_traffic import EventTraffic
from stats_assets.sandbox.folders import FolderKeeper
from stats_assets.sandbox.forum_growth import growing_forum
from stats_assets.sandbox.forum_site import ForumSite
from stats_assets.sandbox.game_log_site import GameLogSite
from stats_assets.sandbox.game_logs import SimulatedLogs
from stats_assets.sandbox.game_plan import GamePlan
from stats_assets.sandbox.league_sites import DemoSite, Etf2lSite, RglSite
from stats_assets.sandbox.log_hosts import HOSTS, LogHost, host_named
from stats_assets.sandbox.server import SandboxServer
from stats_assets.sandbox.sites import Site
from stats_assets.sandbox.world import DEFAULT_LINES, DEFAULT_SEED, World
from stats_assets.shared.days import days_between

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

Folder = Annotated[Path, typer.Option(help="where files are kept; hosts are below its folder hosts/")]
Lines = Annotated[int, typer.Option(min=20, help="mean number of log lines per host and day")]
Seed = Annotated[int, typer.Option(min=0, help="another seed gives another world")]


@app.command()
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="on 127.0.0.1; 0 takes a free one")],
    lines: Lines = DEFAULT_LINES,
    weeks: Annotated[int, typer.Option(min=1, help="how many weeks back folder hosts keep files")] = 56,
    seed: Seed = DEFAULT_SEED,
    late_seconds: Annotated[float, typer.Option(help="age of the world when the late file is whole")] = 0,
    collector: Annotated[str | None, typer.Option(metavar="URL", help="send events of simulated apps there")] = None,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="show the sources as they were then; nothing comes late"),
    ] = None,
) -> None:
    """Serves until it gets SIGTERM or Ctrl-C. Events are of the present, whatever --at says."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    files = DayFiles(folder, World(seed, lines))
    files.forget_other_worlds()
    moment = at.replace(tzinfo=UTC) if at else None
    now = (lambda: moment) if moment else _now
    keeper = FolderKeeper(files, weeks, now=now)
    with _server(port, files, 0 if moment else late_seconds, keeper, now) as server:
        keeper.start()
        traffic = EventTraffic(collector, files.world, _now) if collector else None
        if traffic:
            traffic.start()
        thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
        thread.start()
        stopping.wait()
        server.shutdown()
        keeper.stop()
        if traffic:
            traffic.stop()


@app.command()
def write(
    folder: Folder,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="first day")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="last day, included")],
    host: Annotated[
        list[str] | None, typer.Option(help="only this host; may be repeated, and be one there is not yet")
    ] = None,
    lines: Lines = DEFAULT_LINES,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Writes the log files of some days and hosts, without the late and the missing one, and ends."""
    if last < first:
        raise typer.BadParameter(f"nothing to write: --to {last.date()} is before --from {first.date()}")
    chosen = [host_named(name) or LogHost(name, "folder", ".gz") for name in host] if host else HOSTS
    DayFiles(folder, World(seed, lines)).make_all(chosen, days_between(first.date(), last.date()))


def _now() -> datetime:
    return datetime.now(UTC)


def _sites(files: DayFiles, late_seconds: float, now: Callable[[], datetime]) -> dict[str, Site]:
    """The simulated sources that answer requests, by the first part of their path."""
    seed = files.world.seed
    games = GamePlan(seed)
    return {
        "crashes": crash_site(files.world, now, lambda: files.age_seconds(_now()), late_seconds),
        "forum": ForumSite(growing_forum(seed, now)),
        "game_logs": GameLogSite(SimulatedLogs(games), now),
        "demos": DemoSite(games, now),
        "etf2l": Etf2lSite(games, now),
        "rgl": RglSite(games, now),
    }


def _server(
    port: int, files: DayFiles, late_seconds: float, keeper: FolderKeeper, now: Callable[[], datetime]
) -> SandboxServer:
    sites = _sites(files, late_seconds, now)
    try:
        return SandboxServer(port, files, late_seconds, keeper.reach_back_to, now, sites)
    except OSError as error:
        typer.echo(f"the sandbox cannot listen on 127.0.0.1:{port}: {error.strerror}; give another --port", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app(prog_name="python -m stats_assets.sandbox")
