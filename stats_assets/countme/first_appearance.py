"""Where a week's totals stand in the established tool's file: in the order in which they first appeared in the logs.

Rows with countme: by the time of their first line; lines of one second by the date of their file, the log host and
their place in the file. Address rows: by the first day they have, on it by address and then by their texts; that takes
the addresses, a hash does not sort as its address. For policy compat; kept with the totals, because the hits go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from stats_assets.countme import published_sql as sql
from stats_assets.shared.postgres import Cursor

# A row of the totals: client and countme value.
Row = tuple[int, int]


def countme_positions(
    cursor: Cursor, window: Mapping[str, object], first_hits: Mapping[Row, datetime]
) -> dict[Row, int]:
    """The places, from 1, of rows whose first hit was at these times. `window`: site, start and end."""
    together = Counter(first_hits.values())
    tied = {row: at for row, at in first_hits.items() if together[at] > 1}
    lines = _first_lines(cursor, window, tied)
    ordered = sorted(first_hits, key=lambda row: (first_hits[row], lines.get(row, ())))
    return {row: place for place, row in enumerate(ordered, start=1)}


def address_positions(
    cursor: Cursor, window: Mapping[str, object], first_days: Mapping[Row, datetime]
) -> dict[Row, int]:
    """The places, from 1, of rows that have addresses from these days on; none if an address is not known."""
    by_client = {client_id: row for row in first_days for client_id in row[:1]}
    first = {"client_ids": list(by_client), "days": [first_days[row] for row in by_client.values()]}
    cursor.execute(sql.FIRST_ADDRESSES, {**window, **first})
    found = cursor.fetchall()
    if not all(is_known for _, is_known in found):
        return {}
    return {by_client[client_id]: place for place, (client_id, _) in enumerate(found, start=1)}


def _first_lines(
    cursor: Cursor, window: Mapping[str, object], tied: Mapping[Row, datetime]
) -> dict[Row, tuple[date, str, int]]:
    """Day of the file, log host and byte offset of the first line of each row."""
    if not tied:
        return {}
    columns = {
        "client_ids": [client_id for client_id, _ in tied],
        "ages": [sys_age for _, sys_age in tied],
        "seconds": list(tied.values()),
        "distinct_seconds": sorted(set(tied.values())),
    }
    cursor.execute(sql.FIRST_LINES, {**window, **columns})
    return {(client_id, sys_age): (day, host, offset) for client_id, sys_age, day, host, offset in cursor.fetchall()}
