"""The whole sandbox world at a moment that stands still, small, and what is exported of it once it is all loaded.

Two installations of it hold the same rows, however each came by them: what is compared is every file of `./stats
export` of countme, trends, crashes and forum, and the published CSV files of countme. Events are of the present.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from stats_assets.local.databases import using_databases
from stats_assets.shared.environment import read_environment
from stats_assets.shared.postgres import StatsDatabase
from tests.stack import PROJECT, Home

ROOMS = ("countme", "trends", "crashes", "forum")
TODAY = datetime.now(UTC).date()
# A week that is over with the file before, which holds its first minutes, and what has come since; shorter for rooms
# without weeks. The forum is read as a whole, so its days are counted from its first.
FIRST_LOG_DAY = TODAY - timedelta(days=TODAY.weekday() + 8)
FIRST_DAY = TODAY - timedelta(days=6)
FIRST_FORUM_DAY = date(2026, 7, 1)
WORK = (
    ("group:log_sync or group:countme or group:trends or group:crashes", FIRST_LOG_DAY),
    ("group:forum", FIRST_FORUM_DAY),
)
# What a schedule makes once an hour, and the file that changes with it.
HOURLY, CHANGED_HOURLY = "trends/weapons", "trends/weapon.csv"
LINES = 200
STANDS_AT = f"{TODAY}T00:00:00Z"

_HOSTS = ("proxy01", "proxy04")  # a folder and a server, neither the one that has lost a file


def write_config(
    folder: Path, changes: Mapping[str, Any] | None = None, more_hosts: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """stats.yaml with a few days of everything, and with the changes; sections are added to."""
    config = yaml.safe_load((PROJECT / "stats.yaml").read_text())
    config["log_sync"]["hosts"] = [host for host in config["log_sync"]["hosts"] if host["name"] in _HOSTS]
    config["log_sync"]["hosts"] += more_hosts
    config["countme"] |= {"keep_addresses": True, "first_day": FIRST_LOG_DAY}
    for site in ("demos_url", "etf2l_url", "rgl_url"):  # whose first look reads all there ever was
        del config["trends"][site]
    for room in ("trends", "crashes", "events"):
        config[room]["first_day"] = FIRST_DAY
    for name, change in (changes or {}).items():
        config[name] = {**config.get(name, {}), **change} if isinstance(change, dict) else change
    path = folder / "stats.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def home_of(folder: Path, port: int, config: Path) -> Home:
    """An installation whose simulated sources stand at the beginning of today."""
    home = Home(folder, port, config)
    home.environ |= {"STATS_SANDBOX_LINES": str(LINES), "STATS_SANDBOX_AT": STANDS_AT}
    return home


def undisturbed(folder: Path, port: int, more_hosts: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
    """What is exported of the world after `./stats materialize` has made all of it in one process."""
    home = home_of(folder / "home", port, write_config(folder, more_hosts=more_hosts))
    for selection, first_day in WORK:
        made = home.stats("materialize", selection, "--from", f"{first_day}", "--to", f"{TODAY}")
        assert made.returncode == 0, made.stderr[-4000:]
    return exported(home)


def exported(home: Home) -> dict[str, str]:
    """Every exported file by its name, and every published CSV file of countme."""
    with using_databases(read_environment(home.environ)) as databases:
        return exported_from(databases.dsn, home.folder / "exported") | published(home.folder / "archive")


def exported_from(dsn: str, folder: Path) -> dict[str, str]:
    """Every exported file by its name; they are written below `folder`."""
    files: dict[str, str] = {}
    for room in ROOMS:
        paths = import_module(f"stats_assets.{room}.export").export(StatsDatabase(dsn=dsn), folder / room)
        files |= {f"{room}/{path.name}": path.read_text() for path in paths}
    return files


def published(archive: Path) -> dict[str, str]:
    """Without `revision`: it counts how often a week's totals changed, which is more where files came in pieces."""
    files = sorted(archive.glob("published/countme/**/*.csv"))
    return {f"published {path.name}": _without("revision", path.read_text()) for path in files}


def _without(column: str, text: str) -> str:
    rows = list(csv.reader(text.splitlines()))
    if not rows or column not in rows[0]:
        return text
    at = rows[0].index(column)
    return "\n".join(",".join(value for i, value in enumerate(row) if i != at) for row in rows)


def differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What differs, a line per file: for people who look why."""
    return {name: _difference(found.get(name), wanted.get(name)) for name in wanted if found.get(name) != wanted[name]}


def _difference(found: str | None, wanted: str | None) -> str:
    if found is None or wanted is None:
        return "is not there"
    rows, others = (set(text.splitlines()) for text in (found, wanted))
    lacking, surplus = sorted(others - rows), sorted(rows - others)
    return f"{len(lacking)} rows lack, e.g. {lacking[:2]}; {len(surplus)} are too many, e.g. {surplus[:2]}"
