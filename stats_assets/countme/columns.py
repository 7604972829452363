"""What the columns of the room's tables mean, as the Dagster UI shows it. The tables are made in the migrations."""

from __future__ import annotations

import dagster as dg

from stats_assets.shared.column_schemas import column_schema

_CLIENT_COLUMNS = {
    "os_name": "operating system, as the client calls it; empty: the agent is unknown",
    "os_version": "its version",
    "os_variant": "its variant or edition",
    "os_arch": "its base architecture",
    "repo_tag": "repository asked for",
    "repo_arch": "architecture of the repository asked for",
}
_RAW_HITS_COLUMNS = {
    "hit_at": ("timestamptz", "when the request was made, UTC"),
    "address_key": ("bigint", "keyed hash of the address, comparable within a week"),
    "byte_offset": ("bigint", "of the line in the decompressed source"),
    "sys_age": ("bigint", "countme value: 1 first week, 2 to week 4, 3 to week 24, 4 older; -1 none sent"),
    "client_id": ("integer", "countme.clients: system and repository"),
    "source_id": ("integer", "countme.sources: the log file"),
}
_TOTALS_COLUMNS = {
    "site": ("text", "whose logs are counted"),
    "week": ("date", "Monday of the week, UTC"),
    "hits": (
        "bigint",
        "requests with countme; for sys_age -1, addresses distinct per day, summed over the week",
    ),
    "sys_age": ("bigint", "countme value; -1: the address count"),
} | {name: ("text", meaning) for name, meaning in _CLIENT_COLUMNS.items()}
_UNIQUE_HOSTS_COLUMNS = {
    "site": ("text", "whose logs are counted"),
    "day": ("date", "UTC day of the hits, not the date of the file"),
    "repository": ("text", "name of the repository by countme/repositories.yaml; unmapped: it has none"),
    "architecture": ("text", "name of the architecture by countme/repositories.yaml; unmapped: it has none"),
    "hosts": ("bigint", "distinct addresses"),
}
_WEEK_KEYS_COLUMNS = {
    "week": ("date", "Monday of the week, UTC"),
    "key": ("bytea", "secret of its address hashes; empty: destroyed"),
    "generation": ("integer", "how many keys the week has had; address keys of two do not compare"),
    "destroyed_at": ("timestamptz", "when the key was destroyed"),
}
_QUARANTINE_COLUMNS = {
    "source_id": ("integer", "countme.sources: the log file"),
    "byte_offset": ("bigint", "of the line in the decompressed source"),
    "verdict": ("text", "why the line was rejected"),
    "line": ("text", "cut, odd bytes as \\xHH, addresses masked unless they are kept"),
}


def totals_lineage(raw_hits: dg.AssetKey) -> dg.TableColumnLineage:
    """Which columns of raw_hits each column of the totals comes from."""
    sources = {"site": ["source_id"], "week": ["hit_at"], "hits": ["address_key", "hit_at"], "sys_age": ["sys_age"]}
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(raw_hits, source) for source in sources.get(column, ["client_id"])]
            for column in _TOTALS_COLUMNS
        }
    )


def unique_hosts_lineage(raw_hits: dg.AssetKey) -> dg.TableColumnLineage:
    """Which columns of raw_hits each column of the unique hosts comes from."""
    sources = {
        "site": ["source_id"],
        "day": ["hit_at"],
        "repository": ["client_id"],
        "architecture": ["client_id"],
        "hosts": ["address_key", "hit_at", "client_id"],
    }
    return dg.TableColumnLineage(
        {column: [dg.TableColumnDep(raw_hits, source) for source in sources[column]] for column in sources}
    )


RAW_HITS_SCHEMA = column_schema(_RAW_HITS_COLUMNS)
TOTALS_SCHEMA = column_schema(_TOTALS_COLUMNS)
UNIQUE_HOSTS_SCHEMA = column_schema(_UNIQUE_HOSTS_COLUMNS)
WEEK_KEYS_SCHEMA = column_schema(_WEEK_KEYS_COLUMNS)
QUARANTINE_SCHEMA = column_schema(_QUARANTINE_COLUMNS)
