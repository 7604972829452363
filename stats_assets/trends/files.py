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
from stats_assets.trends.limits import MAX_LOG_BYTES
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
            yield from read_file(file)
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


def read_file(file: Path | str, name: str | None = None) -> Iterator[RawLog | NoLog]:
    """The logs of one file. `name` stands for the file's own where it was brought from elsewhere."""
    place = str(file)
    if is_batch(place):
        yield from read_batch(Path(place), name or place)
    else:
        yield _single(place, name or place)


def _single(file: str, name: str) -> RawLog | NoLog:
    source = f"file:{name}"
    match = _LOG_NAME.fullmatch(name.rpartition("/")[2])
    try:
        data, changed = _content(file, match[2] if match else None)
    except DAMAGE as error:
        return NoLog(source, "not_json", f"damaged compression: {error}", Path(file).read_bytes()[:MAX_LOG_BYTES])
    if match is None:
        return NoLog(source, "no_logid", "name it log_<logid>.json", data)
    if not 0 < int(match[1]) <= _MAX_LOGID:
        return NoLog(source, "no_logid", f"{match[1]} cannot be a logid", data)
    return RawLog(int(match[1]), data, source, datetime.fromtimestamp(changed, UTC))


def _content(file: str, compression: str | None) -> tuple[bytes, float]:
    """At most one byte more than a log may have, enough to see that it is too large; and when the file changed."""
    if compression is not None:
        with Path(file).open("rb", buffering=0) as raw:
            changed = os.fstat(raw.fileno()).st_mtime
            return decompressed(raw, compression).read(MAX_LOG_BYTES + 1), changed  # type: ignore[arg-type]
    descriptor = os.open(file, os.O_RDONLY)  # a file object each costs as much as reading
    try:
        about = os.fstat(descriptor)
        return os.read(descriptor, min(about.st_size, MAX_LOG_BYTES) + 1), about.st_mtime
    finally:
        os.close(descriptor)
