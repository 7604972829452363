"""What a load reads and writes besides the hits themselves: files to load, ledgers, repeats, shared names.

The keys of the address hashes are in `week_keys`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from stats_assets.countme import sql
from stats_assets.countme.reports import SourceReport, Span, merged_by_day
from stats_assets.countme.scan import Client, HitBlock
from stats_assets.countme.weeks import monday_of_day
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row, plan_for_bulk


@dataclass(frozen=True)
class LogFile:
    """A verified log file in the archive."""

    host: str
    archive_name: str
    sha256: str


def delivered_files(cursor: Cursor, slice_: dict[str, object]) -> list[LogFile]:
    """The verified files of a day of a site, by host."""
    cursor.execute(sql.DELIVERED_FILES, slice_)
    return [LogFile(*row) for row in cursor.fetchall()]


def client_ids(database: StatsDatabase, clients: Sequence[Client]) -> list[int]:
    """The ids of these clients in countme.clients, which learns those it does not know; in the given order."""
    hashes = [_identity_hash(client) for client in clients]
    columns = {name: list(values) for name, values in zip(Client._fields, zip(*clients, strict=True), strict=True)}
    with database.transaction() as cursor:
        cursor.execute(sql.ADD_CLIENTS, columns | {"identity_hash": hashes})
        cursor.execute(sql.CLIENT_IDS, {"identity_hash": hashes})
        known = {bytes(identity_hash): client_id for identity_hash, client_id in cursor.fetchall()}
    return [known[identity_hash] for identity_hash in hashes]


def _identity_hash(client: Client) -> bytes:
    # No text of a client holds a NUL, so the joined text tells the six apart.
    return hashlib.sha256("\0".join(client).encode()).digest()


@dataclass(frozen=True)
class SealedHits:
    """Hits of an unchanged file in a week whose key is destroyed: kept, because they could not be made again."""

    host: str
    old_source_id: int
    week: date
    generation: int
    hits: int


def sealed_hits(cursor: Cursor, slice_: dict[str, object]) -> list[SealedHits]:
    """What a reload of the day has to keep; as long as its weeks have their keys: nothing."""
    cursor.execute(sql.SEALED_HITS, slice_)
    return [SealedHits(*row) for row in cursor.fetchall()]


def take_over(cursor: Cursor, sealed: SealedHits, source_id: int) -> int:
    """Makes kept hits those of the source that takes the place of theirs; gives how many there are."""
    start = midnight(sealed.week)
    parameters = {"start": start, "end": start + timedelta(weeks=1), "old_source_id": sealed.old_source_id}
    cursor.execute(sql.TAKE_OVER_HITS, parameters | {"source_id": source_id})
    return cursor.rowcount


def delete_day(cursor: Cursor, slice_: dict[str, object], kept: Sequence[SealedHits] = ()) -> list[Span]:
    """Deletes what is loaded of the day but for the hits to be kept; gives the spans its rows lay in."""
    cursor.execute(sql.LOADED_SPANS, slice_)
    loaded = cursor.fetchall()
    exceptions = {"kept_ids": [each.old_source_id for each in kept], "kept_weeks": [each.week for each in kept]}
    for oldest, newest, source_ids in loaded:
        cursor.execute(sql.DELETE_HITS, {"oldest": oldest, "newest": newest, "source_ids": source_ids, **exceptions})
    cursor.execute(sql.DELETE_SOURCES, slice_)
    return [Span(0, int(oldest.timestamp()), int(newest.timestamp())) for oldest, newest, _ in loaded]


def find_repeats(cursor: Cursor, slice_: dict[str, object], spans: list[Span], suspicious: Sequence[int]) -> int:
    """Decides anew, wherever the day's old or new rows lie, which of equal rows count; gives the day's share.

    Equal rows are either all of this day's files, then in one of the `suspicious` seconds, or of other days' files,
    too, then in the time these share with ours. Rows of other days alone are not in our spans but in that time.
    The lock makes loads of neighbouring days wait here, so that the later one sees the rows of the earlier.
    """
    lock_slice(cursor, "countme.repeats", str(slice_["site"]))
    plan_for_bulk(cursor)
    for span in merged_by_day(spans):
        own = slice_ | {"oldest": _utc(span.oldest), "newest": _utc(span.newest)}
        cursor.execute(sql.DELETE_REPEATS, own)
        cursor.execute(sql.SHARED_TIME, own)
        oldest, newest = one_row(cursor)
        if oldest is not None:
            cursor.execute(sql.ADD_REPEATS_BETWEEN, own | {"oldest": oldest, "newest": newest})
        seconds = [_utc(second) for second in suspicious if span.oldest <= second <= span.newest]
        alone = [at for at in seconds if oldest is None or not oldest <= at <= newest]
        if alone:
            cursor.execute(sql.ADD_REPEATS_AT, own | {"seconds": alone})
    cursor.execute(sql.DAY_REPEATS, slice_)
    (repeats,) = one_row(cursor)
    return repeats


def keep_extras(cursor: Cursor, source_id: int, block: HitBlock) -> None:
    if block.samples:
        rows = ((source_id, sample.byte_offset, sample.verdict, sample.text) for sample in block.samples)
        copy_text(cursor, ("countme", "quarantine"), ("source_id", "byte_offset", "verdict", "line"), rows)
    if block.addresses:
        parameters = {
            "source_id": source_id,
            "keys": list(block.addresses),
            "addresses": list(block.addresses.values()),
        }
        cursor.execute(sql.ADD_ADDRESSES, parameters)


def finish_source(cursor: Cursor, source_id: int, report: SourceReport, generation_of: Callable[[date], int]) -> None:
    """The ledgers of a file that is loaded; `generation_of`: by which of its keys the hits of a week were hashed."""
    cursor.execute(sql.FINISH_SOURCE, {"source_id": source_id, "lines": report.lines, "hits": report.hits})
    copy_text(
        cursor,
        ("countme", "verdicts"),
        ("source_id", "verdict", "lines"),
        ((source_id, verdict, lines) for verdict, lines in report.verdicts.items() if lines),
    )
    copy_text(
        cursor,
        ("countme", "source_days"),
        ("source_id", "hit_day", "hits", "oldest_at", "newest_at", "key_generation"),
        (
            (source_id, day, span.hits, _utc(span.oldest), _utc(span.newest), generation_of(monday_of_day(day)))
            for day, span in report.spans.items()
        ),
    )


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
