"""Simulated sites of demos and of the leagues ETF2L and RGL, about the same games as the game-log site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from stats_assets.sandbox.game_plan import FIRST_DAY, GamePlan, PlannedGame, PlannedMatch
from stats_assets.sandbox.game_teams import ETF2L_TEAMS, RGL_TEAMS, League, Team
from stats_assets.sandbox.sites import SiteAnswer, SiteRequest

_JOINED_AT = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_SEASON = 150
_FIRST_LOGID = 3_000_000  # ids of demos are those of their logs, less this


@dataclass(frozen=True)
class _PlanSite:
    plan: GamePlan
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def days(self) -> Iterator[date]:
        """Newest first."""
        today = self.now().astimezone(UTC).date()
        return (today - timedelta(days=n) for n in range((today - FIRST_DAY).days + 1))

    def matches(self, league: League, since: int) -> list[PlannedMatch]:
        now = self.now().timestamp()
        found = [match for day in self.days() for match in self.plan.matches(league, day)]
        return [match for match in found if since <= match.scheduled_at <= now]


class DemoSite(_PlanSite):
    """GET demos?page=&after= and demos/<id>. A demo ends up to two minutes before its log is uploaded."""

    def __call__(self, request: SiteRequest) -> SiteAnswer:
        name, _, demoid = request.path.partition("/")
        if name != "demos" or (demoid and not demoid.isdigit()):
            return _json(None)
        if demoid:
            game = self.plan.game(int(demoid) + _FIRST_LOGID)
            return _json(_demo(game, with_players=True) if game and game.has_demo else None)
        after, page = _number(request, "after"), max(_number(request, "page"), 1)
        now = self.now().timestamp()
        games = [game for day in self.days() for game in reversed(self.plan.games(day)) if game.has_demo]
        listed = [_demo(game) for game in games if after <= game.uploaded_at <= now]
        return _json(listed[(page - 1) * 50 : page * 50])


class Etf2lSite(_PlanSite):
    """GET results/<page>.json?per_page=&since= and team/<id>/transfers/<page>.json."""

    def __call__(self, request: SiteRequest) -> SiteAnswer:
        parts = request.path.removesuffix(".json").split("/")
        if parts[0] == "results" and len(parts) == 2 and parts[1].isdigit():
            size, page = max(_number(request, "per_page"), 20), int(parts[1])
            matches = self.matches("etf2l", _number(request, "since"))
            pages = -(-len(matches) // size)
            results = [_result(match) for match in matches[(page - 1) * size : page * size]]
            return _json({"page": {"page": page, "total_pages": pages}, "results": results})
        team = _team(ETF2L_TEAMS, parts[1]) if parts[0] == "team" and len(parts) == 4 else None
        transfers = [_transfer(player.steamid64) for player in team.roster] if team else None
        return _json(transfers and {"page": {"page": 1, "total_pages": 1}, "transfers": transfers})


class RglSite(_PlanSite):
    """POST matches/paged?take=&skip= with {"after"}; GET matches/<id>, seasons/<id>, teams/<id>."""

    def __call__(self, request: SiteRequest) -> SiteAnswer:
        kind, _, key = request.path.partition("/")
        if (kind, key) == ("matches", "paged"):
            after = json.loads(request.body or b"null") or {}
            since = int(datetime.fromisoformat(after["after"]).timestamp()) if after.get("after") else 0
            skip, take = _number(request, "skip"), _number(request, "take")
            return _json([{"matchId": match.matchid} for match in self.matches("rgl", since)[skip : skip + take]])
        if kind == "matches":
            return _json(next((_rgl_match(m) for m in self.matches("rgl", 0) if str(m.matchid) == key), None))
        if kind == "seasons":
            return _json({"name": "HL Season 20", "formatName": "Highlander"} if key == str(_SEASON) else None)
        team = _team(RGL_TEAMS, key) if kind == "teams" else None
        return _json(team and _rgl_team(team))


def _demo(game: PlannedGame, with_players: bool = False) -> dict[str, Any]:
    demoid = game.logid - _FIRST_LOGID
    demo = {
        "id": demoid,
        "url": f"https://demos.example/{demoid}.dem",
        "server": "TF2 sandbox",
        "duration": 1800,
        "map": game.map,
        "time": game.uploaded_at - game.logid % 120,
        "red": "RED",
        "blue": "BLU",
        "redScore": 2,
        "blueScore": 1,
    }
    if with_players:
        teams = (("red", game.red), ("blue", game.blue))
        demo["players"] = [
            {"name": player.name, "team": team, "steamid": str(player.steamid64)}
            for team, players in teams
            for player in players
        ] + [{"name": "a spectator", "team": "", "steamid": "76561197960265729"}]
    return demo


def _result(match: PlannedMatch) -> dict[str, Any]:
    one, other = match.teams
    return {
        "id": match.matchid,
        # The team with the larger id first: whoever reads must not rely on an order.
        "clan1": {"id": other.teamid, "name": other.name},
        "clan2": {"id": one.teamid, "name": one.name},
        "r1": 3.0,
        "r2": 1.0,
        "competition": {"id": 900, "name": "6v6 Season 50", "type": "6v6"},
        "division": {"id": 1, "name": "Premier", "tier": 0},
        "defaultwin": 0,
        "maps": [*match.maps, "variable"],
        "round": f"Week {match.matchid % 7 + 1}",
        "time": match.scheduled_at,
    }


def _transfer(steamid64: int) -> dict[str, Any]:
    return {"time": _JOINED_AT, "type": "joined", "who": {"id": 1, "steam": {"id64": str(steamid64)}}}


def _rgl_match(match: PlannedMatch) -> dict[str, Any]:
    at = datetime.fromtimestamp(match.scheduled_at, UTC)
    return {
        "matchId": match.matchid,
        "seasonId": _SEASON,
        "seasonName": "HL Season 20",
        "divisionId": 1300,
        "divisionName": "Invite",
        "matchDate": at.isoformat().replace("+00:00", "Z"),
        "matchName": "Week 1A",
        "isForfeit": False,
        "maps": [{"mapName": name, "homeScore": 2, "awayScore": 1} for name in match.maps],
        "teams": [
            {"teamId": team.teamid, "teamName": team.name, "points": points}
            for team, points in zip(match.teams, ("2.5", "0.5"), strict=True)
        ],
    }


def _rgl_team(team: Team) -> dict[str, Any]:
    joined = datetime.fromtimestamp(_JOINED_AT, UTC).isoformat()
    return {
        "teamId": team.teamid,
        "linkedTeams": [team.teamid + 5000],
        "name": team.name,
        "players": [
            {"name": player.name, "steamId": str(player.steamid64), "joinedAt": joined, "leftAt": None}
            for player in team.roster
        ],
    }


def _team(teams: tuple[Team, ...], teamid: str) -> Team | None:
    return next((team for team in teams if str(team.teamid) == teamid), None)


def _number(request: SiteRequest, name: str) -> int:
    text = request.query.get(name, [""])[0]
    return int(text) if text.isdigit() else 0


def _json(value: object) -> SiteAnswer:
    status = HTTPStatus.NOT_FOUND if value is None else HTTPStatus.OK
    return SiteAnswer(status, json.dumps(value).encode(), "application/json")
