"""The cubes: which sums they hold, by what, and of which rows. Statements are made of this in `cubes_sql`.

A cube is a table of sums per player (or of all) for every combination of its dimensions, each given or rolled up. Its
*days* table holds what every upload day adds: a day that changed is counted anew, and the difference to what it added
before goes into the cube. Sums of whole numbers and decimals are exact, so that any order of days gives the same cube.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from stats_assets.trends.tables import CLASSES


@dataclass(frozen=True)
class Measure:
    """One sum. `told_by` names the count of games that tell it; without any, the sum is NULL. Else it is 0.

    `is_of_games`: counts games. Those of a day always fit an integer, which PostgreSQL sums twice as fast.
    """

    name: LiteralString
    expression: LiteralString
    told_by: LiteralString | None = None
    is_of_games: bool = False


@dataclass(frozen=True)
class Cube:
    """`source` gives one row per game and player, with `day`, the key and dimension columns.

    In it {g_days} limits the table with the alias g to the days that are counted, {p_days} p, and so on. Each table has
    to be limited by itself: the planner does not conclude from one day to the other.

    The bit of a dimension in `grouping` is set where it is rolled up; the last one is 1, the one before 2, and so on.
    """

    table: LiteralString
    days_table: LiteralString
    key: tuple[LiteralString, ...]
    dimensions: tuple[LiteralString, ...]
    measures: tuple[Measure, ...]
    count: LiteralString  # the measure that is 0 when a cell has nothing left
    source: LiteralString

    @property
    def has_grouping(self) -> bool:
        return bool(self.dimensions)

    @property
    def cell(self) -> tuple[LiteralString, ...]:
        """The columns that name a cell of the finest grouping."""
        return (*self.key, *self.dimensions)

    @property
    def sums(self) -> tuple[LiteralString, ...]:
        return tuple(measure.name for measure in self.measures)


def _games(name: LiteralString, condition: LiteralString) -> Measure:
    """Games of which the condition is true, and not unknown."""
    return Measure(name, f"({condition})::integer", is_of_games=True)


_RESULTS = (
    _games("games", "true"),
    Measure("duration_seconds", "g.duration_seconds"),
    _games("wins", "p.wins > p.losses"),
    _games("ties", "p.wins = p.losses"),
    _games("losses", "p.wins < p.losses"),
)

LEADERBOARD = Cube(
    table="leaderboard_cube",
    days_table="leaderboard_days",
    key=("steamid64",),
    dimensions=("league", "format", "class", "map"),
    count="games",
    measures=(
        *_RESULTS,
        Measure("kills", "p.kills"),
        Measure("deaths", "p.deaths"),
        Measure("assists", "p.assists"),
        Measure("dmg", "p.dmg"),
        Measure("dt", "p.dt", told_by="dt_games"),
        Measure("shots", "p.shots", told_by="accuracy_games"),
        Measure("hits", "p.hits", told_by="accuracy_games"),
        _games("dt_games", "p.dt IS NOT NULL"),
        _games("accuracy_games", "p.shots IS NOT NULL"),
    ),
    source="""
SELECT g.day, p.steamid64, m.league, g.format, p.primary_class AS class, g.map, {measures}
  FROM trends.games g
  JOIN trends.player_stats p ON p.logid = g.logid AND p.day = g.day
  LEFT JOIN trends.match_links m ON m.logid = g.logid
 WHERE g.is_counted AND g.duplicate_of IS NULL AND {g_days} AND {p_days}
 GROUP BY 1, 2, 3, 4, 5, 6
""",
)

_HEALED = (*CLASSES, "other", "enemy")


def _weighted(average: LiteralString, weight: LiteralString) -> LiteralString:
    """The average times its weight, to the microsecond: decimals add up the same in any order, floats would not."""
    return f"coalesce(round(s.{average}::double precision::numeric * ({weight}), 6), 0)"


def _weight(average: LiteralString, weight: LiteralString) -> LiteralString:
    return f"CASE WHEN s.{average} IS NULL THEN 0 ELSE {weight} END"


MEDIC = Cube(
    table="medic_cube",
    days_table="medic_days",
    key=("steamid64",),
    dimensions=("league", "format", "map"),
    count="games",
    measures=(
        *_RESULTS,
        Measure("ubers", "s.ubers"),
        Measure("drops", "s.drops"),
        Measure("medigun_ubers", "s.medigun_ubers", told_by="uber_type_games"),
        Measure("kritz_ubers", "s.kritz_ubers", told_by="uber_type_games"),
        Measure("other_ubers", "s.other_ubers", told_by="uber_type_games"),
        Measure("advantages_lost", "s.advantages_lost", told_by="advantage_games"),
        Measure("biggest_advantage_lost", "s.biggest_advantage_lost", told_by="advantage_games"),
        Measure("deaths_after_uber", "s.deaths_after_uber"),
        Measure("deaths_before_uber", "s.deaths_before_uber"),
        Measure("before_healing_seconds", _weighted("avg_time_before_healing", "1")),
        Measure("before_healing_games", _weight("avg_time_before_healing", "1")),
        Measure("before_using_seconds", _weighted("avg_time_before_using", "s.ubers")),
        Measure("before_using_ubers", _weight("avg_time_before_using", "s.ubers")),
        Measure("to_build_seconds", _weighted("avg_time_to_build", "s.ubers + s.drops")),
        Measure("to_build_ubers", _weight("avg_time_to_build", "s.ubers + s.drops")),
        Measure("uber_seconds", _weighted("avg_uber_duration", "s.ubers")),
        Measure("uber_seconds_ubers", _weight("avg_uber_duration", "s.ubers")),
        Measure("healing", "h.healing", told_by="healing_games"),
        *(Measure(f"healing_{who}", f"h.healing_{who}", told_by="healing_games") for who in _HEALED),
        _games("uber_type_games", "s.medigun_ubers IS NOT NULL"),
        _games("advantage_games", "s.advantages_lost IS NOT NULL"),
        _games("healing_games", "h.healing IS NOT NULL"),
    ),
    source=f"""
WITH healed AS (
    SELECT h.logid, h.day, h.healer, h.healing,
           CASE WHEN b.team <> a.team THEN 'enemy' ELSE coalesce(b.primary_class::text, 'other') END AS who
      FROM trends.heal_stats h
      JOIN trends.player_stats a ON a.logid = h.logid AND a.day = h.day AND a.steamid64 = h.healer
      JOIN trends.player_stats b ON b.logid = h.logid AND b.day = h.day AND b.steamid64 = h.healee
     WHERE {{h_days}} AND {{a_days}} AND {{b_days}}
), healing AS (
    SELECT logid, day, healer, sum(healing) AS healing,
           {", ".join(f"coalesce(sum(healing) FILTER (WHERE who = '{who}'), 0) AS healing_{who}" for who in _HEALED)}
      FROM healed
     GROUP BY logid, day, healer
)
SELECT g.day, s.steamid64, m.league, g.format, g.map, {{measures}}
  FROM trends.games g
  JOIN trends.medic_stats s ON s.logid = g.logid AND s.day = g.day
  JOIN trends.player_stats p ON p.logid = s.logid AND p.day = s.day AND p.steamid64 = s.steamid64
  LEFT JOIN healing h ON h.logid = s.logid AND h.day = s.day AND h.healer = s.steamid64
  LEFT JOIN trends.match_links m ON m.logid = g.logid
 WHERE g.is_counted AND g.duplicate_of IS NULL AND {{g_days}} AND {{s_days}} AND {{p_days}}
 GROUP BY 1, 2, 3, 4, 5
""",  # noqa: S608 - names of our own
)

MAPS = Cube(
    table="map_popularity",
    days_table="map_days",
    key=("map",),
    dimensions=(),
    count="popularity",
    measures=(_games("popularity", "true"),),
    source="SELECT g.day, g.map, {measures} FROM trends.games g WHERE {g_days} GROUP BY 1, 2",
)

CUBES = (LEADERBOARD, MEDIC, MAPS)
