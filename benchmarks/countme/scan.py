"""What it costs to scan an access log into arrays, without a database: CPU seconds, lines per second, memory.

    python -m benchmarks.countme.scan [FILE | --lines N] [--policy compat] [--repeat 3]

Prints one JSON object per pass. The first pass of a process learns the texts; a worker that loads many files pays
that once. Importing is measured apart, and so is reading the file without doing anything with it.
"""

from __future__ import annotations

import time

_STARTED_SECONDS = time.process_time()  # before our imports, which are part of what is measured

import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections import Counter  # noqa: E402
from datetime import date  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.countme.generate import log_lines  # noqa: E402
from stats_assets.countme.parse import Window  # noqa: E402
from stats_assets.countme.scan import LogScanner  # noqa: E402

_IMPORT_SECONDS = time.process_time() - _STARTED_SECONDS


def measure(file: Path, policy: str, repeat: int) -> None:
    """Scans the file `repeat` times with one scanner and prints what each pass cost."""
    scanner = LogScanner(
        policy="strict" if policy == "strict" else "compat",
        window=Window(0, 2**40),
        key_of_week=lambda week: week.isoformat().encode().ljust(32, b"."),
        keep_addresses=False,
    )
    size = file.stat().st_size
    for number in range(repeat):
        verdicts: Counter[str] = Counter()
        before, began = time.process_time(), time.perf_counter()
        with file.open("rb", buffering=0) as stream:
            for block in scanner.scan(stream):
                verdicts.update(block.verdicts)
        cpu, wall = time.process_time() - before, time.perf_counter() - began
        lines = verdicts.total()
        report = {
            "pass": number + 1,
            "policy": policy,
            "lines": lines,
            "megabytes": round(size / 1e6, 1),
            "hits": verdicts["hit"],
            "cpu_seconds": round(cpu, 3),
            "wall_seconds": round(wall, 3),
            "cpu_seconds_per_million_lines": round(cpu / max(lines, 1) * 1e6, 3),
            "lines_per_cpu_second": round(lines / cpu),
            "import_cpu_seconds": round(_IMPORT_SECONDS, 3),
            "peak_rss_megabytes": round(_peak_rss_bytes() / 1e6),
        }
        print(json.dumps(report))


def _peak_rss_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes but on macOS


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures scanning alone.")
    parser.add_argument("file", type=Path, nargs="?", help="a plain access log; made up when not given")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--policy", choices=("strict", "compat"), default="strict")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    if options.file:
        measure(options.file, options.policy, options.repeat)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "access.log"
        with file.open("wb") as stream:
            stream.writelines(log_lines(options.lines, date(2024, 3, 4)))
        measure(file, options.policy, options.repeat)


if __name__ == "__main__":
    main()
