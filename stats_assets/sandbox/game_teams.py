"""The people of the simulated games: players, and the teams of two leagues. Who plays when is told in `game_plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

League = Literal["etf2l", "rgl"]

INDIVIDUAL = 0x0110_0001_0000_0000  # what turns an account number into a 64-bit Steam id
PLAYERS = 260
_FIRST_ACCOUNT = 50_000_000
_FIRST_WORDS = ("Quiet", "Rusty", "Lucky", "Grim", "Velvet", "Ashen", "Golden", "Hollow", "Brisk", "Salty")
_SECOND_WORDS = ("Otter", "Kettle", "Comet", "Badger", "Lantern", "Falcon", "Pickle", "Anvil", "Sparrow", "Moose")


@dataclass(frozen=True)
class Player:
    """Somebody who plays, by number."""

    number: int

    @property
    def account(self) -> int:
        return _FIRST_ACCOUNT + self.number * 7919

    @property
    def steam3(self) -> str:
        return f"[U:1:{self.account}]"

    @property
    def steam2(self) -> str:
        return f"STEAM_0:{self.account % 2}:{self.account // 2}"

    @property
    def steamid64(self) -> int:
        return INDIVIDUAL + self.account

    @property
    def name(self) -> str:
        first, second = self.number % 10, self.number // 10 % 10
        return f"{_FIRST_WORDS[first]} {_SECOND_WORDS[second]} {self.number}"


@dataclass(frozen=True)
class Team:
    """A team of one league with its roster; rosters of a league do not overlap."""

    league: League
    teamid: int
    roster: tuple[Player, ...]

    @property
    def name(self) -> str:
        return f"Team {self.roster[0].name.rsplit(' ', 1)[0]} {self.teamid % 100}"


def _teams(league: League, first_id: int, count: int, size: int, first_player: int) -> tuple[Team, ...]:
    return tuple(
        Team(league, first_id + n, tuple(Player(first_player + n * size + k) for k in range(size)))
        for n in range(count)
    )


ETF2L_TEAMS = _teams("etf2l", 30_001, count=10, size=8, first_player=0)
RGL_TEAMS = _teams("rgl", 12_001, count=8, size=11, first_player=80)
TEAMS: dict[League, tuple[Team, ...]] = {"etf2l": ETF2L_TEAMS, "rgl": RGL_TEAMS}
