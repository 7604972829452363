"""How the rooms stand, read by a few statements and without Dagster, which takes a second to import.

How it looks on a terminal is in `overview_tables`.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor

from stats_assets.local.databases import Databases
from stats_assets.notifications import store
from stats_assets.notifications.incidents import Incident
from stats_assets.shared.environment import Environment

# From asset_keys, a row per asset; the newest Dagster partition from the index on asset, kind and partition.
_ASSETS = """
SELECT a.asset_key, a.last_materialization_timestamp AT TIME ZONE 'UTC',
       (SELECT max(e.partition) FROM event_logs e
        WHERE e.asset_key = a.asset_key AND e.dagster_event_type = 'ASSET_MATERIALIZATION')
FROM asset_keys a WHERE a.last_materialization_timestamp IS NOT NULL
"""
_RUNS = "SELECT status, count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED') GROUP BY status"
_SIZES = """
SELECT n.nspname, sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname = ANY(%(rooms)s) GROUP BY 1
"""
# What waits for a person, by room: given up, put aside, or half done.
_PARKED = {
    "forum": "SELECT count(*) FROM forum.work WHERE parked_at IS NOT NULL",
    "trends": "SELECT count(*) FROM trends.quarantine",
    "crashes": "SELECT count(*) FROM crashes.quarantine",
    "log_sync": "SELECT count(*) FROM log_sync.files WHERE state IN ('missing', 'failed')",
    "countme": "SELECT count(*) FROM countme.weeks WHERE status = 'partial'",
    "table_partitions": "SELECT count(*) FROM table_partitions.attic WHERE state = 'detaching'",
}
PARKED_WORDS = {
    "forum": "parked units",
    "trends": "quarantined logs",
    "crashes": "quarantined rows",
    "log_sync": "files owed",
    "countme": "partial weeks",
    "table_partitions": "broken-off detaches",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass
class Room:
    """What is made of a room. `behind` is the dated asset whose newest Dagster partition is the oldest, and that."""

    name: str
    assets: int = 0
    made_at: datetime | None = None
    newest: date | None = None
    behind: tuple[str, date] | None = None
    wrong: int = 0
    parked: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class Overview:
    """Everything `./stats status` tells of a running installation."""

    rooms: Mapping[str, Room]
    incidents: list[Incident]
    untold: int
    looked_at: datetime | None
    runs: Mapping[str, int]
    free_bytes: Mapping[str, int] = field(default_factory=dict)


def read_overview(environment: Environment, databases: Databases, archive: str) -> Overview:
    """Read from both databases and the disks. Raises psycopg2.Error when a database is away or not migrated."""
    rooms: defaultdict[str, Room] = defaultdict(lambda: Room(""))
    with closing(psycopg2.connect(_libpq(databases.dagster_dsn))) as connection, connection.cursor() as cursor:
        _read_assets(cursor, rooms)
        cursor.execute(_RUNS)
        runs = dict(cursor.fetchall())
    with closing(psycopg2.connect(databases.dsn)) as connection, connection.cursor() as cursor:
        incidents = store.open_incidents(cursor)
        for incident in incidents:
            if incident.thing.room is not None:
                rooms[incident.thing.room].wrong += 1
        _read_parked(cursor, rooms)
        cursor.execute(_SIZES, {"rooms": list(rooms)})
        for name, size_bytes in cursor.fetchall():
            rooms[name].size_bytes = size_bytes
        untold, looked_at = store.count_waiting(cursor), store.looked_at(cursor)
    return Overview(dict(sorted(rooms.items())), incidents, untold, looked_at, runs, _free(environment, archive))


def _read_assets(cursor: Cursor, rooms: Mapping[str, Room]) -> None:
    cursor.execute(_ASSETS)
    for key, made_at, partition in cursor.fetchall():
        name, table = key.strip('[]"').replace('", "', "/").partition("/")[::2]
        room = rooms[name]
        room.name = name
        room.assets += 1
        room.made_at = max(filter(None, (room.made_at, made_at)))
        if partition and _DAY.fullmatch(partition):
            day = date.fromisoformat(partition)
            room.newest = max(day, room.newest or day)
            if room.behind is None or day < room.behind[1]:
                room.behind = table, day


def _read_parked(cursor: Cursor, rooms: Mapping[str, Room]) -> None:
    for name, statement in _PARKED.items():
        cursor.execute(statement)
        (count,) = cursor.fetchone() or (0,)
        if count:
            rooms[name].name = name
            rooms[name].parked = count


def _free(environment: Environment, archive: str) -> dict[str, int]:
    folders = {"state": environment.home}
    if "://" not in archive or archive.startswith("file://"):
        folders["archive"] = Path(archive.removeprefix("file://"))
    free = {}
    for name, folder in folders.items():
        place = next(path for path in (folder, *folder.parents) if path.exists())
        free[f"{name} ({place})"] = shutil.disk_usage(place).free
    return free


def _libpq(dsn: str) -> str:
    return re.sub(r"^postgresql\+\w+://", "postgresql://", dsn)


def age(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that is at least two."""
    seconds = max((now - at.astimezone(UTC)).total_seconds(), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
