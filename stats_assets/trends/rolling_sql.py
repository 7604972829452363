"""Statements of player_trends: a player's games by log id, each with averages over it and the games before it.

The table holds a game's own numbers beside the averages, so that a changed game is found by comparing, and averages
are made anew only for the games whose window it is in. Windows sum whole numbers: exact, whichever way they come.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg2.sql import SQL, Composed, Identifier, Literal

from stats_assets.trends.cubes_sql import find_differing, replace_differing, within

WINDOW = 20

_FACTS: dict[LiteralString, LiteralString] = {
    "day": "g.day",
    "played_at": "g.uploaded_at",
    "duration_seconds": "g.duration_seconds",
    "round_wins": "p.wins",
    "round_losses": "p.losses",
    "round_ties": "p.ties",
    "game_kills": "p.kills",
    "game_deaths": "p.deaths",
    "game_assists": "p.assists",
    "game_dmg": "p.dmg",
    "game_dt": "p.dt",
    "game_hsg": "p.hsg",
    "game_hsr": "p.hsr",
}


def _per(seconds: LiteralString, column: LiteralString) -> LiteralString:
    return f"(sum({column}) OVER w)::double precision * {seconds} / nullif(sum(duration_seconds) OVER w, 0)"


def _per_minute_where_told(column: LiteralString) -> LiteralString:
    told = f"CASE WHEN {column} IS NULL THEN NULL ELSE duration_seconds END"
    return f"(sum({column}) OVER w)::double precision * 60 / nullif(sum({told}) OVER w, 0)"


_AVERAGES: dict[LiteralString, LiteralString] = {
    "winrate": "(sum((round_wins > round_losses)::integer) OVER w + 0.5::double precision"
    " * sum((round_wins = round_losses)::integer) OVER w) / count(*) OVER w",
    "round_winrate": "(sum(round_wins) OVER w + 0.5::double precision * sum(round_ties) OVER w)"
    " / nullif(sum(round_wins) OVER w + sum(round_losses) OVER w + sum(round_ties) OVER w, 0)",
    "kills": _per("1800", "game_kills"),
    "deaths": _per("1800", "game_deaths"),
    "assists": _per("1800", "game_assists"),
    "dpm": _per("60", "game_dmg"),
    "dtm": _per_minute_where_told("game_dt"),
    "hpm_given": _per_minute_where_told("game_hsg"),
    "hpm_received": _per_minute_where_told("game_hsr"),
}
_KEY: tuple[LiteralString, ...] = ("steamid64", "logid")
_SELECTED = SQL(", ").join(SQL("{} AS {}").format(SQL(value), Identifier(name)) for name, value in _FACTS.items())
_ROLLED = SQL(", ").join(SQL("{} AS {}").format(SQL(value), Identifier(name)) for name, value in _AVERAGES.items())
_FACT_NAMES = SQL(", ").join(map(Identifier, _FACTS))
_VALUES = SQL(", ").join(map(Identifier, (*_FACTS, *_AVERAGES)))


def _of(row: LiteralString) -> Composed:
    return SQL(", ").join(Identifier(row, name) for name in (*_FACTS, *_AVERAGES))


def facts_of(days: LiteralString) -> Composed:
    """fresh_facts: the games of the days as they are now, without averages."""
    return SQL("""
CREATE TEMPORARY TABLE fresh_facts ON COMMIT DROP AS
SELECT p.steamid64, g.logid, {facts}
  FROM trends.games g
  JOIN trends.player_stats p ON p.logid = g.logid AND p.day = g.day
 WHERE g.is_counted AND g.duplicate_of IS NULL AND {g_days} AND {p_days}
""").format(facts=_SELECTED, g_days=within(days, "g"), p_days=within(days, "p"))


FORGET_CHANGED = """
DELETE FROM trends.player_trends
 WHERE ctid = ANY (ARRAY(SELECT old_place FROM differing WHERE is_there IS NULL))
"""


def differing_facts(days: LiteralString) -> Composed:
    """differing: players and games of these days that are new, gone or not as they were."""
    return find_differing("player_trends", "fresh_facts", _KEY, tuple(_FACTS), days)


# Per player, from the first changed game to the last game whose window holds a changed one; read from the first game
# in the window of the first. Of changed games `differing` has the newer state, also where one just moved between days
# and is still there under the other. A span that is not materialized would be looked up once per game of the player
# instead of once per player (seen: 1.6 of 1.9 s).
ROLL_CHANGED = SQL("""
WITH touched AS (
    SELECT steamid64, min(logid) AS first_changed, max(logid) AS last_changed FROM differing GROUP BY steamid64
), span AS MATERIALIZED (
    SELECT t.steamid64, t.first_changed,
           coalesce((SELECT logid FROM trends.player_trends p
                      WHERE p.steamid64 = t.steamid64 AND p.logid < t.first_changed
                      ORDER BY logid DESC OFFSET {before_last} LIMIT 1), 0) AS first_read,
           coalesce((SELECT logid FROM trends.player_trends p
                      WHERE p.steamid64 = t.steamid64 AND p.logid > t.last_changed
                      ORDER BY logid OFFSET {before_last} LIMIT 1), 2147483647) AS last_read
      FROM touched t
), game AS (
    SELECT s.first_changed, p.steamid64, p.logid, {facts}
      FROM span s
      JOIN trends.player_trends p ON p.steamid64 = s.steamid64 AND p.logid BETWEEN s.first_read AND s.last_read
     WHERE NOT EXISTS (SELECT FROM differing d WHERE d.steamid64 = p.steamid64 AND d.logid = p.logid)
     UNION ALL
    SELECT t.first_changed, steamid64, logid, {facts} FROM differing JOIN touched t USING (steamid64) WHERE is_there
), rolled AS (
    SELECT p.*, {rolled} FROM game p
    WINDOW w AS (PARTITION BY p.steamid64 ORDER BY p.logid ROWS {window} PRECEDING)
)
INSERT INTO trends.player_trends AS kept (steamid64, logid, {values})
SELECT steamid64, logid, {values} FROM rolled WHERE logid >= first_changed ORDER BY steamid64, logid
ON CONFLICT (steamid64, logid) DO UPDATE SET ({values}) = ROW ({new}) WHERE ROW ({old}) IS DISTINCT FROM ROW ({new})
""").format(
    before_last=Literal(WINDOW - 2),
    window=Literal(WINDOW - 1),
    facts=_FACT_NAMES,
    rolled=_ROLLED,
    values=_VALUES,
    old=_of("kept"),
    new=_of("excluded"),
)

ROLL_ALL = SQL("""
CREATE TEMPORARY TABLE fresh_trends ON COMMIT DROP AS
SELECT p.*, {rolled} FROM fresh_facts p
WINDOW w AS (PARTITION BY p.steamid64 ORDER BY p.logid ROWS {window} PRECEDING)
""").format(rolled=_ROLLED, window=Literal(WINDOW - 1))


def differing_trends() -> Composed:
    return find_differing("player_trends", "fresh_trends", _KEY, (*_FACTS, *_AVERAGES))


def replace_trends() -> list[Composed]:
    return replace_differing("player_trends", (*_KEY, *_FACTS, *_AVERAGES))
