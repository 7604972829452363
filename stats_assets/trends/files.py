"""Logs from files: JSON files named for their logid, folders of them, and SQLite batches of clone_logs.

A log's file is `log_2297197.json` or `2297197.json`, plain or compressed (.gz, .xz, .zst); a batch is `22.sqlite3`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stats_assets.shared.compression import DAMAGE, decompressed
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.trends.clone_logs import read_batch
from stats_assets.trends.gamelog import MAX_LOG_BYTES
from stats_assets.trends.raw import RawLog

_MAX_LOGID = 2**31 - 1
_LOG_NAME = re.compile(r"(?:log_)?([0-9]{1,10})\.json(\.gz|\.xz|\.zst)?", re.ASCII)
_BATCH_SUFFIXES = (".sqlite3", ".sqlite", ".db")


@dataclass(frozen=True)
class NoLog:
    """A file that looks like a log's and is none: `reason` is a code of `reasons`."""

    source: str
    reason: str
    detail: str
    data: bytes

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()


def read_path(path: Path) -> Iterator[RawLog | NoLog]:
    """The logs of a file, a batch or all of them below a folder, in the order of their names."""
    if path.is_dir():
        for file in sorted(_files_below(path)):
            yield from read_file(Path(file))
    elif path.is_file():
        yield from read_file(path)
    else:
        raise ConfigurationMistake(f"{path}: there is no such file or folder")


def _files_below(folder: Path) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        # As text: a Path per file costs as much as reading it.
        yield from (f"{root}/{name}" for name in names if is_of_logs(name))


def is_of_logs(name: str) -> bool:
    """Whether a file of a folder is meant for us, by its ending."""
    return name.endswith((*_BATCH_SUFFIXES, ".json")) or ".json." in name


def is_batch(name: str) -> bool:
    return name.endswith(_BATCH_SUFFIXES)


def read_file(file: Path, name: str | None = None) -> Iterator[RawLog | NoLog]:
    """The logs of one file. `name` stands for the file's own where it was brought from elsewhere."""
    name = name or str(file)
    if is_batch(file.name):
        yield from read_batch(file, name)
    else:
        yield _single(file, name)


def _single(file: Path, name: str) -> RawLog | NoLog:
    source = f"file:{name}"
    match = _LOG_NAME.fullmatch(name.rpartition("/")[2])
    try:
        data, changed = _content(file, match[2] if match else None)
    except DAMAGE as error:
        return NoLog(source, "not_json", f"damaged compression: {error}", file.read_bytes()[:MAX_LOG_BYTES])
    if match is None:
        return NoLog(source, "no_logid", "name it log_<logid>.json", data)
    if not 0 < int(match[1]) <= _MAX_LOGID:
        return NoLog(source, "no_logid", f"{match[1]} cannot be a logid", data)
    return RawLog(int(match[1]), data, source, datetime.fromtimestamp(changed, UTC))


def _content(file: Path, compression: str | None) -> tuple[bytes, float]:
    """At most one byte more than a log may have, enough to see that it is too large; and when the file changed."""
    with file.open("rb", buffering=0) as raw:
        about = os.fstat(raw.fileno())
        if compression is not None:
            return decompressed(raw, compression).read(MAX_LOG_BYTES + 1), about.st_mtime  # type: ignore[arg-type]
        return raw.read(min(about.st_size, MAX_LOG_BYTES) + 1), about.st_mtime
