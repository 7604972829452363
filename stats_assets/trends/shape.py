"""The shape of a log of logs.tf, as far as we read it: versions 3 and 1, and what the tool clone_logs makes of them.

The server is PHP, which writes an empty map as `[]`: sections may be that, or null, or absent. What is not named here
is skipped by `decoding`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

T = TypeVar("T")

Nothing = Annotated[list[Any], msgspec.Meta(max_length=0)]
Map = dict[str, T] | Nothing | None

Team = Literal["Red", "Blue"]
ClassName = Literal[
    "scout",
    "soldier",
    "pyro",
    "demoman",
    "heavyweapons",
    "engineer",
    "medic",
    "sniper",
    "spy",
    "unknown",
    "undefined",
    "",
]


class ClassCounts(Struct, gc=False, forbid_unknown_fields=True):
    """Kills, deaths or assists by the other's class; the nine of the game first, in the order of the tables."""

    scout: int = 0
    soldier: int = 0
    pyro: int = 0
    demoman: int = 0
    heavyweapons: int = 0
    engineer: int = 0
    medic: int = 0
    sniper: int = 0
    spy: int = 0
    unknown: int = 0
    undefined: int = 0
    unnamed: int = field(default=0, name="")


class Weapon(Struct, gc=False):
    kills: int
    dmg: int | None = None
    avg_dmg: float | None = None
    shots: int | None = None
    hits: int | None = None


class ClassStats(Struct, gc=False):
    type: ClassName
    kills: int
    assists: int
    deaths: int
    dmg: int
    total_time: int
    weapon: Map[Weapon | int] = None  # older logs know a weapon's kills only, the oldest no weapons


class UberTypes(Struct, gc=False):
    medigun: int = 0
    kritzkrieg: int = 0
    quickfix: int = 0
    vaccinator: int = 0
    unknown: int = 0


class MedicStats(Struct, gc=False):
    advantages_lost: int | None = None
    biggest_advantage_lost: int | None = None
    deaths_with_95_99_uber: int | None = None
    deaths_within_20s_after_uber: int | None = None
    avg_time_before_healing: float | None = None
    avg_time_to_build: float | None = None
    avg_time_before_using: float | None = None
    avg_uber_length: float | None = None


class Player(Struct, gc=False, kw_only=True):
    """In the order of the logs: then each is found where it is looked for first."""

    team: Team | Literal[""] | None = None
    class_stats: list[ClassStats] | None = None
    kills: int
    deaths: int
    assists: int
    suicides: int | None = None
    dmg: int
    dmg_real: int | None = None
    dt: int | None = None
    dt_real: int | None = None
    hr: int | None = None
    lks: int | None = None
    airshots: int | None = field(default=None, name="as")
    ubers: int
    ubertypes: UberTypes | Nothing | None = None
    drops: int
    medkits: int | None = None
    medkits_hp: int | None = None
    backstabs: int | None = None
    headshots: int | None = None
    headshots_hit: int | None = None
    sentries: int | None = None
    heal: int | None = None
    cpc: int | None = None
    ic: int | None = None
    medicstats: MedicStats | Nothing | None = None


class TeamNumbers(Struct, gc=False):
    score: int | None = None
    kills: int | None = None
    dmg: int | None = None
    damage: int | None = None  # version 1
    ubers: int | None = None


class TwoTeams(Struct):
    Red: TeamNumbers | None = None
    Blue: TeamNumbers | None = None


class Round(Struct):
    length: int
    start_time: int | None = None
    winner: Team | Literal[""] | None = None
    firstcap: Team | Literal[""] | None = None
    team: TwoTeams | Nothing | None = None
    Red: TeamNumbers | None = None  # version 1 has the teams here
    Blue: TeamNumbers | None = None


class Uploader(Struct):
    id: str | int | None = None
    name: str | None = None


class Info(Struct):
    date: int | None = None
    title: str | None = None
    map: str | None = None
    total_length: int | None = None
    AD_scoring: bool | None = None
    uploader: Uploader | Nothing | None = None
    rounds: list[Round] | None = None  # version 1, as the two teams
    Red: TeamNumbers | None = None
    Blue: TeamNumbers | None = None
    hasRealDamage: bool | None = None
    hasWeaponDamage: bool | None = None
    hasAccuracy: bool | None = None
    hasHP: bool | None = None
    hasHP_real: bool | None = None
    hasHS: bool | None = None
    hasHS_hit: bool | None = None
    hasBS: bool | None = None
    hasCP: bool | None = None
    hasSB: bool | None = None
    hasDT: bool | None = None
    hasAS: bool | None = None
    hasHR: bool | None = None
    hasIntel: bool | None = None


class Message(Struct, gc=False):
    steamid: str
    msg: str


class Streak(Struct, gc=False):
    steamid: str
    streak: int
    time: int


class Log(Struct):
    info: Info
    players: Map[Player]
    success: bool = True
    version: Annotated[int, msgspec.Meta(gt=0, lt=100)] = 1
    teams: TwoTeams | Nothing | None = None
    names: Map[str | None] = None
    rounds: list[Round] | None = None
    healspread: Map[Map[int]] = None
    classkills: Map[ClassCounts | Nothing | None] = None
    classdeaths: Map[ClassCounts | Nothing | None] = None
    classkillassists: Map[ClassCounts | Nothing | None] = None
    chat: list[Message] | None = None
    killstreaks: list[Streak] | None = None


def items_of(section: dict[str, T] | list[Any] | None) -> Iterable[tuple[str, T]]:
    """Keys and values of a section, none where it is empty or absent."""
    return section.items() if isinstance(section, dict) else ()


_NO_NUMBERS = TeamNumbers()


def teams_of(place: Any) -> tuple[TeamNumbers, TeamNumbers]:
    """Red's and Blue's numbers where there are some; else numbers that are all None."""
    return (place.Red or _NO_NUMBERS, place.Blue or _NO_NUMBERS) if place else (_NO_NUMBERS, _NO_NUMBERS)
