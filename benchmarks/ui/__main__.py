"""`./stats bench ui`: how long the UI's main pages take with a thousand runs, and what pruning frees.

    ./stats bench ui [--runs 1000] [--visits 5]

A stack of its own comes up in a throw-away folder on the sandbox, fills the last weeks, and is waited for until no run
is left to do. Its runs are then copied, with their events, over the year before, and a browser opens each page until
its content is visible. Needs Chromium.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import dagster as dg
import typer
from playwright.sync_api import BrowserContext, Response, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.ui import sql
from stats_assets.local.databases import running_databases
from stats_assets.local.graphql import Graphql
from stats_assets.local.migrating import become
from stats_assets.local.needed_programs import CHROMIUM
from stats_assets.local.surroundings import environ_for
from stats_assets.shared.environment import PROJECT_FOLDER, Environment, read_environment
from stats_assets.upkeep import sizes
from stats_assets.upkeep.config import UpkeepConfig
from stats_assets.upkeep.instance_database import transaction
from stats_assets.upkeep.pruning import prune

_FAILED = "{ runsOrError(filter: {statuses: [FAILURE]}, limit: 1) { ... on Runs { results { runId } } } }"
_AT_WORK = """{ runsOrError(filter: {statuses: [NOT_STARTED, QUEUED, STARTING, STARTED]}, limit: 1) {
    ... on Runs { results { runId } } } }"""
_FILL_SECONDS = 1200
_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

console = Console()


@dataclass(frozen=True)
class Page:
    """A page and a text that is there once its content is; the text is not in the frame around every page."""

    name: str
    path: str
    text: str


@dataclass
class Visits:
    """Seconds until the content was visible, and of the slowest answer of the server to each visit."""

    seen: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)


def main(
    runs: Annotated[int, typer.Option(min=1)] = 1000,
    visits: Annotated[int, typer.Option(min=1, help="of each page, after one to warm up")] = 5,
    port: Annotated[int, typer.Option(help="of the UI; simulated sources and collector take the next two")] = 21_980,
) -> None:
    """Brings a stack up, multiplies its runs, visits the pages, prunes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stack is brought down then, too
    chromium = CHROMIUM.find(os.environ)
    if chromium is None:
        raise SystemExit(CHROMIUM.advice)
    with (
        TemporaryDirectory(prefix="stats-bench-") as folder,
        _stack(Path(folder), port) as environment,
        dg.DagsterInstance.get() as instance,
    ):
        _wait_until_idle(Graphql(environment.ui_url))
        copied = _copy_runs(instance, runs)
        visited = _visit(_pages(environment.ui_url), environment.ui_url, chromium, visits)
        _show(f"{copied:,} runs", visited)
        _prune(instance)


@contextmanager
def _stack(folder: Path, port: int) -> Iterator[Environment]:
    """A running, filled stack on the sandbox; this process has its surroundings."""
    without = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_"))}
    environ = {**without, "STATS_HOME": str(folder / "home"), "STATS_PORT": str(port)}
    stats = PROJECT_FOLDER / "stats"
    try:
        # One partition fails on purpose; others may, on a machine at its limits.
        subprocess.run([stats, "up", "--detach"], env=environ, stderr=subprocess.DEVNULL, check=False)
        environment = read_environment(environ)
        become(environ_for(environment, running_databases(environment), environ))
        yield environment
    finally:
        subprocess.run([stats, "down"], env=environ, check=True, stderr=subprocess.DEVNULL)


def _wait_until_idle(ui: Graphql) -> None:
    """Until no run is left to do, for two looks; what schedules and sensors begin after that is normal."""
    deadline, idle = time.monotonic() + _FILL_SECONDS, 0
    while idle < 2:
        if time.monotonic() > deadline:
            raise SystemExit(f"runs are still at work after {_FILL_SECONDS} s")
        time.sleep(5)
        idle = 0 if ui.ask(_AT_WORK)["runsOrError"]["results"] else idle + 1


def _copy_runs(instance: dg.DagsterInstance, runs: int) -> int:
    """Copies of the runs that have ended, until there are so many; gives how many there are."""
    with transaction(instance) as cursor:
        cursor.execute(sql.CHOOSE_COPIES, {"runs": runs})
        for statement in (sql.COPY_RUNS, sql.COPY_TAGS, sql.COPY_EVENTS, sql.COUNT_RUNS):
            cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else 0


def _pages(url: str) -> list[Page]:
    failed = Graphql(url).ask(_FAILED)["runsOrError"]["results"][0]["runId"]
    group = "/locations/stats_assets/asset-groups/countme/lineage"
    return [
        Page("overview", "/overview/timeline", "countme"),
        Page("runs", "/runs", "Success"),
        Page("assets", "/assets", "raw_hits"),
        Page("lineage of a group", group, "weekly_totals"),
        Page("a failed run", f"/runs/{failed}", "RUN_"),  # types of events in its log
        Page("schedules and sensors", "/automation", "countme_changed_days"),
        Page("an asset", "/assets/countme/weekly_totals", "weekly_totals"),
    ]


def _visit(pages: list[Page], url: str, chromium: Path, visits: int) -> Mapping[str, Visits]:
    visited = {page.name: Visits() for page in pages}
    with sync_playwright() as playwright, TemporaryDirectory(prefix="stats-bench-") as profile:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=_ARGUMENTS, viewport={"width": 1600, "height": 900}
        )
        for page in pages:
            _open(browser, url, page)  # the first visit fills the browser's cache
            for _ in range(visits):
                seen, answered = _open(browser, url, page)
                visited[page.name].seen.append(seen)
                visited[page.name].answered.append(answered)
        browser.close()
    return visited


def _open(browser: BrowserContext, url: str, page: Page) -> tuple[float, float]:
    """Seconds until the page's content is visible, and of the slowest answer before that."""
    tab = browser.new_page()
    slowest = 0.0

    def answered(response: Response) -> None:
        nonlocal slowest
        if response.url.endswith("/graphql") or "/graphql?" in response.url:
            timing = response.request.timing
            slowest = max(slowest, (timing["responseStart"] - timing["requestStart"]) / 1000)

    tab.on("response", answered)
    began = time.monotonic()
    tab.goto(url + page.path, wait_until="commit")
    tab.get_by_text(page.text).first.wait_for(state="visible", timeout=60_000)
    seen = time.monotonic() - began
    tab.close()
    return seen, slowest


def _show(title: str, visited: Mapping[str, Visits]) -> None:
    table = Table("page", "seen after s, median", "longest", "slowest answer s, median", "longest", title=title)
    for name, visits in visited.items():
        figures = [
            statistics.median(visits.seen),
            max(visits.seen),
            statistics.median(visits.answered),
            max(visits.answered),
        ]
        table.add_row(name, *(f"{figure:.2f}" for figure in figures))
    console.print(table)


def _prune(instance: dg.DagsterInstance) -> None:
    """Prunes by the default policy and tells how large the tables were, and are once they are packed."""
    before = _megabytes(instance)
    began = time.monotonic()
    pruned, _ = prune(instance, UpkeepConfig(), datetime.now(UTC))
    seconds = time.monotonic() - began
    after = _megabytes(instance)
    console.print(
        f"pruned {pruned.runs} runs and {pruned.event_rows:,} events in {seconds:.1f} s:"
        f" {before:.1f} MB before, {after:.1f} MB after"
    )


def _megabytes(instance: dg.DagsterInstance) -> float:
    """Of Dagster's tables without what deletions left."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM (FULL, ANALYZE)")
    return sum(size.bytes for size in sizes.measure(instance)) / 1e6


if __name__ == "__main__":
    typer.run(main)
