"""Statements for charts, and the queries of the exported aggregates."""

from __future__ import annotations

from stats_assets.trends.cubes import MEDIC

LOGS_BY_MAP = """
SELECT date_trunc('month', day)::date, map, sum(popularity) FROM trends.map_days GROUP BY 1, 2
"""
LOGS_BY_FORMAT = """
SELECT date_trunc('month', day)::date, coalesce(format::text, 'none'), count(*) FROM trends.games GROUP BY 1, 2
"""

_LEADERBOARD_CUBE = """
SELECT steamid64, league, format, class, map, grouping, duration_seconds AS duration, wins, ties, losses, kills, deaths,
       assists, dmg, dt, shots, hits
FROM trends.leaderboard_cube
ORDER BY steamid64, grouping, league, format, class, map
"""
_MEDIC_COLUMNS = ", ".join(
    f"{name} AS duration" if name == "duration_seconds" else name for name in MEDIC.sums if name != "games"
)
_MEDIC_CUBE = f"""
SELECT steamid64, league, format, map, grouping, {_MEDIC_COLUMNS}
FROM trends.medic_cube
ORDER BY steamid64, grouping, league, format, map
"""  # noqa: S608 - columns of our own
_MAP_POPULARITY = "SELECT map, popularity FROM trends.map_popularity ORDER BY map"
_ROLLING_TRENDS = """
SELECT steamid64, logid, extract(epoch FROM played_at)::bigint AS time, winrate, round_winrate, kills, deaths, assists,
       dpm, dtm, hpm_given, hpm_received
FROM trends.player_trends
ORDER BY steamid64, logid
"""

FILES = {
    "leaderboard_cube.csv": _LEADERBOARD_CUBE,
    "medic_cube.csv": _MEDIC_CUBE,
    "map_popularity.csv": _MAP_POPULARITY,
    "rolling_trends.csv": _ROLLING_TRENDS,
}
