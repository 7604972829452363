"""Answers of the league ETF2L: results and transfers.

results/{page}.json     {"page": {"total_pages"}, "results": [{"id", "clan1", "clan2", "r1", "r2", "competition",
                        "division", "defaultwin", "maps", "round", "time"}]}, newest first
team/{id}/transfers/{page}.json     {"page", "transfers": [{"time", "type", "who": {"steam": {"id64"}}}]}
"""

from __future__ import annotations

from datetime import datetime

from stats_assets.trends.leagues import Answer, Match, Unreadable, in_order, unix

_FORMATS = {"1v1": "other", "2v2": "ultiduo", "4v4": "fours", "6v6": "sixes", "Fun Team": "other", "LAN Team": "other"}


def read_result(result: Answer) -> Match:
    """A match. Raises Unreadable for a kind of match we do not know."""
    competition, division = result["competition"], result.get("division") or {}
    sides = (result["clan1"], result["clan2"])
    teams, names, scores = in_order(
        (int(sides[0]["id"]), int(sides[1]["id"])),
        (str(sides[0]["name"]), str(sides[1]["name"])),
        (float(result["r1"]), float(result["r2"])),
    )
    return Match(
        league="etf2l",
        matchid=int(result["id"]),
        competition=str(competition["name"]),
        division=str(division.get("name") or ""),
        round=str(result.get("round") or ""),
        format=_format(str(competition["type"])),
        team1=teams[0],
        team2=teams[1],
        names=names,
        score1=scores[0],
        score2=scores[1],
        is_forfeit=bool(result["defaultwin"]),
        # "variable" stands for: to be agreed on.
        maps=tuple(sorted({str(name) for name in result.get("maps") or () if name and name != "variable"})),
        scheduled_at=unix(result["time"]),
    )


def read_transfer(transfer: Answer) -> tuple[int, datetime, bool]:
    """(player, when, has joined)."""
    kind = transfer["type"]
    if kind not in ("joined", "left"):
        raise Unreadable(f"a transfer of type {kind!r}")
    return int(transfer["who"]["steam"]["id64"]), unix(transfer["time"]), kind == "joined"


def _format(kind: str) -> str:
    if kind.startswith("Highlander"):
        return "highlander"
    if kind not in _FORMATS:
        raise Unreadable(f"a competition of type {kind!r}")
    return _FORMATS[kind]
