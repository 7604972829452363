"""What an import reads and writes: known logs, raw bytes, rows, ledger, quarantine, duplicates, players."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import psycopg2
import pyarrow as pa
from psycopg2 import sql as composed

from stats_assets.shared.bulk_load import arrow_stream, copy_stream
from stats_assets.shared.postgres import Cursor, StatsDatabase, plan_for_bulk
from stats_assets.trends import sql
from stats_assets.trends.batches import PARSER_VERSION, Batch, KnownLog
from stats_assets.trends.gamelog import GameLog
from stats_assets.trends.raw import RawLog
from stats_assets.trends.raw_content import Compressor
from stats_assets.trends.tables import SILVER

_DETAIL_CHARACTERS = 300
_RAW_COLUMNS = pa.schema(
    [
        ("logid", pa.int32()),
        ("uploaded_at", pa.timestamp("us", "UTC")),
        ("fetched_at", pa.timestamp("us", "UTC")),
        ("source", pa.string()),
        ("is_complete", pa.bool_()),
        ("sha256", pa.binary()),
        ("content_bytes", pa.int32()),
        ("dictionary_id", pa.int32()),
        ("content", pa.binary()),
    ]
)


def known_logs(cursor: Cursor, logids: Sequence[int]) -> dict[int, KnownLog]:
    """What the database has of these logs."""
    cursor.execute(sql.KNOWN_LOGS, {"logids": logids})
    return {
        logid: KnownLog(state, day, version, is_complete, sha256 and bytes(sha256))
        for logid, state, day, version, is_complete, sha256 in cursor.fetchall()
    }


def banned_uploaders(cursor: Cursor) -> set[int]:
    cursor.execute(sql.BANNED_UPLOADERS)
    return {steamid64 for (steamid64,) in cursor.fetchall()}


def newest_compressor(database: StatsDatabase) -> Compressor:
    with database.transaction() as cursor:
        cursor.execute(sql.NEWEST_DICTIONARY)
        found = cursor.fetchone()
    return Compressor(bytes(found[1])) if found else Compressor()


def delete_rows(cursor: Cursor, logids: Sequence[int], days: Sequence[date]) -> None:
    """Deletes every silver row of the logs, of which there is at least one."""
    values = {"logids": logids, "days": days, "first": min(logids), "last": max(logids)}
    for table in SILVER:
        statement = composed.SQL(sql.DELETE_ROWS).format(table=composed.Identifier("trends", table.name))
        cursor.execute(statement, values)


def copy_rows(cursor: Cursor, table: str, columns: Sequence[str], stream: bytes) -> None:
    copy_stream(cursor, ("trends", table), columns, stream)


def replace_raw_logs(
    cursor: Cursor,
    raws: Sequence[tuple[RawLog, bytes, int | None]],
    known: Mapping[int, KnownLog],
    compressor: Compressor,
) -> None:
    """Exchanges the bytes of the logs; the third of each is the upload time, where the log has told it."""
    old = [raw.logid for raw, _, _ in raws if (have := known.get(raw.logid)) and have.sha256]
    if old:
        cursor.execute(sql.DELETE_RAW_LOGS, {"logids": old})
    if not raws:
        return
    rows = [
        (
            raw.logid,
            datetime.fromtimestamp(uploaded_at, UTC) if uploaded_at else raw.uploaded_at,
            raw.fetched_at,
            raw.source,
            raw.is_complete,
            sha256,
            len(raw.data),
            compressor.dictionary_id,
            compressor.compress(raw.data),
        )
        for raw, sha256, uploaded_at in raws
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), _RAW_COLUMNS, strict=True)]
    stream = arrow_stream(pa.RecordBatch.from_arrays(arrays, schema=_RAW_COLUMNS))
    copy_stream(cursor, ("trends", "raw_logs"), _RAW_COLUMNS.names, stream)


def write_ledger(cursor: Cursor, batch: Batch, known: Mapping[int, KnownLog]) -> None:
    """A row per log of the batch; a log we have rows of keeps its state when this copy is bad or missing."""
    rows: list[tuple[object, ...]] = [
        (game.logid, *_state(game), game.day, game.uploaded_at, raw.source, PARSER_VERSION)
        for raw, _, game in batch.games
    ]
    kept = []
    for bad in batch.bad:
        if _has_rows(known, bad.raw.logid):
            kept.append(bad.raw.logid)
        else:
            listed = bad.raw.uploaded_at
            reason = _cut(str(bad.error))
            at = int(listed.timestamp()) if listed else None
            rows.append((bad.raw.logid, "quarantined", reason, None, at, bad.raw.source, None))
    for log in batch.missing:
        if _has_rows(known, log.logid):
            kept.append(log.logid)
        else:
            at = int(log.uploaded_at.timestamp()) if log.uploaded_at else None
            rows.append((log.logid, "missing", _cut(log.reason), None, at, log.source, None))
    names = ("logids", "states", "reasons", "days", "uploaded_at", "sources", "parser_versions")
    if rows:
        cursor.execute(sql.UPSERT_LEDGER, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    if kept:
        cursor.execute(sql.COUNT_ATTEMPTS, {"logids": kept})


def _state(game: GameLog) -> tuple[str, str | None]:
    if game.is_bogus:
        return "bogus", "negative damage of a weapon"
    return ("parsed", None) if game.is_counted else ("banned", "uploader is banned")


def _has_rows(known: Mapping[int, KnownLog], logid: int) -> bool:
    have = known.get(logid)
    return have is not None and have.day is not None


def write_quarantine(cursor: Cursor, batch: Batch) -> None:
    """Bad copies enter, logs that were imported leave."""
    cursor.execute(sql.LEAVE_QUARANTINE, {"logids": [game.logid for game in batch.logs]})
    for bad in sorted(batch.bad, key=lambda bad: bad.raw.logid):
        values = {
            "logid": bad.raw.logid,
            "source": bad.raw.source,
            "reason": bad.error.reason,
            "detail": _cut(bad.error.detail),
            "sample": bad.sample,
            "sha256": bad.sha256,
        }
        cursor.execute(sql.UPSERT_QUARANTINE, values)


def mark_duplicates(
    cursor: Cursor, logids: Sequence[int], days: Sequence[date], window: Sequence[date]
) -> dict[int, date]:
    """Decides anew which logs repeat older ones, as far as the given are concerned; gives the changed, with day."""
    values = {"logids": logids, "days": days, "window": window}
    plan_for_bulk(cursor)
    cursor.execute(sql.DUPLICATE_PAIRS, values)
    cursor.execute(sql.MARK_DUPLICATES, values)
    changed = cursor.fetchall()
    cursor.execute("DROP TABLE duplicate_pairs")
    if changed:
        found = {"logids": [row[0] for row in changed], "are_duplicates": [row[2] for row in changed]}
        cursor.execute(sql.MARK_IN_LEDGER, found)
    return {logid: day for logid, day, _ in changed}


def upsert_players(cursor: Cursor, games: Iterable[GameLog]) -> None:
    """Adds everybody the logs name; the newest game tells the name."""
    newest: dict[int, tuple[int, int, str | None] | None] = {}
    for game in games:
        for steamid64, name in game.names.items():
            have = newest.get(steamid64)
            if have is None or have[:2] < (game.uploaded_at, game.logid):
                newest[steamid64] = (game.uploaded_at, game.logid, name)
        for steamid64 in game.speakers:
            newest.setdefault(steamid64, None)
        if game.uploader is not None:
            newest.setdefault(game.uploader, None)
    found = [(steamid64, *(last or (None, None, None))) for steamid64, last in sorted(newest.items())]
    steamids, played_at, logids, names = zip(*found, strict=True) if found else ((), (), (), ())
    values = {"steamids": steamids, "played_at": played_at, "logids": logids, "names": names}
    cursor.execute(sql.UPSERT_PLAYERS, {name: list(column) for name, column in values.items()})


def touch_days(cursor: Cursor, days: Collection[date]) -> None:
    cursor.execute(sql.TOUCH_DAYS, {"days": sorted(days)})


def quarantine_file(database: StatsDatabase, source: str, reason: str, detail: str, sample: str, sha256: bytes) -> None:
    """Notes a file that belongs to no logid."""
    values = {"source": source, "reason": reason, "detail": _cut(detail), "sample": sample}
    with database.transaction() as cursor:
        cursor.execute(sql.UPSERT_QUARANTINED_FILE, values | {"sha256": psycopg2.Binary(sha256)})


def _cut(text: str) -> str:
    return text.replace("\0", r"\x00")[:_DETAIL_CHARACTERS]
