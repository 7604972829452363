"""What the columns of demos, matches, links and weapons mean, as the Dagster UI shows it."""

from __future__ import annotations

from stats_assets.shared.column_schemas import column_schema

_COLUMNS = {
    "demos": {
        "demoid": ("integer", "the demo"),
        "played_at": ("timestamptz", "when it ended"),
        "map": ("text", "map"),
        "players": ("bigint[]", "those in a team, ascending"),
    },
    "league_matches": {
        "league": ("trends.league", "league"),
        "matchid": ("integer", "the match, within its league"),
        "team1": ("integer", "the team with the smaller id"),
        "team2": ("integer", "the other one"),
        "scheduled_at": ("timestamptz", "when it was to be played"),
    },
    "demo_links": {"logid": ("integer", "the log"), "demoid": ("integer", "its demo")},
    "match_links": {
        "logid": ("integer", "the log"),
        "league": ("trends.league", "league of its match"),
        "matchid": ("integer", "its match"),
        "team1_is_red": ("boolean", "which side the first team played on"),
    },
    "weapons": {
        "weaponid": ("integer", "the weapon in weapon_stats"),
        "weapon": ("text", "its name in the logs"),
        "name": ("text", "its name for people; NULL: nobody has given one"),
        "slot": ("text", "where it is carried, or what kills: sentry, building, taunt, environment"),
    },
}
SCHEMAS = {table: column_schema(columns) for table, columns in _COLUMNS.items()}
