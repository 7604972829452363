"""The established tool, mirrors-countme, in an environment of its own: installed from the package index by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import measure

PACKAGE = "mirrors-countme"


def install(folder: Path) -> Path:
    """A new environment with the tool; gives its folder. Raises CalledProcessError when it cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, PACKAGE], check=True)
    return folder / "venv"


def parse_to_sqlite(environment: Path, log: Path) -> measure.Cost:
    """Parses the log into a new SQLite file, with the tool's duplicate check, as it is run in earnest."""
    database = environment / "raw.db"
    database.unlink(missing_ok=True)
    return measure.run([environment / "bin/countme-parse-access-log", "--sqlite", database, log])


def totals_to_csv(environment: Path) -> measure.Cost:
    """Counts the weeks of the SQLite file that `parse_to_sqlite` has made into a new one, and writes the CSV file."""
    totals = environment / "totals.db"
    totals.unlink(missing_ok=True)
    update = ["--update-from", environment / "raw.db", "--csv-dump", environment / "totals.csv"]
    return measure.run([environment / "bin/countme-totals", totals, *update])
