"""The weekly table partitions of countme.raw_hits: their names, and making one that is not there yet.

A row's table partition is told by its time, so a load knows the leaf it copies into.
"""

from __future__ import annotations

from datetime import date, timedelta

from psycopg2 import sql

from stats_assets.shared.postgres import StatsDatabase, lock_slice, one_row

# Made apart and then attached: ATTACH takes a lock that lets readers and writers of the parent go on
# (CREATE TABLE ... PARTITION OF would stop them); the CHECK spares it the scan.
_CREATE = """
CREATE TABLE IF NOT EXISTS {leaf} (LIKE countme.raw_hits INCLUDING ALL,
    CONSTRAINT {bounds} CHECK (hit_at IS NOT NULL AND hit_at >= {start} AND hit_at < {end}))
"""
_ATTACH = "ALTER TABLE countme.raw_hits ATTACH PARTITION {leaf} FOR VALUES FROM ({start}) TO ({end})"
_DROP_CHECK = "ALTER TABLE {leaf} DROP CONSTRAINT {bounds}"
_IS_ATTACHED = """
SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'countme.raw_hits'::regclass
               AND inhrelid = to_regclass(%(leaf)s))
"""


def leaf_of(week: date) -> tuple[str, str]:
    """Schema and name of the table partition of the week that begins on this Monday."""
    return ("countme", f"raw_hits_{week:%Y%m%d}")


def ensure_leaf(database: StatsDatabase, week: date) -> None:
    """Makes and attaches the table partition of a week unless it is there; commits on its own."""
    leaf = leaf_of(week)
    names = {
        "leaf": sql.Identifier(*leaf),
        "bounds": sql.Identifier(f"{leaf[1]}_bounds"),
        "start": sql.Literal(f"{week} 00:00:00+00"),
        "end": sql.Literal(f"{week + timedelta(weeks=1)} 00:00:00+00"),
    }
    with database.transaction() as cursor:
        lock_slice(cursor, "countme.raw_hits", "table partitions")
        cursor.execute(_IS_ATTACHED, {"leaf": ".".join(leaf)})
        if one_row(cursor) == (True,):
            return
        for statement in (_CREATE, _ATTACH, _DROP_CHECK):
            cursor.execute(sql.SQL(statement).format(**names))
