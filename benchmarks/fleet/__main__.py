"""`./stats bench fleet`: a backfill of many hosts and days, launched as a click in the UI launches it.

    ./stats bench fleet [--hosts 30] [--days 30] [--lines 11100]

A stack of its own comes up in a throw-away folder, on the made-up logs of a fleet of hosts. One mutation of the UI's
API then asks for every daily partition of `log_sync/files` and `countme/raw_hits`; when it is done, every partition is
compared with the files themselves: lines per host and day, and one verdict for each. Linux only: it reads /proc.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import yaml
from rich.console import Console

from benchmarks import measure
from stats_assets.local.graphql import Graphql
from stats_assets.sandbox.log_hosts import SITE
from stats_assets.shared.days import days_between
from stats_assets.shared.environment import PROJECT_FOLDER

FIRST_DAY = date(2026, 3, 2)
_ASSETS = [{"path": ["log_sync", "files"]}, {"path": ["countme", "raw_hits"]}]
_LAUNCH = """
mutation ($backfill: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfill) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_STATUS = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
_RUNS = """
query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results { status startTime endTime } } } }
"""
_LOADED = """
SELECT day, host, lines, hits, (SELECT sum(lines) FROM countme.verdicts v WHERE v.source_id = s.source_id)
FROM countme.sources s ORDER BY 1, 2
"""
_SIZES = "SELECT count(*), pg_size_pretty(pg_database_size(current_database())) FROM countme.raw_hits"

console = Console()


def main(
    hosts: Annotated[int, typer.Option(min=1)] = 30,
    days: Annotated[int, typer.Option(min=1)] = 30,
    lines: Annotated[int, typer.Option(min=20, help="mean number of log lines per host and day")] = 11_100,
    port: Annotated[int, typer.Option(help="of the UI; simulated sources would take the next one")] = 21_980,
) -> None:
    """Writes the fleet's logs, backfills them through the UI's mutation, and checks every partition."""
    names = [f"edge{number:02}" for number in range(1, hosts + 1)]
    dates = days_between(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
    with TemporaryDirectory(prefix="stats-bench-") as folder:
        truth = _write_logs(Path(folder), names, dates, lines)
        console.print(f"{sum(truth.values()):,} lines of {hosts} hosts and {days} days are written")
        with _stack(Path(folder), names, port) as environ:
            wall, peak_mb = _backfill(Graphql(f"http://127.0.0.1:{port}"), [str(day) for day in dates], environ)
            wrong = _differences(environ, truth)
            rows, size = _sql(environ, _SIZES)[0].split("|")
    console.print(f"{wall:.0f} s wall, largest run worker {peak_mb:.0f} MB; {rows} hits, database {size}")
    console.print(f"{len(truth)} host-days compared with their files: {len(wrong)} differ", *wrong[:5], sep="\n")
    raise typer.Exit(1 if wrong else 0)


def _write_logs(folder: Path, names: list[str], dates: list[date], lines: int) -> dict[tuple[str, str], int]:
    """Lines by day and host, counted in the files after they were written."""
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write_host, [folder] * len(names), names, [dates] * len(names), [lines] * len(names)))
        files = {
            (str(day), name): folder / "hosts" / name / f"{day:%Y/%m/%d}" / f"{SITE}-access.log.gz"
            for day in dates
            for name in names
        }
        return dict(zip(files, pool.map(_count_lines, files.values(), chunksize=20), strict=True))


def _write_host(folder: Path, name: str, dates: list[date], lines: int) -> None:
    span = [f"--from={dates[0]}", f"--to={dates[-1]}", f"--lines={lines}"]
    command = [sys.executable, "-m", "stats_assets.sandbox", "write", f"--folder={folder}", f"--host={name}", *span]
    subprocess.run(command, check=True, cwd=PROJECT_FOLDER)


def _count_lines(path: Path) -> int:
    with gzip.open(path) as file:
        return sum(1 for _ in file)


@contextmanager
def _stack(folder: Path, names: list[str], port: int) -> Iterator[dict[str, str]]:
    """A running stack on the fleet's folders, with an empty database; the environment of its verbs."""
    config = {
        "archive": str(folder / "archive"),
        "log_sync": {
            "sites": [SITE],
            "spool": str(folder / "spool"),
            "hosts": [
                {"name": name, "url": f"file://{folder}/hosts/{name}", "path": "%Y/%m/%d/{site}-access.log.gz"}
                for name in names
            ],
        },
        "countme": {"site": SITE, "first_day": str(FIRST_DAY)},
    }
    (folder / "stats.yaml").write_text(yaml.safe_dump(config))
    own = {
        "STATS_HOME": str(folder / "home"),
        "STATS_PORT": str(port),
        "STATS_CONFIG": str(folder / "stats.yaml"),
    }
    without = {name: value for name, value in os.environ.items() if not name.startswith(("STATS_", "DAGSTER_"))}
    environ = {**without, **own}
    log = (folder / "up.log").open("wb")
    up = subprocess.Popen([PROJECT_FOLDER / "stats", "up", "--no-sandbox"], env=environ, stdout=log, stderr=log)
    try:
        _wait_until_up(up, environ, folder / "up.log")
        yield environ
    finally:
        subprocess.run([PROJECT_FOLDER / "stats", "down"], env=environ, check=True, stderr=subprocess.DEVNULL)
        up.wait(timeout=60)
        log.close()


def _wait_until_up(up: subprocess.Popen[bytes], environ: dict[str, str], log: Path) -> None:
    while b"Ctrl-C stops everything" not in log.read_bytes():
        if up.poll() is not None:
            raise SystemExit(f"the stack did not come up:\n{log.read_text()}")
        time.sleep(0.5)


def _backfill(ui: Graphql, days: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Seconds until it was done, and the peak memory of the largest run worker in MB."""
    began = time.monotonic()
    asked = ui.ask(_LAUNCH, backfill={"assetSelection": _ASSETS, "partitionNames": days})["launchPartitionBackfill"]
    identity, status, peak = asked["backfillId"], "REQUESTED", 0.0
    while status == "REQUESTED":
        time.sleep(0.5)
        peak = max(peak, _largest_worker_mb(environ["STATS_HOME"]))
        status = ui.ask(_STATUS, id=identity)["partitionBackfillOrError"]["status"]
    wall = time.monotonic() - began
    mine = {"tags": [{"key": "dagster/backfill", "value": identity}]}
    made = ui.ask(_RUNS, filter=mine)["runsOrError"]["results"]
    console.print(f"backfill {status}: {len(made)} runs, {', '.join(run['status'] for run in made)}")
    return wall, peak


def _largest_worker_mb(home: str) -> float:
    workers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _is_worker(entry, home))
    return max((measure.peak_mb(pid) for pid in workers), default=0.0)


def _is_worker(process: Path, home: str) -> bool:
    try:
        # The code server starts each run as a process of Python's multiprocessing.
        is_spawned = b"multiprocessing.spawn" in (process / "cmdline").read_bytes()
        return is_spawned and home.encode() in (process / "environ").read_bytes()
    except OSError:  # it has ended
        return False


def _differences(environ: dict[str, str], truth: dict[tuple[str, str], int]) -> list[str]:
    """Host-days whose rows are not what their file says: lines read, and one verdict for each line."""
    loaded = {tuple(row.split("|")[:2]): tuple(map(int, row.split("|")[2:])) for row in _sql(environ, _LOADED)}
    wrong = [f"{key}: loaded, but there is no file" for key in loaded.keys() - truth.keys()]
    for key, lines in truth.items():
        read, hits, judged = loaded.get(key, (0, 0, 0))
        if not (read == judged == lines and 0 < hits < lines):
            wrong.append(f"{key}: {lines} lines written, {read} read, {judged} judged, {hits} hits")
    return wrong


def _sql(environ: dict[str, str], statement: str) -> list[str]:
    command = [PROJECT_FOLDER / "stats", "psql", "-Atc", statement]
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.splitlines()


if __name__ == "__main__":
    typer.run(main)
