"""The yardstick: the same files read and decoded, nothing else, as a process of its own: folder.

What a CPU second is worth differs several times between machines, and with what else they do: compare by this.
"""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from stats_assets.shared.garbage_collection import without_garbage_collection


def main(folder: Path) -> None:
    with without_garbage_collection():
        for path in sorted(folder.iterdir()):
            orjson.loads(path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
