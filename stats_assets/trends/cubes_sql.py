"""Statements that count days, bring a cube up to date by differences, and compare it with a count from nothing.

Composed of the lists in `cubes`, so that a measure is named once. Temporary tables go with the transaction:
`fresh_days` holds what days add now, `fresh_cube` a whole cube, `differing` rows that are not as they should be,
`changes` what cells gain or lose by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from psycopg2.sql import SQL, Composed, Identifier, Literal

from stats_assets.trends.cubes import Cube, Measure

Columns = tuple[LiteralString, ...]

# Which days of a table, whose alias goes into the braces.
EVERY_DAY: LiteralString = "true"
THESE_DAYS: LiteralString = "{}.day = ANY(%(days)s)"

# Days that an aggregate has counted from another state than there is now. States are compared, not ordered: whatever
# commits between our reading them and our counting gives another state, and is met the next time.
STALE_DAYS = """
SELECT d.day, d.changed_at
  FROM trends.days d
  LEFT JOIN trends.aggregate_days a ON a.aggregate = %(aggregate)s AND a.day = d.day
 WHERE a.changed_at IS DISTINCT FROM d.changed_at
 ORDER BY d.day
"""
ROW_ESTIMATE = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%(table)s)"
DROP_DIFFERING = "DROP TABLE differing"
ALL_DAYS = "SELECT day, changed_at FROM trends.days ORDER BY day"
COUNT_DAYS = "SELECT count(*) FROM trends.days"
SET_DAYS = """
INSERT INTO trends.aggregate_days (aggregate, day, changed_at)
SELECT %(aggregate)s, day, changed_at FROM unnest(%(days)s::date[], %(states)s::timestamptz[]) AS d (day, changed_at)
ON CONFLICT (aggregate, day) DO UPDATE SET changed_at = excluded.changed_at
"""

# For statements that change few rows of a large table: to each by index or place. The planner knows nothing of the
# temporary table that names them, and telling it (ANALYZE) took a tenth of a renewal.
ROW_BY_ROW = "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

# What the new side has more; NULL when neither side tells the sum.
_GAINED: LiteralString = "sum(coalesce({0}, 0) - coalesce({1}, 0)) FILTER (WHERE num_nulls({0}, {1}) < 2)"
_GAINED_GAMES: LiteralString = "sum((coalesce({0}, 0) - coalesce({1}, 0))::integer)"


def count_days(cube: Cube, days: LiteralString) -> Composed:
    """fresh_days: what the days add to the finest cells."""
    return SQL("CREATE TEMPORARY TABLE fresh_days ON COMMIT DROP AS {}").format(_source(cube, days))


def find_changes(cube: Cube) -> Composed:
    """changes: what the cells of every grouping gain or lose by the rows of `differing`.

    A sum is written the same way where it is given and where it is looked at: PostgreSQL then counts it once.
    """
    gained = {
        m.name: SQL(_GAINED_GAMES if m.is_of_games else _GAINED).format(Identifier(m.name), Identifier(f"old_{m.name}"))
        for m in cube.measures
    }
    differences = SQL(", ").join(SQL("{} AS {}").format(gain, Identifier(name)) for name, gain in gained.items())
    is_different = SQL(" OR ").join(SQL("coalesce({}, 0) <> 0").format(gain) for gain in gained.values())
    return SQL("CREATE TEMPORARY TABLE changes ON COMMIT DROP AS {rolled} HAVING {is_different}").format(
        rolled=_rolled_up(cube, "differing", differences), is_different=is_different
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


def count_cube(cube: Cube) -> Composed:
    """fresh_cube: the whole cube from fresh_days."""
    sums = _each("sum({0}) AS {0}", cube.sums)
    return SQL("CREATE TEMPORARY TABLE fresh_cube ON COMMIT DROP AS {}").format(_rolled_up(cube, "fresh_days", sums))


def find_differing(table: str, fresh: str, key: Columns, values: Columns, days: LiteralString = EVERY_DAY) -> Composed:
    """differing: rows that are not the same in `table` (as to `days`) and `fresh`, or only in one of them.

    `old_place` is where the table has the row, `is_there` whether it shall be there; the key, new values, and old ones
    under `old_...`.
    """
    return SQL("""
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT kept.old_place, fresh.is_there, {key}, {fresh_values}, {old_values}
  FROM (SELECT g.ctid AS old_place, {columns} FROM {table} AS g WHERE {days}) AS kept
  FULL JOIN (SELECT true AS is_there, {columns} FROM {fresh}) AS fresh ON {same}
 WHERE kept.old_place IS NULL OR fresh.is_there IS NULL OR ({kept_values}) IS DISTINCT FROM ({fresh_values})
""").format(
        key=_each("coalesce(kept.{0}, fresh.{0}) AS {0}", key),
        fresh_values=_each("fresh.{0}", values),
        kept_values=_each("kept.{0}", values),
        old_values=SQL(", ").join(
            SQL("kept.{} AS {}").format(Identifier(name), Identifier(f"old_{name}")) for name in values
        ),
        columns=_list((*key, *values)),
        table=_table(table),
        fresh=Identifier(fresh),
        days=within(days, "g"),
        same=_same(key, "kept", "fresh"),
    )


def replace_differing(table: str, columns: Columns) -> list[Composed]:
    """Two statements that put `differing` right: readers see the old rows until the transaction ends.

    Going by place is safe under the aggregate's lock: nobody else writes there.
    """
    return [
        SQL("DELETE FROM {} WHERE ctid = ANY (ARRAY(SELECT old_place FROM differing))").format(_table(table)),
        SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM differing WHERE is_there ORDER BY {first}").format(
            table=_table(table), columns=_list(columns), first=Identifier(columns[0])
        ),
    ]


def differing_days(cube: Cube, days: LiteralString) -> Composed:
    return find_differing(cube.days_table, "fresh_days", ("day", *cube.cell), cube.sums, days)


def replace_days(cube: Cube) -> list[Composed]:
    return replace_differing(cube.days_table, ("day", *cube.cell, *cube.sums))


def differing_cells(cube: Cube) -> Composed:
    return find_differing(cube.table, "fresh_cube", _cube_key(cube), cube.sums)


def replace_cells(cube: Cube) -> list[Composed]:
    return replace_differing(cube.table, (*_cube_key(cube), *cube.sums))


def totals(cube: Cube) -> Composed:
    """Two rows, of the cube at its coarsest and of the games themselves: every sum that must be equal."""
    coarsest = SQL("WHERE grouping = {}").format(Literal(2 ** len(cube.dimensions) - 1))
    return SQL("""
SELECT {sums} FROM {table} {coarsest}
UNION ALL
SELECT {sums} FROM ({source}) AS base
""").format(
        sums=_each("coalesce(sum({0}), 0)", cube.sums),
        table=_table(cube.table),
        coarsest=coarsest if cube.has_grouping else SQL(""),
        source=_source(cube, EVERY_DAY),
    )


def analyze(table: str) -> Composed:
    return SQL("ANALYZE {}").format(_table(table))


def within(days: LiteralString, alias: LiteralString) -> Composed:
    """The condition that the table with the alias is of the days."""
    return SQL(days).format(Identifier(alias))


def _source(cube: Cube, days: LiteralString) -> Composed:
    measures = SQL(", ").join(SQL("{} AS {}").format(SQL(_summed(m)), Identifier(m.name)) for m in cube.measures)
    return SQL(cube.source).format(measures=measures, **{f"{alias}_days": within(days, alias) for alias in _ALIASES})


def _rolled_up(cube: Cube, source: str, sums: Composed) -> Composed:
    """The cells of every grouping, from the finest ones."""
    dimensions = _list(cube.dimensions)
    return SQL("SELECT {key}{grouping}, {sums} FROM {source} GROUP BY {key}{rolled}").format(
        key=_list(cube.key),
        grouping=SQL(", {0}, grouping({0})::smallint AS grouping").format(dimensions) if cube.has_grouping else SQL(""),
        rolled=SQL(", CUBE ({})").format(dimensions) if cube.has_grouping else SQL(""),
        sums=sums,
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


def _cube_key(cube: Cube) -> Columns:
    return (*cube.cell, "grouping") if cube.has_grouping else cube.cell


def _conflict_key(cube: Cube) -> Columns:
    return (*cube.key, "grouping", *reversed(cube.dimensions)) if cube.has_grouping else cube.key


_ALIASES: tuple[LiteralString, ...] = ("g", "p", "s", "h", "a", "b")
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
