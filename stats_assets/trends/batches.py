"""Logs of one transaction: looked at, parsed, and sorted by what is to be done with them. No database here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from stats_assets.trends.blocks import fits
from stats_assets.trends.gamelog import MAX_LOG_BYTES, GameLog, parse, uncounted
from stats_assets.trends.raw import MissingLog, RawLog
from stats_assets.trends.reasons import BadLog

# Raise when the rows of a log change with it: logs parsed by an older version are then parsed anew when they come.
PARSER_VERSION = 1

_SAMPLE_BYTES = 500
_MAX_BATCH_BYTES = 64 * 1024 * 1024
_CLOCK_SECONDS = int(timedelta(days=1).total_seconds())  # a log may be from a server whose clock is ahead


@dataclass(frozen=True, slots=True)
class KnownLog:
    """What the database has of a logid."""

    state: str | None
    day: date | None
    parser_version: int | None
    is_complete: bool | None  # of the raw bytes; None: there are none
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class BadCopy:
    """A log that cannot be imported, and why."""

    raw: RawLog
    sha256: bytes
    error: BadLog

    @property
    def sample(self) -> str:
        return printable(self.raw.data[:_SAMPLE_BYTES])


@dataclass
class Batch:
    """What is to be done with the logs of one transaction."""

    games: list[tuple[RawLog, bytes, GameLog]] = field(default_factory=list)  # with the checksum
    bad: list[BadCopy] = field(default_factory=list)
    missing: list[MissingLog] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0

    @property
    def logs(self) -> list[GameLog]:
        return [game for _, _, game in self.games]


def batches(logs: Iterable[RawLog | MissingLog], size: int) -> Iterator[list[RawLog | MissingLog]]:
    """The logs in lists of at most `size` and some megabytes, no logid twice in one."""
    batch: dict[int, RawLog | MissingLog] = {}
    content_bytes = 0
    for log in logs:
        if len(batch) >= size or content_bytes > _MAX_BATCH_BYTES or log.logid in batch:
            yield list(batch.values())
            batch, content_bytes = {}, 0
        batch[log.logid] = log
        content_bytes += len(log.data) if isinstance(log, RawLog) else 0
    if batch:
        yield list(batch.values())


def sorted_out(
    logs: Sequence[RawLog | MissingLog],
    known: Mapping[int, KnownLog],
    banned: Collection[int],
    force: bool,
) -> Batch:
    """The batch after a look at every log. `banned`: uploaders whose logs are kept but not counted."""
    batch = Batch()
    for log in logs:
        have = known.get(log.logid)
        if isinstance(log, MissingLog):
            batch.missing.append(log)
            continue
        sha256 = hashlib.sha256(log.data).digest()
        if have and have.is_complete and not log.is_complete and have.day:
            batch.kept += 1
        elif have and have.day and have.sha256 == sha256 and have.parser_version == PARSER_VERSION and not force:
            batch.unchanged += 1
        else:
            _parse_into(batch, log, sha256, banned)
    return batch


def _parse_into(batch: Batch, log: RawLog, sha256: bytes, banned: Collection[int]) -> None:
    latest = int(log.fetched_at.timestamp()) + _CLOCK_SECONDS
    listed = int(log.uploaded_at.timestamp()) if log.uploaded_at else None
    try:
        game = parse(log.logid, log.data, latest, listed)
    except BadLog as error:
        batch.bad.append(BadCopy(log, sha256, error))
        return
    batch.games.append((log, sha256, uncounted(game) if uploader(game) in banned else game))


def quarantine_misfits(batch: Batch) -> None:
    """Takes logs whose values do not fit their columns out of the batch's games."""
    fitting = []
    for raw, sha256, game in batch.games:
        try:
            fits(game)
            fitting.append((raw, sha256, game))
        except BadLog as error:
            batch.bad.append(BadCopy(raw, sha256, error))
    batch.games = fitting


def uploader(game: GameLog) -> Any:
    return game.rows["games"][0][_UPLOADER]


def is_counted(game: GameLog) -> bool:
    return game.rows["games"][0][_IS_COUNTED]


_IS_COUNTED, _UPLOADER = 8, 9


def printable(data: bytes) -> str:
    r"""The bytes as text PostgreSQL takes, odd ones as \xHH."""
    return data.decode("utf-8", "backslashreplace").replace("\0", r"\x00")


def is_too_large(raw: RawLog) -> bool:
    """Not even kept as bytes."""
    return len(raw.data) > MAX_LOG_BYTES
