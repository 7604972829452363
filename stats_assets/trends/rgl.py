"""Answers of the league RGL: matches, seasons and teams.

POST matches/paged?take=&skip=   [{"matchId"}], of matches after a time
matches/{id}    {"matchId", "seasonId", "seasonName", "divisionId", "divisionName", "matchDate", "matchName",
                "isForfeit", "maps": [{"mapName"}], "teams": [{"teamId", "teamName", "points"}]}
seasons/{id}    {"formatName"}
teams/{id}      {"teamId", "linkedTeams", "name", "players": [{"steamId", "joinedAt", "leftAt"}]}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stats_assets.trends.leagues import Answer, Match, Membership, Unreadable, in_order, instant

# Matches of this division were entered for tests.
_TEST_DIVISION = 558
_FORMATS = {"Sixes": "sixes", "Highlander": "highlander", "Prolander": "prolander", "Fours": "fours"}
_IN_NAMES = (
    (re.compile(r"\b(HL|Highlander)\b", re.IGNORECASE), "highlander"),
    (re.compile(r"\b(P7|Prolander|NR)\b", re.IGNORECASE), "prolander"),
    (re.compile(r"\b(6s|Sixes|6v6)\b", re.IGNORECASE), "sixes"),
    (re.compile(r"\b(4s|Fours|4v4|PASS Time)\b", re.IGNORECASE), "fours"),
)


def read_match(match: Answer, format_name: str | None, surrogates: Sequence[int]) -> Match:
    """A match; `surrogates` are the ids that stand for its two teams. Raises Unreadable for one without a result."""
    if match["divisionId"] == _TEST_DIVISION:
        raise Unreadable(f"match {match['matchId']}: of the division for tests")
    sides = match["teams"]
    if len(sides) != 2 or any(side.get("points") is None for side in sides):
        raise Unreadable(f"match {match['matchId']}: has no result")
    teams, names, scores = in_order(
        (surrogates[0], surrogates[1]),
        (str(sides[0]["teamName"]), str(sides[1]["teamName"])),
        (float(sides[0]["points"]), float(sides[1]["points"])),
    )
    return Match(
        league="rgl",
        matchid=int(match["matchId"]),
        competition=str(match["seasonName"]),
        division=str(match["divisionName"]),
        round=str(match.get("matchName") or ""),
        format=_format(format_name, str(match["seasonName"])),
        team1=teams[0],
        team2=teams[1],
        names=names,
        score1=scores[0],
        score2=scores[1],
        is_forfeit=bool(match["isForfeit"]),
        maps=tuple(sorted({str(each["mapName"]) for each in match.get("maps") or ()})),
        scheduled_at=instant(match["matchDate"]),
    )


def team_surrogate(team: Answer) -> int:
    """The id that stands for a team in all its seasons: the smallest of those linked to it."""
    return min([int(team["teamId"]), *map(int, team.get("linkedTeams") or ())])


def read_member(player: Answer) -> Membership:
    """A player's time in a team. Raises Unreadable for one of no length."""
    joined, left = instant(player["joinedAt"]), player.get("leftAt")
    left_at = instant(left) if left else None
    if left_at and left_at <= joined:
        raise Unreadable(f"player {player['steamId']} left before joining")
    return Membership(int(player["steamId"]), joined, left_at)


def _format(name: str | None, season: str) -> str:
    """By the season's format, else by what its name says."""
    if name in _FORMATS:
        return _FORMATS[name]
    return next((found for pattern, found in _IN_NAMES if pattern.search(season)), "other")
