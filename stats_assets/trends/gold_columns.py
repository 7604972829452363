"""What the columns of the aggregates mean, as the Dagster UI shows it; the migrations make the tables."""

from __future__ import annotations

import dagster as dg

from stats_assets.shared.column_schemas import column_schema
from stats_assets.trends.cubes import CUBES, LEADERBOARD, MAPS, MEDIC, Cube

_MEANINGS = {
    "steamid64": ("bigint", "the player"),
    "league": ("trends.league", "league of the match; NULL: rolled up, or no league match"),
    "format": ("trends.format", "format; NULL: rolled up"),
    "class": ("trends.class", "primary class in the game; NULL: rolled up, or none"),
    "map": ("text", "map; NULL: rolled up"),
    "grouping": ("smallint", "which dimensions are rolled up, a bit each, the last one 1"),
    "games": ("bigint", "games that are no duplicates"),
    "popularity": ("bigint", "logs, duplicates included"),
    "wins": ("bigint", "games with more rounds won than lost"),
    "ties": ("bigint", "games with as many rounds won as lost"),
    "losses": ("bigint", "games with more rounds lost than won"),
    "dt": ("bigint", "damage taken; NULL: no game tells"),
}
_TRENDS = {
    "steamid64": ("bigint", "the player"),
    "logid": ("integer", "the newest game of the window"),
    "day": ("date", "its upload day, UTC"),
    "played_at": ("timestamptz", "its upload"),
    "winrate": ("double precision", "games won of the last 20, ties half"),
    "round_winrate": ("double precision", "rounds won, ties half"),
    "kills": ("double precision", "per 30 minutes, as deaths and assists"),
    "deaths": ("double precision", "per 30 minutes"),
    "assists": ("double precision", "per 30 minutes"),
    "dpm": ("double precision", "damage per minute"),
    "dtm": ("double precision", "damage taken per minute of the games that tell it"),
    "hpm_given": ("double precision", "healing given per minute, likewise"),
    "hpm_received": ("double precision", "healing received per minute, likewise"),
}


def _of_cube(cube: Cube) -> dg.TableSchema:
    names = (*cube.cell, "grouping", *cube.sums) if cube.has_grouping else (*cube.cell, *cube.sums)
    return column_schema({name: _MEANINGS.get(name, ("bigint", "sum over the games")) for name in names})


TRENDS_SCHEMA = column_schema(_TRENDS)
CUBE_SCHEMAS = {cube.table: _of_cube(cube) for cube in CUBES}


def cube_lineage(cube: Cube) -> dg.TableColumnLineage:
    """Dimensions come from where they are told, sums from the table that is summed."""
    games, players = dg.AssetKey(["trends", "games"]), dg.AssetKey(["trends", "player_stats"])
    of_sums = {LEADERBOARD.table: players, MEDIC.table: dg.AssetKey(["trends", "medic_stats"]), MAPS.table: games}
    sources = {
        "steamid64": (players, "steamid64"),
        "league": (dg.AssetKey(["trends", "match_links"]), "league"),
        "format": (games, "format"),
        "class": (players, "primary_class"),
        "map": (games, "map"),
    }
    told = {name: sources[name] for name in cube.cell}
    summed = {
        measure.name: (of_sums[cube.table], measure.expression.rpartition(".")[2])
        for measure in cube.measures
        if measure.expression.replace(".", "").replace("_", "").isalnum() and "." in measure.expression
    }
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset, column)] for name, (asset, column) in (told | summed).items()}
    )
