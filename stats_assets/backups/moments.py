"""The place in the WAL whose state a snapshot has seen: what ties a manifest's counts to what a restore gives. Pure.

A session counts in a snapshot; a restore replays the WAL up to a place. PostgreSQL gives no pair of the two that is
known to fit: a transaction is in the WAL from its commit record on, and in snapshots from some milliseconds later,
when the record was flushed and, with a synchronous standby, confirmed. A restore point made beside a snapshot is
therefore off by the transactions in between. So nothing is assumed: the snapshot tells which transactions it sees,
the received WAL tells where each was committed, and a place fits when everything seen was committed before it and
everything else after it. Where two transactions left in another order than they were committed, no place fits, and
another snapshot is taken.

Left out: a transaction whose commit record is older than the backup's WAL and which still waits for a standby; it would
have waited through the whole backup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_EPOCH = 1 << 32
_COMMIT = re.compile(
    r"^rmgr: Transaction .*?\btx:\s*(?P<xid>\d+), lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+),"
    r".*?\bdesc: (?:COMMIT_PREPARED (?P<prepared>\d+):|COMMIT\b)"
)


@dataclass(frozen=True)
class Snapshot:
    """Which transactions are seen: those before `xmax` that are not `running`. Numbers of 64 bits, as xid8."""

    xmax: int
    running: frozenset[int]

    def sees(self, xid: int) -> bool:
        """Whether a transaction is seen that the WAL says was committed; `xid` has 32 bits, as there."""
        whole = self._whole(xid)
        return whole < self.xmax and whole not in self.running

    def _whole(self, xid: int) -> int:
        """The number of 64 bits that is nearest to `xmax`: two transactions are never 2**31 apart."""
        near = self.xmax - self.xmax % _EPOCH + xid
        return min((near - _EPOCH, near, near + _EPOCH), key=lambda whole: abs(whole - self.xmax))


@dataclass(frozen=True)
class Commit:
    """A commit record: of which transaction, and where it begins."""

    xid: int
    lsn: int


@dataclass(frozen=True)
class Moment:
    """A snapshot and a place at or after all that it sees."""

    snapshot: Snapshot
    lsn: int


def snapshot_from(text: str) -> Snapshot:
    """What `pg_current_snapshot()` says: '753:760:754,757'."""
    _xmin, xmax, running = text.split(":")
    return Snapshot(int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))


def lsn_from(text: str) -> int:
    """'16/B374D848' as a number."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def commits_in(lines: Iterable[str]) -> Iterator[Commit]:
    """The commit records among the lines pg_waldump writes; other lines are passed over."""
    for line in lines:
        if match := _COMMIT.search(line):
            yield Commit(int(match["prepared"] or match["xid"]), lsn_from(match["lsn"]))


def place_of(moment: Moment, commits: Sequence[Commit], consistent_from: int) -> int | None:
    """Where a recovery has to stop, before the first record at or behind it, to have what the snapshot has seen.

    None when there is no such place. `consistent_from` is the end of the base backup: there is no stopping before it.
    """
    seen = [commit.lsn for commit in commits if moment.snapshot.sees(commit.xid)]
    unseen = [commit.lsn for commit in commits if not moment.snapshot.sees(commit.xid)]
    place = min([moment.lsn, *unseen])
    if place < consistent_from or any(lsn >= place for lsn in seen):
        return None
    return place
