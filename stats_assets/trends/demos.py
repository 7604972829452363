"""Answers of the demo site.

demos?page=&after=      [{"id", "time", ...}], newest first, without players
demos/{id}              {"id", "url", "server", "duration", "map", "time", "red", "blue", "redScore", "blueScore",
                        "players": [{"steamid", "team"}]}
"""

from __future__ import annotations

from stats_assets.trends.leagues import Answer, Demo, Unreadable, unix

_TEAMS = ("red", "blue")


def read_listed(demo: Answer) -> int:
    """The demo's id."""
    return int(demo["id"])


def read_demo(demo: Answer) -> Demo:
    """A demo; of the players those who are in a team."""
    players = {int(each["steamid"]) for each in demo["players"] if each["team"] in _TEAMS}
    if int(demo["duration"]) < 0:
        raise Unreadable(f"demo {demo['id']}: lasts {demo['duration']} s")
    return Demo(
        demoid=int(demo["id"]),
        played_at=unix(demo["time"]),
        duration_seconds=int(demo["duration"]),
        url=str(demo["url"]),
        server=str(demo["server"]),
        map=str(demo["map"]),
        red_name=str(demo["red"]),
        blue_name=str(demo["blue"]),
        red_score=int(demo["redScore"]),
        blue_score=int(demo["blueScore"]),
        players=tuple(sorted(players)),
    )
