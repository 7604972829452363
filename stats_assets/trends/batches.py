"""Logs of one transaction: looked at, parsed, and sorted by what is to be done with them. No database here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from stats_assets.trends.blocks import Block, fits
from stats_assets.trends.gamelog import GameLog, parse, uncounted
from stats_assets.trends.raw import MissingLog, RawLog
from stats_assets.trends.reasons import BadLog

# Raise when the rows of a log change with it: logs parsed by an older version are then parsed anew when they come.
PARSER_VERSION = 1

_SAMPLE_BYTES = 500
_MAX_BATCH_BYTES = 64 * 1024 * 1024
_CLOCK_SECONDS = int(timedelta(days=1).total_seconds())


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
    """What is to be done with the logs of one transaction. `banned`: uploaders whose logs are kept but not counted."""

    banned: Collection[int] = ()
    games: list[tuple[RawLog, bytes, GameLog]] = field(default_factory=list)  # with the checksum; values are in `block`
    block: Block = field(default_factory=Block)
    bad: list[BadCopy] = field(default_factory=list)
    missing: list[MissingLog] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0

    @property
    def logs(self) -> list[GameLog]:
        return [game for _, _, game in self.games]

    def parse(self, raw: RawLog, sha256: bytes, is_checked: bool = False) -> None:
        """Adds the log to those that are imported, or to the bad. `is_checked`: by its values, too."""
        try:
            game = parse(raw.logid, raw.data, _latest(raw), _unix_seconds(raw.uploaded_at))
            game = uncounted(game) if game.uploader in self.banned else game
            if is_checked:
                fits(game)
        except BadLog as error:
            self.bad.append(BadCopy(raw, sha256, error))
            return
        self.block.add(game)
        game.values = {}  # of a thousand logs they would be most of the memory
        self.games.append((raw, sha256, game))


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
    batch = Batch(banned)
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
            batch.parse(log, sha256)
    return batch


def quarantine_misfits(batch: Batch) -> None:
    """Takes logs whose values do not fit their columns out of the batch's games: each is looked at anew by itself."""
    games, batch.games, batch.block = batch.games, [], Block()
    for raw, sha256, _ in games:
        batch.parse(raw, sha256, is_checked=True)


def _latest(raw: RawLog) -> int:
    """No upload can be after it; a server's clock may be ahead."""
    return int(raw.fetched_at.timestamp()) + _CLOCK_SECONDS


def _unix_seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at else None


def printable(data: bytes) -> str:
    r"""The bytes as text PostgreSQL takes, odd ones as \xHH."""
    return data.decode("utf-8", "backslashreplace").replace("\0", r"\x00")
