"""Which games are played on a simulated day, by whom, and what is odd about each; nothing of what happens in them.

Every day has the same number of logs. Two are of an ETF2L match, two of an RGL match, the others are pick-up games.
Log ids rise with the time of upload and leave gaps, as ids of a site with other visitors do.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from stats_assets.sandbox.game_teams import PLAYERS, TEAMS, League, Player, Team

FIRST_DAY = date(2025, 11, 3)
FIRST_LOGID = 3_985_000  # the ids of a year cross the bound of a block of 100,000
IDS_PER_DAY = 40

SIZES = {"ultiduo": 2, "fours": 4, "sixes": 6, "highlander": 9}
MAPS = {
    "ultiduo": ("ultiduo_baloo_v2", "ultiduo_gullywash_b2"),
    "fours": ("koth_bagel_rc5", "koth_maple_ridge_rc1"),
    "sixes": ("cp_process_f12", "cp_sunshine", "cp_snakewater_final1", "koth_product_final", "cp_gullywash_f9"),
    "highlander": ("koth_ashville_final", "pl_upward_f10", "cp_steel_f12", "pl_vigil_rc9", "koth_lakeside_f5"),
}
# Oddities of real logs, and a few that no importer expects; what each does is in `game_quirks`.
QUIRKS = (
    "v1",
    "negative_length",
    "timestamp_as_class_time",
    "repeated_round",
    "no_start_time",
    "far_start_time",
    "player_without_team",
    "strangers",
    "unknown_class",
    "doubled_ubers",
    "odd_averages",
    "no_winner",
    "copy",
    "copy",
)
POISONS = ("empty_lists", "nul_character", "lone_surrogate", "unknown_team", "bad_uploader", "null_sections")


@dataclass(frozen=True)
class PlannedMatch:
    """A match of a league: two teams at a time, one map per log."""

    league: League
    matchid: int
    scheduled_at: int
    teams: tuple[Team, Team]
    maps: tuple[str, ...]


@dataclass(frozen=True)
class PlannedGame:
    """One log to come; times are Unix seconds. `copy_of` is the log whose rounds it repeats."""

    logid: int
    uploaded_at: int
    format: str
    map: str
    red: tuple[Player, ...]
    blue: tuple[Player, ...]
    title: str
    has_demo: bool
    quirk: str | None = None
    match: PlannedMatch | None = None
    copy_of: int | None = None


@dataclass(frozen=True)
class GamePlan:
    """The games of every day since FIRST_DAY; another seed gives other games."""

    seed: int = 2020
    logs_per_day: int = 12

    def day_of(self, logid: int) -> date:
        """The day whose ids this one is among."""
        return FIRST_DAY + timedelta(days=(logid - FIRST_LOGID) // IDS_PER_DAY)

    def games(self, day: date) -> tuple[PlannedGame, ...]:
        """The day's games, oldest first."""
        return _games(self, day) if day >= FIRST_DAY else ()

    def game(self, logid: int) -> PlannedGame | None:
        """The game of this log; None for an id that no log has."""
        return next((game for game in self.games(self.day_of(logid)) if game.logid == logid), None)

    def matches(self, league: League, day: date) -> tuple[PlannedMatch, ...]:
        found = {game.match.matchid: game.match for game in self.games(day) if game.match}
        return tuple(match for match in found.values() if match.league == league)

    def random(self, *names: object) -> random.Random:
        """The random stream of these names. Text seeds are hashed by the library, the same everywhere."""
        return random.Random("/".join(map(str, (self.seed, *names))))  # noqa: S311 - a game, no secret


@lru_cache(maxsize=2000)
def _games(plan: GamePlan, day: date) -> tuple[PlannedGame, ...]:
    dice = plan.random("plan", day)
    number = (day - FIRST_DAY).days
    slots = sorted(dice.sample(range(1, IDS_PER_DAY), plan.logs_per_day))
    matches = {0: _match("rgl", number, day, 1, dice), plan.logs_per_day - 2: _match("etf2l", number, day, 20, dice)}
    games: list[PlannedGame] = []
    for index, slot in enumerate(slots):
        match = matches.get(index) or matches.get(index - 1)
        logid = FIRST_LOGID + number * IDS_PER_DAY + slot
        uploaded_at = _midnight(day) + slot * (86_400 // IDS_PER_DAY) + dice.randrange(900)
        if match:
            games.append(_official(match, logid, uploaded_at, 0 if index in matches else 1, dice))
        else:
            games.append(_pick_up(logid, uploaded_at, games, dice))
    return tuple(games)


def _match(league: League, number: int, day: date, hour: int, dice: random.Random) -> PlannedMatch:
    one, other = sorted(dice.sample(TEAMS[league], 2), key=lambda team: team.teamid)
    maps = MAPS["sixes" if league == "etf2l" else "highlander"]
    first = 80_000 if league == "etf2l" else 20_000
    return PlannedMatch(
        league, first + number, _midnight(day) + hour * 3600, (one, other), tuple(sorted(dice.sample(maps, 2)))
    )


def _official(match: PlannedMatch, logid: int, uploaded_at: int, turn: int, dice: random.Random) -> PlannedGame:
    kind = "sixes" if match.league == "etf2l" else "highlander"
    sides = [tuple(dice.sample(team.roster, SIZES[kind])) for team in match.teams]
    if dice.random() < 0.5:
        sides.reverse()
    title = f"{match.league.upper()}: {match.teams[0].name} vs {match.teams[1].name}"
    return PlannedGame(
        logid, uploaded_at, kind, match.maps[turn], sides[0], sides[1], title, dice.random() < 0.7, None, match
    )


def _pick_up(logid: int, uploaded_at: int, earlier: list[PlannedGame], dice: random.Random) -> PlannedGame:
    kind = dice.choices(tuple(SIZES), weights=(1, 1, 6, 4))[0]
    # Some play a lot, most a little.
    weighted = sorted(
        {min(int(dice.expovariate(1 / 60)), PLAYERS - 1) for _ in range(200)}, key=lambda _: dice.random()
    )
    people = tuple(map(Player, weighted[: 2 * SIZES[kind]]))
    quirk = dice.choice(QUIRKS) if dice.random() < 0.2 else dice.choice(POISONS) if dice.random() < 0.01 else None
    game = PlannedGame(
        logid,
        uploaded_at,
        kind,
        dice.choice(MAPS[kind]),
        people[: SIZES[kind]],
        people[SIZES[kind] :],
        f"pickup #{logid % 100_000}: RED vs BLU",
        dice.random() < 0.5,
        quirk if quirk != "copy" else None,
    )
    return _copy(game, earlier[-1]) if quirk == "copy" and earlier else game


def _copy(game: PlannedGame, of: PlannedGame) -> PlannedGame:
    """A second upload of the game before."""
    return PlannedGame(
        game.logid,
        game.uploaded_at,
        of.format,
        of.map,
        of.red,
        of.blue,
        of.title,
        False,
        None,
        None,
        of.copy_of or of.logid,
    )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
