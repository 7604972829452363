"""Keys of archives as Dagster partitions: short enough to be read whole in the UI's lists. Pure.

The name of an archive, its key in the database and in the archive, tells rows and fingerprint as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from stats_assets.table_partitions.store import ArchiveRow


def by_key(rows: Iterable[ArchiveRow]) -> dict[str, ArchiveRow]:
    """The archives, given oldest first, by `schema.partition`, as `countme.raw_hits_20260105`.

    A table partition that was archived again with other rows has as many keys, those after the first with a number
    behind: `countme.raw_hits_20260105 (2)`.
    """
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        name = f"{row.table.partition('.')[0]}.{row.partition}"
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = row
    return found
