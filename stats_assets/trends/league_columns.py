"""What the columns of demos, matches and links mean, as the Dagster UI shows it."""

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
}
SCHEMAS = {table: column_schema(columns) for table, columns in _COLUMNS.items()}
