"""Statements that count days, bring a cube up to date by differences, and compare it with a count from nothing.

Composed of the lists in `cubes`, so that a measure is named once. Temporary tables go with the transaction:
`fresh_days` holds what days add now, `fresh_cube` a whole cube, `changes` differences of cells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from psycopg2.sql import SQL, Composed, Identifier, Literal

from stats_assets.trends.cubes import Cube, Measure

EVERY_DAY: LiteralString = "true"
THESE_DAYS: LiteralString = "g.day = ANY(%(days)s)"

# Days that an aggregate has counted from another state than there is now. States are compared, not ordered: whatever
# commits between our reading them and our counting gives another state, and is met the next time.
STALE_DAYS = """
SELECT d.day, d.changed_at
  FROM trends.days d
  LEFT JOIN trends.aggregate_days a ON a.aggregate = %(aggregate)s AND a.day = d.day
 WHERE a.changed_at IS DISTINCT FROM d.changed_at
 ORDER BY d.day
"""
ALL_DAYS = "SELECT day, changed_at FROM trends.days ORDER BY day"
COUNT_DAYS = "SELECT count(*) FROM trends.days"
SET_DAYS = """
INSERT INTO trends.aggregate_days (aggregate, day, changed_at)
SELECT %(aggregate)s, day, changed_at FROM unnest(%(days)s::date[], %(states)s::timestamptz[]) AS d (day, changed_at)
ON CONFLICT (aggregate, day) DO UPDATE SET changed_at = excluded.changed_at
"""


def count_days(cube: Cube, days: LiteralString) -> Composed:
    """fresh_days: what the days add to the finest cells."""
    measures = SQL(", ").join(SQL("{} AS {}").format(SQL(_summed(m)), Identifier(m.name)) for m in cube.measures)
    source = SQL(cube.source).format(measures=measures, days=SQL(days))
    return SQL("CREATE TEMPORARY TABLE fresh_days ON COMMIT DROP AS {}").format(source)


def find_changes(cube: Cube) -> Composed:
    """changes: what the cells of every grouping gain or lose by fresh_days in place of what these days added."""
    return SQL("""
CREATE TEMPORARY TABLE changes ON COMMIT DROP AS
WITH difference AS (
    SELECT {cell}, {summed}
      FROM (SELECT {cell}, {sums} FROM fresh_days
            UNION ALL
            SELECT {cell}, {negated} FROM {days_table} WHERE day = ANY(%(days)s)) AS sides
     GROUP BY {cell}
    HAVING {is_different}
)
{rolled_up}
""").format(
        cell=_list(cube.cell),
        sums=_list(cube.sums),
        summed=_each("sum({0}) AS {0}", cube.sums),
        negated=_each("-{0} AS {0}", cube.sums),
        days_table=_table(cube.days_table),
        is_different=SQL(" OR ").join(SQL("coalesce(sum({}), 0) <> 0").format(Identifier(name)) for name in cube.sums),
        rolled_up=_rolled_up(cube, "difference"),
    )


def apply_changes(cube: Cube) -> Composed:
    """Adds the changes to the cells; a new cell begins with them."""
    table = _table(cube.table)
    return SQL("INSERT INTO {table} AS cube ({columns}) SELECT {columns} FROM changes {on_conflict}").format(
        table=table,
        columns=_list((*_cube_key(cube), *cube.sums)),
        on_conflict=SQL("ON CONFLICT ({key}) DO UPDATE SET {added}").format(
            key=_list(_conflict_key(cube)),
            added=SQL(", ").join(SQL("{} = {}").format(Identifier(m.name), _added(m)) for m in cube.measures),
        ),
    )


def remove_empty(cube: Cube) -> Composed:
    """Cells that lost their last game, among those that lost one."""
    return SQL("""
DELETE FROM {table} AS cube USING changes WHERE changes.{count} < 0 AND cube.{count} = 0 AND {same_cell}
""").format(table=_table(cube.table), same_cell=_same(_cube_key(cube), "cube", "changes"), count=Identifier(cube.count))


def forget_days(cube: Cube) -> Composed:
    return SQL("DELETE FROM {} WHERE day = ANY(%(days)s)").format(_table(cube.days_table))


def keep_days(cube: Cube) -> Composed:
    columns = _list(("day", *cube.cell, *cube.sums))
    return SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM fresh_days ORDER BY day").format(
        table=_table(cube.days_table), columns=columns
    )


def count_cube(cube: Cube) -> Composed:
    """fresh_cube: the whole cube from fresh_days."""
    return SQL("CREATE TEMPORARY TABLE fresh_cube ON COMMIT DROP AS {}").format(_rolled_up(cube, "fresh_days"))


def make_equal(table: str, fresh: str, key: tuple[str, ...], values: tuple[str, ...]) -> list[Composed]:
    """Three statements that change, remove and add what differs between `table` and `fresh`, and nothing else.

    Readers see the old rows until the transaction ends and are never held up.
    """
    names = {
        "table": _table(table),
        "fresh": Identifier(fresh),
        "same": _same(key, "kept", "fresh"),
        "values": _list(values),
        "fresh_values": _each("fresh.{0}", values),
        "kept_values": _each("kept.{0}", values),
        "columns": _list((*key, *values)),
    }
    return [
        SQL("""
UPDATE {table} AS kept SET ({values}) = ROW ({fresh_values}) FROM {fresh} AS fresh
 WHERE {same} AND ROW ({kept_values}) IS DISTINCT FROM ROW ({fresh_values})
""").format(**names),
        SQL("DELETE FROM {table} AS kept WHERE NOT EXISTS (SELECT FROM {fresh} AS fresh WHERE {same})").format(**names),
        SQL("""
INSERT INTO {table} ({columns})
SELECT {columns} FROM {fresh} AS fresh WHERE NOT EXISTS (SELECT FROM {table} AS kept WHERE {same})
""").format(**names),
    ]


def cube_equal(cube: Cube) -> list[Composed]:
    return make_equal(cube.table, "fresh_cube", _cube_key(cube), cube.sums)


def days_equal(cube: Cube) -> list[Composed]:
    return make_equal(cube.days_table, "fresh_days", ("day", *cube.cell), cube.sums)


def totals(cube: Cube) -> Composed:
    """Two rows, of the cube at its coarsest and of the games themselves: every sum that must be equal."""
    coarsest = SQL("WHERE grouping = {}").format(Literal(2 ** len(cube.dimensions) - 1))
    measures = SQL(", ").join(SQL("{} AS {}").format(SQL(_summed(m)), Identifier(m.name)) for m in cube.measures)
    return SQL("""
SELECT {sums} FROM {table} {coarsest}
UNION ALL
SELECT {sums} FROM ({source}) AS base
""").format(
        sums=_each("coalesce(sum({0}), 0)", cube.sums),
        table=_table(cube.table),
        coarsest=coarsest if cube.has_grouping else SQL(""),
        source=SQL(cube.source).format(measures=measures, days=SQL(EVERY_DAY)),
    )


def count_rows(table: str) -> Composed:
    return SQL("SELECT count(*) FROM {}").format(_table(table))


def _rolled_up(cube: Cube, source: str) -> Composed:
    """The cells of every grouping, from the finest ones."""
    dimensions = _list(cube.dimensions)
    return SQL("SELECT {key}{grouping}, {summed} FROM {source} GROUP BY {key}{rolled}").format(
        key=_list(cube.key),
        grouping=SQL(", {0}, grouping({0})::smallint AS grouping").format(dimensions) if cube.has_grouping else SQL(""),
        rolled=SQL(", CUBE ({})").format(dimensions) if cube.has_grouping else SQL(""),
        summed=_each("sum({0}) AS {0}", cube.sums),
        source=Identifier(source),
    )


def _summed(measure: Measure) -> LiteralString:
    """Of one that not every game tells, the sum is NULL where none does, as sum() has it."""
    return f"sum({measure.expression})" if measure.told_by else f"coalesce(sum({measure.expression}), 0)"


def _added(measure: Measure) -> Composed:
    name = Identifier(measure.name)
    if measure.told_by is None:
        return SQL("cube.{0} + excluded.{0}").format(name)
    return SQL(
        "CASE WHEN cube.{by} + excluded.{by} > 0 THEN coalesce(cube.{0}, 0) + coalesce(excluded.{0}, 0) END"
    ).format(name, by=Identifier(measure.told_by))


def _cube_key(cube: Cube) -> tuple[str, ...]:
    return (*cube.cell, "grouping") if cube.has_grouping else cube.cell


def _conflict_key(cube: Cube) -> tuple[str, ...]:
    return (*cube.key, "grouping", *reversed(cube.dimensions)) if cube.has_grouping else cube.key


_NULLABLE = {"league", "format", "class", "map"}


def _same(columns: Iterable[str], one: str, other: str) -> Composed:
    """Equal columns, NULL being equal to NULL, said in a way that a hash join understands."""
    return SQL(" AND ").join(
        SQL("coalesce({one}.{name}::text, '') = coalesce({other}.{name}::text, '')").format(
            one=Identifier(one), other=Identifier(other), name=Identifier(name)
        )
        if name in _NULLABLE
        else SQL("{one}.{name} = {other}.{name}").format(
            one=Identifier(one), other=Identifier(other), name=Identifier(name)
        )
        for name in columns
    )


def _list(columns: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))


def _each(template: LiteralString, columns: Iterable[str]) -> Composed:
    return SQL(", ").join(SQL(template).format(Identifier(name)) for name in columns)


def _table(name: str) -> Composed:
    return SQL("{}").format(Identifier("trends", name))
