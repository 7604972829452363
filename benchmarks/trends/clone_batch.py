"""The logs of `generate` as a SQLite batch of clone_logs: file, number."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from benchmarks.trends.generate import generate
from stats_assets.sandbox.clone_logs import write_batch


def main(file: Path, number: int) -> None:
    write_batch(file, ((logid, orjson.loads(data)) for logid, data in generate(number)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
