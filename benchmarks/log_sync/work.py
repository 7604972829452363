"""One piece of work as a process of its own, so that starting Python and importing count.

python -m benchmarks.log_sync.work VERB FOLDER DSN COMPRESSION HOSTS LINES
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.countme.generate import log_lines
from stats_assets.log_sync.combined_days import replace_combined_day
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.sync import day_sync
from stats_assets.shared.archive import Archive
from stats_assets.shared.compression import compressed, decompressed
from stats_assets.shared.postgres import StatsDatabase

DAY = date(2024, 3, 5)
SITE = "mirrors.fedoraproject.org"
_LEVELS = {"gz": 2, "zst": 3}
_BLOCK_BYTES = 1 << 20
# A line is written when its request ends, but dated when it began.
_LATE_SHARE, _MOST_LINES_LATE = 0.02, 400


@dataclass(frozen=True)
class Work:
    """Where everything of one measurement is."""

    folder: Path
    dsn: str
    compression: str
    hosts: int
    lines: int

    @property
    def config(self) -> LogSyncConfig:
        hosts = [
            {"name": f"proxy{n:02d}", "url": (self.folder / "hosts").as_uri(), "path": f"%Y%m%d-{n}.{self.compression}"}
            for n in range(self.hosts)
        ]
        return LogSyncConfig.model_validate({"sites": [SITE], "hosts": hosts, "spool": str(self.folder / "spool")})

    @property
    def sources(self) -> list[Path]:
        return [self.folder / "hosts" / f"{DAY:%Y%m%d}-{n}.{self.compression}" for n in range(self.hosts)]

    @property
    def archive(self) -> Archive:
        return Archive(str(self.folder / "archive"))

    @property
    def database(self) -> StatsDatabase:
        return StatsDatabase(self.dsn)

    def make(self) -> None:
        """The hosts' logs, nearly in order."""
        (self.folder / "hosts").mkdir()
        for number, path in enumerate(self.sources):
            with path.open("wb") as file, ExitStack() as stack:
                if self.compression == "xz":
                    import lzma

                    writer = stack.enter_context(lzma.LZMAFile(file, "wb", preset=1))
                else:
                    level = _LEVELS[self.compression]
                    writer = stack.enter_context(compressed(file, path.name, level))
                for piece in log_lines(self.lines, DAY, seed=number):
                    writer.write(_some_late(piece, random.Random(number)))

    def fetch(self) -> None:
        """Fetches, verifies, and writes the manifest."""
        with day_sync(self.database, self.archive, self.config, lambda: datetime.now(UTC), time.sleep) as sync:
            report = sync.sync(DAY)
        assert report.is_complete, report.gaps

    def fetch_plainly(self) -> None:
        """The same files copied, and read to the end of their content."""
        for path in self.sources:
            copy = self.folder / "plain" / path.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
            for _ in _content(copy):
                pass

    def combine(self) -> None:
        replace_combined_day(self.database, self.archive, self.config, DAY, DAY)

    def combine_plainly(self) -> None:
        """The same files one after the other, through the same compression: no order at all."""
        name, settings = "plain.log.zst", self.config.combined_logs
        with (self.folder / name).open("wb") as file, compressed(file, name, settings.level) as writer:
            for path in self.sources:
                for block in _content(path):
                    writer.write(block)


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        content = decompressed(file, path.name)
        while block := content.read(_BLOCK_BYTES):
            yield block


def _some_late(piece: bytes, chance: random.Random) -> bytes:
    lines = piece.splitlines(keepends=True)
    for at in chance.sample(range(len(lines)), int(len(lines) * _LATE_SHARE)):
        lines.insert(at + chance.randrange(_MOST_LINES_LATE), lines.pop(at))
    return b"".join(lines)


if __name__ == "__main__":
    verb, folder, dsn, compression, hosts, lines = sys.argv[1:]
    getattr(Work(Path(folder), dsn, compression, int(hosts), int(lines)), verb)()
