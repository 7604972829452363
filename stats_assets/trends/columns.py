"""What the columns of the room's tables mean, as the Dagster UI shows it. The tables are made in the migrations."""

from __future__ import annotations

import dagster as dg

from stats_assets.trends.tables import SILVER, Table

_MEANINGS = {
    "logid": "id of the log at its source",
    "day": "UTC day of the upload",
    "steamid64": "the player, as Steam's 64-bit number",
    "uploaded_at": "upload, UTC",
    "started_at": "by the game server's clock, often hours off",
    "duration_seconds": "length; of a class at most the game's",
    "format": "by the players on the field; NULL: nothing is counted",
    "is_ad_scoring": "attack and defence: the score decides, not the rounds",
    "is_counted": "false: bogus, or of a banned uploader; only this row is kept of it",
    "duplicate_of": "older logs with the same rounds, ascending; NULL: none",
    "json_version": "1: the old shape",
    "seq": "place in the log",
    "winner": "NULL: nobody",
    "dt": "damage taken; NULL: not recorded",
    "wins": "rounds won, or 1 for the game under attack and defence scoring",
    "ties": "rounds of a minute or more that nobody won",
    "primary_class": "played for more than two thirds of the time",
    "hsg": "healing given to players of this game",
    "hsr": "healing received from players of this game",
    "lks": "longest kill streak, as the log says",
    "mks": "largest of the log's kill streaks",
    "hr": "healing received, as the log itself says",
    "cpc": "control points captured",
    "ic": "intelligence captured",
    "weaponid": "trends.weapons",
    "healer": "steamid64 of who healed",
    "healee": "steamid64 of who was healed",
    "event": "kill, death or assist; the columns after it count by the other player's class",
    "deaths_after_uber": "within 20 s of it",
    "deaths_before_uber": "with 95 to 99 % of it",
    "time_seconds": "since the game began",
    "msg": "what was said",
    "name": "in this game",
}

RAW_LOGS_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("logid", "integer", _MEANINGS["logid"]),
        dg.TableColumn("uploaded_at", "timestamptz", "by the list or the log itself; NULL when neither can be read"),
        dg.TableColumn("fetched_at", "timestamptz", "when these bytes came, UTC"),
        dg.TableColumn("source", "text", "api:, file: or clone_logs:, and where"),
        dg.TableColumn("is_complete", "boolean", "false: from a batch of clone_logs, which lacks parts of each log"),
        dg.TableColumn("sha256", "bytea", "of the bytes as they came"),
        dg.TableColumn("content_bytes", "integer", "size as they came"),
        dg.TableColumn("dictionary_id", "integer", "trends.dictionaries; NULL: compressed without one"),
        dg.TableColumn("content", "bytea", "the bytes, one zstd frame"),
    ]
)
QUARANTINE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("logid", "integer", "NULL: a file that belongs to no logid"),
        dg.TableColumn("source", "text", "where the last copy came from"),
        dg.TableColumn("reason", "text", "code: why it cannot be imported"),
        dg.TableColumn("detail", "text", "where in the log, and what was found"),
        dg.TableColumn("sample", "text", "beginning of the bytes"),
        dg.TableColumn("sha256", "bytea", "of the bytes"),
        dg.TableColumn("attempts", "integer", "how often it was tried"),
        dg.TableColumn("first_seen_at", "timestamptz", "UTC"),
        dg.TableColumn("last_seen_at", "timestamptz", "UTC"),
    ]
)
IMPORTED_FILES_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("name", "text", "path or URL below the batch folder"),
        dg.TableColumn("version", "text", "what the store says of its version; another one is imported again"),
        dg.TableColumn("file_bytes", "bigint", "size"),
        dg.TableColumn("logs", "integer", "logs in it"),
        dg.TableColumn("quarantined", "integer", "of these, not imported"),
        dg.TableColumn("imported_at", "timestamptz", "UTC"),
    ]
)


def _schema(table: Table) -> dg.TableSchema:
    columns = [dg.TableColumn("logid", "integer", _MEANINGS["logid"]), dg.TableColumn("day", "date", _MEANINGS["day"])]
    for column in table.columns:
        columns.append(dg.TableColumn(column.name, column.kind, _MEANINGS.get(column.name, "")))
    if table.name == "games":
        columns.append(dg.TableColumn("duplicate_of", "integer[]", _MEANINGS["duplicate_of"]))
    return dg.TableSchema(columns)


SILVER_SCHEMAS = {table.name: _schema(table) for table in SILVER}
