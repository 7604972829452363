"""Writes the feeds of the sandbox's crash collector for some days, larger than the sandbox's own.

python -m benchmarks.crashes.generate FOLDER FIRST_DAY DAYS REPORTS_PER_DAY
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from stats_assets.sandbox import crash_feeds, crash_maps
from stats_assets.sandbox.world import World


def main(folder: Path, first: date, days: int, reports: int) -> None:
    world = World()
    for name, text in crash_maps.MAPS.items():
        _write(folder / "maps" / name, [text.encode()])
    last = first + timedelta(days=days - 1)
    _write(folder / "releases.csv", [crash_feeds.releases(last).encode()])
    for day in (first + timedelta(days=n) for n in range(days)):
        _write(folder / f"adi/{day}.csv", [crash_feeds.installs(world, day).encode()])
        _write(folder / f"reports/{day}.jsonl", crash_feeds.reports(world, day, reports, odd=False))
        _write(folder / f"raw/{day}.jsonl", crash_feeds.raw_crashes(world, day, reports))


def _write(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
